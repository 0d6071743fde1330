"""Deliveries 报送: added, claimed, finished, answered."""
