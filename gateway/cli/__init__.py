"""`credit-gateway`: translates between a person and the service, nothing else.

Exit codes: 0 done, 1 problems found, 2 wrong use, 3 cannot answer.
"""

from gateway.cli.registry import app

__all__ = ["app"]
