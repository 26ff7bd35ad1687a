"""Stock in warehouses and its moves."""
