"""Embedded PostgreSQL and Kafka from wheels, for one machine; URLs select other servers."""
