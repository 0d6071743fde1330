"""A simulated year of a bureau: its ledgers, causes, lists and hints are right to the row."""

import csv
import os
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.ledger.card_of_month import card_of_month
from gateway.ledger.figures import Figures
from gateway.ledger.month import Ledger
from gateway.reconcile.hints import look
from gateway.reconcile.run import ReconciledDays, begin, reconcile_platform
from gateway.service.reconciling import compare_register
from gateway.store.account import ledgers, outages
from gateway.store.account.ledgers import Frozen
from gateway.store.base.engine import Database
from schemas.base import SHANGHAI
from tests.integration.ledger_world import credit_code
from tests.integration.reconcile.sides import found
from tests.integration.year.bureau import (
    DAY,
    DOWN_SINCE,
    DOWN_UNTIL,
    YEAR,
    Decided,
    Expected,
    Trouble,
    due,
    entered_late,
    expected,
)
from tests.integration.year.living import Bureau, lived, provisional

pytestmark = pytest.mark.integration
SEED = 20260107
MONTHS = range(1, 13)


async def test_the_year_of_a_bureau(database: Database, tmp_path: Path) -> None:
    bureau = await lived(database, tmp_path, SEED)

    for month in MONTHS:
        await _compare_month(bureau, month)
    await _compare_outage(bureau)
    await _compare_platform(bureau)
    await _compare_register(bureau, tmp_path)
    await _compare_hints(bureau)
    for month in MONTHS:
        await _compare_quality(bureau, month)
    await _compare_card(bureau)
    assert bureau.provisional == _beyond_the_calendar(bureau) > 0
    assert bureau.lacking_since == date(YEAR, 11, 1)
    assert await bureau.here.gateway.database.run(provisional) == 0
    assert _all_causes(bureau) == {
        "录入晚", "待补正", "退回待更正", "送达后无回执", "接收方中断",
    }  # fmt: skip


def _all_causes(bureau: Bureau) -> set[str]:
    months = (expected(bureau.decided, month, bureau.now) for month in MONTHS)
    return {cause for month in months for cause in month.late.values()}


