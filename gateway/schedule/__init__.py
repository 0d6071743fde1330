"""What happens because time passes; a file for each act."""
