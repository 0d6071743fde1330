"""The service. Read `pipeline.py` (the way in), then `deliver/deliverer.py` (the way out)."""