async def _compare_month(bureau: Bureau, month: int) -> None:
    """Compare the ledger as it is now, and as it was frozen by itself on the 3rd."""
    name = f"{YEAR}-{month:02d}"
    ledger = await bureau.here.ledger(name)
    wanted = expected(bureau.decided, month, bureau.now)
    [together] = [f for f in ledger.figures if f.kind is None]
    assert _counted(together) == _told(wanted), name
    assert _late(ledger) == wanted.late, name
    entries = {(e.authority, str(e.kind)): (e.produced, e.late) for e in ledger.entries}
    assert entries == entered_late(bureau.decided, month), name

    [frozen] = (await _frozen(bureau, name))[-1:]
    following = datetime(YEAR + month // 12, month % 12 + 1, 3, 9, tzinfo=SHANGHAI)
    assert frozen.recorded_at == following
    assert _frozen_counts(frozen) == _told(expected(bureau.decided, month, following)), name


def _counted(figures: Figures) -> dict[str, Any]:
    return {
        "N": figures.in_scope,
        "S": figures.handed_over,
        "A": figures.accepted,
        "clocks": {c.clock: (c.timely, c.late, c.missed, c.open) for c in figures.clocks},
    }


def _told(wanted: Expected) -> dict[str, Any]:
    results = ("及时", "迟报", "漏报", "未到期")
    clocks = {c: tuple(counts[one] for one in results) for c, counts in wanted.results.items()}
    return {"N": wanted.in_scope, "S": wanted.handed_over, "A": wanted.accepted, "clocks": clocks}


def _frozen_counts(frozen: Frozen) -> dict[str, Any]:
    [figures] = [f for f in frozen.figures["figures"] if f["kind"] is None]
    clocks = {
        c["clock"]: (c["timely"], c["late"], c["missed"], c["open"] + c["unknown"])
        for c in figures["clocks"]
    }
    return {
        "N": figures["in_scope"],
        "S": figures["handed_over"],
        "A": figures["accepted"],
        "clocks": clocks,
    }


def _late(ledger: Ledger) -> dict[str, str]:
    found = {}
    for row in ledger.rows:
        standing = row.standings["platform"]
        if standing.cause is not None:
            found[row.document_number] = standing.cause.value
    return found


async def _frozen(bureau: Bureau, month: str) -> list[Frozen]:
    async with bureau.here.gateway.database.transaction() as connection:
        return await ledgers.versions(connection, month)


async def _compare_outage(bureau: Bureau) -> None:
    """The breaker has opened an outage, and its end was noticed by a probe."""
    async with bureau.here.gateway.database.transaction() as connection:
        [outage] = await outages.listed(connection, "platform")
    assert DOWN_SINCE <= outage.since < DOWN_UNTIL
    assert outage.until is not None
    assert outage.until >= DOWN_UNTIL


async def _compare_platform(bureau: Bureau) -> None:
    """What the platform lost is found, and all that was late; nothing else."""
    here = bureau.here
    platform = here.connectors["platform"]
    lost = next(d for d in bureau.decided if d.day.month == 11 and d.accepted_at is not None)
    for key, item in list(platform.stored.items()):
        if item.document_number == lost.document_number:
            del platform.stored[key]
    done = await _reconciled(bureau)
    wanted = {d.document_number: "late" for d in bureau.decided if _is_late(d)}
    wanted[lost.document_number] = ",".join(
        ["not_visible", *filter(None, [wanted.get(lost.document_number)])]
    )
    assert found(done) == wanted
    again = await _reconciled(bureau)
    assert again.changes is not None
    assert (again.changes.opened, again.changes.mended) == (0, 0)


async def _reconciled(bureau: Bureau) -> Any:
    here = bureau.here
    return await reconcile_platform(
        here.gateway.database,
        here.gateway.reconcile_scope,
        here.gateway.settings.destinations[0],
        here.connectors["platform"],
        await begin(here.gateway.database, "platform", SPAN, here.clock()),
    )


SPAN = ReconciledDays(
    datetime(YEAR, 1, 1, tzinfo=SHANGHAI).date(), datetime(YEAR + 1, 1, 1, tzinfo=SHANGHAI).date()
)


def _is_late(one: Decided) -> bool:
    if one.entered_at is None:
        return False
    clocks = ("calendar-7", "working-7")
    return any(one.accepted_at is None or one.accepted_at >= due(c, one.day) for c in clocks)


async def _compare_register(bureau: Bureau, folder: Path) -> None:
    """The register has all penalties: the concealed one is missing, late entries are late."""
    with (folder / "登记.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["CF_WSH", "CF_XDR_SHXYM", "CF_JDRQ", "CF_CFJG"])
        for one in bureau.decided:
            if one.kind == "penalty":
                code = credit_code(one.number)
                writer.writerow([one.document_number, code, one.day, one.authority])
    os.utime(folder / "登记.csv", (bureau.now.timestamp(),) * 2)
    gateway = bureau.here.gateway
    [register] = gateway.settings.reconcile.registers
    run = await begin(gateway.database, register.name, SPAN, bureau.here.clock())
    done, unread = await compare_register(gateway, register, run)
    wanted = {}
    for one in bureau.decided:
        if one.trouble is Trouble.CONCEALED:
            wanted[one.document_number] = "missing"
        elif one.entered_at is not None and one.entered_at >= due("entry-10", one.day):
            wanted[one.document_number] = "late"
    assert found(done) == wanted
    assert unread.count == 0


async def _compare_quality(bureau: Bureau, month: int) -> None:
    """Compare how good the data of a month is, and what the comparisons above found in it."""
    ledger = await bureau.here.ledger(f"{YEAR}-{month:02d}")
    entered = [d for d in bureau.decided if d.day.month == month and d.entered_at is not None]
    wrong = {Trouble.REJECTED, Trouble.HELD}
    rejected = [d for d in entered if d.rejected_at is not None]
    days = sorted(_begun_days(d) for d in rejected)
    [quality] = ledger.quality
    assert quality.first_pass == sum(d.trouble not in wrong for d in entered)
    assert (quality.rejected, quality.mended) == (len(rejected), len(rejected))
    assert quality.longest_days == (days[-1] if days else None)
    assert quality.middle_days == (days[(len(days) - 1) // 2] if days else None)
    held = sum(d.trouble is Trouble.HELD for d in entered)
    assert ledger.items.asked - ledger.items.filled == held
    assert ledger.items.asked >= 10 * len(entered)

    sides = {side.side: side for side in ledger.sides}
    concealed = [d for d in bureau.decided if d.trouble is Trouble.CONCEALED]
    hidden = sum(d.day.month == month for d in concealed)
    assert sides["cases"].faults.get("missing", 0) == hidden
    gone = sides["platform"].faults.get("not_visible", 0)
    assert sides["platform"].shown == len(entered) - gone
    shown = sum(kind.shown or 0 for unit in ledger.units for kind in unit.kinds)
    assert shown == sides["platform"].shown


def _begun_days(one: Decided) -> int:
    assert one.rejected_at is not None
    assert one.accepted_at is not None
    return -((one.rejected_at - one.accepted_at) // DAY)


async def _compare_hints(bureau: Bureau) -> None:
    """The number that was left out is a hint, with the authority; nobody else is named."""
    hints = await look(bureau.here.gateway.database, datetime(YEAR, 12, 31, 9, tzinfo=SHANGHAI))
    [concealed] = [d for d in bureau.decided if d.trouble is Trouble.CONCEALED]
    holes = [hint for hint in hints if hint.kind == "hole"]
    assert [(h.authority, str(concealed.number) in h.words) for h in holes] == [
        (concealed.authority, True)
    ]


async def _compare_card(bureau: Bureau) -> None:
    """The card of December shows twelve months, and a month of zero without a rate."""
    built = bureau.here.gateway
    card, page = await card_of_month(
        built.database, built.ledger_scope, f"{YEAR}-12", bureau.here.clock()
    )
    causes = Counter(expected(bureau.decided, 12, bureau.now).late.values())
    assert dict(card.causes) == dict(causes)
    assert len(card.trend) == 12
    assert "—" in page


def _beyond_the_calendar(bureau: Bureau) -> int:
    """Return how many due times the calendar of the year could not tell for certain."""
    return sum(
        due("working-7", one.day).date() > datetime(YEAR, 12, 24, tzinfo=SHANGHAI).date()
        for one in bureau.decided
        if one.entered_at is not None and one.entered_at < bureau.now
    )
