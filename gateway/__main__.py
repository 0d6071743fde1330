"""Make `python -m gateway` the command `credit-gateway`."""

from gateway.cli import app

app()
