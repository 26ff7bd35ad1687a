"""Labels with barcodes for items, shelves, places and parcels."""
