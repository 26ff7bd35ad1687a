"""Give every test, also those inside a plugin's folder, the servers of `tests/servers.py`."""

pytest_plugins = ["tests.servers"]
