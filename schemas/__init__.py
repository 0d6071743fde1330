"""What a message is: shapes, code lists, identifiers. Pure; imports pydantic only."""
