"""What happened with a document or record, in one place."""
