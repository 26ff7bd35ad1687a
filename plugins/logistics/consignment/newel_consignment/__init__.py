"""Goods at customers that are still ours: consignment and loan."""
