"""Deliveries on their way out 报送: claim, call, outcome, receipts."""
