"""Work that is due because time passes; one file for each kind."""
