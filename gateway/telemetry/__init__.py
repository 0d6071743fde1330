"""Monitoring 监测: the log, the metrics, and the catalogue of audit events."""
