"""A further step at the login: codes of an app, recovery codes and passkeys."""
