"""Decide 决定报送 (pure): which destinations get an item, and by when."""
