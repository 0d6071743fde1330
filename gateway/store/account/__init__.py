"""Frozen ledgers 台账 and differences 对账差异."""
