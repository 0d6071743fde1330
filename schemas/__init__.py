"""What a message is: shapes, code lists, identifiers. Pure; pydantic is the only library it imports."""
