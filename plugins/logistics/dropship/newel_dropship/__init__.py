"""Drop shipment."""
