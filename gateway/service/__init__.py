"""The wiring: everything is built here, and run as roles."""
