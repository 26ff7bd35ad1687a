"""When goods will be with the customer, and why: cut-off, holidays, stock, lead times, routes."""
