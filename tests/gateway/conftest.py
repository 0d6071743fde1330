"""Fixtures for check, on a fixed day."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.config.keys import Keys, Master
from tests.factories import raw

TODAY = date(2026, 10, 12)
Check = Callable[..., Checked]


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys(Master(b"a master key for tests only"))


@pytest.fixture(scope="session")
def check(keys: Keys) -> Check:
    """Check one row, as of 2026-10-12 by default."""
    checker = Checker(keys)

    def run(row: Any, today: date = TODAY) -> Checked:
        return checker.check(raw(row), today)

    return run
