"""Lists as spreadsheets, and spreadsheets into records and documents."""
