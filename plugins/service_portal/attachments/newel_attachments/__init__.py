"""Files on documents and records: checked by their content, kept in the database."""
