"""Who must hear of it, by when 决定报送 (pure)."""
