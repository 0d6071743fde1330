"""Decisions that must not be reported 不予报送, against a register that has them."""

from pathlib import Path

import pytest

from gateway.store.base.engine import Database
from tests.integration.ledger_world import penalty
from tests.integration.reconcile.sides import compare, found
from tests.integration.reconcile.test_gone_here import delivered
from tests.integration.reconcile.test_registers import row, written

pytestmark = pytest.mark.integration
SECRET = {"state_secret": "是"}


@pytest.mark.parametrize("withdrawn", [False, True])
async def test_a_secret_decision_is_not_missing_where_it_was_withdrawn_too(
    database: Database, tmp_path: Path, *, withdrawn: bool
) -> None:
    rows = [penalty(4, **SECRET)]
    if withdrawn:
        rows.append(penalty(4, verb="withdraw", **SECRET))
    here = await delivered(database, tmp_path, *rows)

    register = written(tmp_path / "register.csv", *map(row, (1, 2, 3, 4)))
    done, _ = await compare(here, file=str(register))

    assert found(done) == {}
