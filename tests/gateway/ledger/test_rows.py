"""The rows of the ledger show no identity number, in whatever column it stands."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from gateway.due.calendars import load_workdays
from gateway.ledger.rows import Assembler, LedgerScope
from tests.factories import IDENTITY


@pytest.mark.parametrize("person", [True, False])
def test_a_row_shows_no_identity_number(person: bool) -> None:
    scope = LedgerScope((), {}, load_workdays(), lambda _: "样例化名")
    decision = SimpleNamespace(
        id=1,
        kind="penalty",
        document_number=IDENTITY,
        authority=f"样例局{IDENTITY}",
        subject_name=f"张样例{IDENTITY}",
        subject_code="hash" if person else "91159900MA00000013",
        decision_date=date(2026, 10, 9),
        excluded=None,
        withdrawn_at=None,
        arrived_at=datetime(2026, 10, 10, tzinfo=UTC),
        person=person,
        category="自然人",
        penalty_kinds="罚款",
        lacking=0,
        fine="2",
        confiscated=None,
        destination=None,
    )

    row = Assembler(scope, datetime(2026, 10, 12, tzinfo=UTC), {}, {}).row([decision])

    assert IDENTITY[4:14] not in f"{row.document_number}{row.authority}{row.subject_name}"
    assert row.authority.startswith("样例局1")
