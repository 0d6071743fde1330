"""The service: all that has state or wiring. Read `pipeline.py` (in) and `deliver.py` (out)."""
