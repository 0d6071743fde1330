"""`python -m gateway` is `credit-gateway`."""

from gateway.cli import app

app()
