"""The command `credit-gateway`: it only translates between a person and the service.

Exit codes: 0 done, 1 problems found, 2 wrong use, 3 no answer, 130 interrupted.
"""

from gateway.cli.registry import app

__all__ = ["app"]
