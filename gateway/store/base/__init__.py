"""What every part of the store stands on: connections, statements, structure."""
