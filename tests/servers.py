"""The private PostgreSQL cluster of a test run. The fixtures that give databases and browsers come with the test kit, newel_sdk.pytest_plugin."""

from newel_sdk.servers import CHROMIUM_FLAGS, Cluster

__all__ = ["CHROMIUM_FLAGS", "Cluster"]
