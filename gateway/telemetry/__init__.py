"""What operators and auditors see 监测: log, metrics, the catalogue of audit events."""
