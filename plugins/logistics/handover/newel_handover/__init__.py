"""Deliveries are loaded and handed over, with a proof that is kept."""
