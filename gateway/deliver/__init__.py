"""Send deliveries 报送: claim, call, write the outcome, read receipts."""
