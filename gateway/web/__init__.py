"""The HTTP side: access, health, metrics; what answers is handed in by `service`."""
