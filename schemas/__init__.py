"""What a message is: shapes, code lists, identifiers; pure, with no library but pydantic."""
