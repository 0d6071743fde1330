"""The base of the store: connections, statements, tables, migrations."""
