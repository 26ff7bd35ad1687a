"""What one wants to know while entering a sale."""
