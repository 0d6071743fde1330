"""Build everything and run it as roles."""
