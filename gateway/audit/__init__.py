"""The chain of audit events 审计链: hashed one behind the other, signed daily, checked offline."""
