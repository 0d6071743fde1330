"""The demo: the whole way of sample data, with embedded servers and a stepped clock."""
