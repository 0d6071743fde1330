"""Deliveries 报送: owed, claimed, finished, answered."""
