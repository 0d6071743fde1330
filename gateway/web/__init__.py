"""HTTP: access, health checks, metrics; `service` passes the routers in."""
