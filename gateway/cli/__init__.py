"""`credit-gateway`: translates between a person and the service, nothing else.

Exit codes: 0 done, 1 problems found, 2 wrong use, 3 cannot answer.
"""

from gateway.cli import (
    activation,
    difference,
    explaining,
    looking,
    monthly,
    offline,
    population,
    rules,
    running,
    working,
)
from gateway.cli.root import app

__all__ = [
    "activation",
    "app",
    "difference",
    "explaining",
    "looking",
    "monthly",
    "offline",
    "population",
    "rules",
    "running",
    "working",
]
