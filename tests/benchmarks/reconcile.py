"""A million decisions compared with a million rows of a platform, in its own process."""

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import orjson
from sqlalchemy import text

from connectors.memory import MemoryConnector, MemorySettings
from gateway.check.checker import Checker
from gateway.check.raw import Raw
from gateway.config.keys import Keys, Master
from gateway.reconcile.difference import DifferenceKind
from gateway.reconcile.run import ReconciledDays, ReconcileScope, begin, reconcile_platform
from gateway.record.content import content
from gateway.store.base.engine import Database
from gateway.store.base.partitions import make_partitions
from gateway.store.base.upgrade import upgrade
from schemas.codes import RecordKind
from schemas.delivery import Listed, ListingMark
from schemas.destination import Destination
from schemas.identifiers import credit_code, document_number_key
from tests.benchmarks.data import DAY, body, penalty
from tests.benchmarks.world import World, fresh_database, take_statistics

DECISIONS, SUBJECTS, SLICE = 1_000_000, 100_000, 100_000
NOW = datetime(2026, 10, 31, tzinfo=UTC)
SENT, DUE = datetime(2026, 10, 13, tzinfo=UTC), datetime(2026, 10, 19, 15, 59, 59, tzinfo=UTC)
KEYS = Keys(Master(b"of the benchmark, thirty-two bytes"))
#: One row in this many is not shown, shown with another fine, or shown although it is not ours.
HIDDEN, WRONG, FOREIGN = 10_000, 20_000, 50_000

_SUBJECTS = text(
    """
    insert into subject (id, code, person)
    select place, code, false from unnest(cast(:codes as text[])) with ordinality t(code, place)
    """
)
_AUTHORITY = text("insert into authority (id, name) values (1, :name)")
_DECISIONS = text(
    """
    insert into decision (id, kind, number_key, authority_id, subject_id, document_number,
        decision_date, verdict, verb, version, version_id, content_hash, recorded_at)
    select n, 'penalty', replace(:key, '#', n::text), 1, n % :subjects + 1,
        replace(:number, '#', n::text), :day, 'ok', 'new', 1, n, '', :now
    from generate_series(cast(:first as int), :last) n
    """
)
_VERSIONS = text(
    """
    insert into record_version
        (id, decision_id, version, verb, body, key_version, verdict, recorded_at)
    select n, n, 1, 'new', replace(:body, '#', n::text)::json, 1, 'ok', :now
    from generate_series(cast(:first as int), :last) n
    """
)
_DELIVERIES = text(
    """
    insert into delivery (id, item_kind, item_id, destination, subject_id, chain_id, verb, state,
        due_at, clock, dues, submitted_at, accepted_at, created_at)
    select n, 'record_version', n, 'p', n % :subjects + 1, n, 'new', :state, :due, 'calendar-7',
        :dues, case when :state = 'accepted' then cast(:sent as timestamptz) end,
        case when :state = 'accepted' then cast(:sent as timestamptz) end, :sent
    from generate_series(cast(:first as int), :last) n
    """
)


class Shows(MemoryConnector):
    """The in-memory connector with a listing of a million rows, generated while it is read."""

    async def listing(self, since: datetime) -> AsyncIterator[Listed | ListingMark]:  # noqa: ARG002  protocol
        """Yield nearly all of our decisions."""
        for number in range(1, DECISIONS + 1):
            if number % HIDDEN:
                yield _listed(number, fine="3.0" if number % WRONG == 1 else "2.0")
            if number % FOREIGN == 0:
                yield _listed(DECISIONS + number, fine="2.0")


def _listed(number: int, fine: str) -> Listed:
    columns = {**_COLUMNS, "CF_WSH": _NUMBER.replace("#", str(number)), "CF_NR_FK": fine}
    return Listed.model_construct(
        record_kind="penalty",
        document_number=columns["CF_WSH"],
        subject_code=_CODES[number % SUBJECTS],
        columns=columns,
        shown_at=NOW,
    )


async def reconcile(place: World) -> dict[str, Any]:
    """Measure one run over a million, from the store to the stored differences; and peak memory."""
    url = await fresh_database(place, "bench_reconcile")
    await fill(url)
    ran = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "tests.benchmarks.reconcile", url],
        check=True,
        stdout=subprocess.PIPE,
    )
    found: dict[str, Any] = orjson.loads(ran.stdout)
    return found


async def fill(url: str, state: str = "accepted") -> None:
    """Write decisions, their versions as intake writes them, and one delivery each."""
    checked = Checker(KEYS).check(Raw("bench", 0, body(0), RecordKind.PENALTY), NOW.date())
    written = content(checked).body.replace(str(penalty(0)["CF_WSH"]), _NUMBER)
    database = Database(url)
    await upgrade(database)
    async with database.transaction() as connection:
        await make_partitions(connection, NOW.date())
        await connection.execute(_SUBJECTS, {"codes": _CODES})
        await connection.execute(_AUTHORITY, {"name": checked.key.authority if checked.key else ""})
    for first in range(1, DECISIONS, SLICE):
        values = {"first": first, "last": first + SLICE - 1, "now": NOW}
        named = {"key": document_number_key(_NUMBER), "number": _NUMBER}
        whose = {"subjects": SUBJECTS, "day": date.fromisoformat(DAY)}
        due = {"due": DUE, "dues": _DUES, "sent": SENT, "subjects": SUBJECTS, "state": state}
        async with database.transaction() as connection:
            await connection.execute(_DECISIONS, {**values, **named, **whose})
            await connection.execute(_VERSIONS, {**values, "body": written})
            await connection.execute(_DELIVERIES, {**values, **due})
    await take_statistics(database)
    await database.close()


async def million(url: str) -> dict[str, Any]:
    """Run the reconciliation and check its differences; the work of `reconcile`."""
    database = Database(url)
    span = ReconciledDays(date(2026, 10, 1), date(2026, 11, 1))
    connector = Shows(MemorySettings(), lambda: NOW)
    start = time.perf_counter()
    run = await begin(database, "p", span, NOW)
    done = await reconcile_platform(database, ReconcileScope(KEYS), DESTINATION, connector, run)
    seconds = time.perf_counter() - start
    await database.close()
    kinds = [flag["kind"] for one in done.differences for flag in one.flags]
    expected = {
        DifferenceKind.NOT_VISIBLE.value: DECISIONS // HIDDEN,
        DifferenceKind.WRONG_VALUE.value: DECISIONS // WRONG,
        DifferenceKind.OVER_REPORTED.value: DECISIONS // FOREIGN,
    }
    if done.run.ours != DECISIONS or {kind: kinds.count(kind) for kind in set(kinds)} != expected:
        raise SystemExit(f"{done.run.ours} of ours, {len(kinds)} differences")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"reconcile_million_s": round(seconds, 1), "reconcile_rss_mb": round(peak)}


_NUMBER = "样环罚字〔2026〕#号"
_CODES = [credit_code(f"91159900MA{number:07d}") for number in range(SUBJECTS)]
_COLUMNS = penalty(0)
DESTINATION = Destination(
    name="p", title="p", connector="memory", takes=frozenset({RecordKind.PENALTY})
)
_DUES = orjson.dumps({"calendar-7": "2026-10-19T23:59:59+08:00"}).decode()


if __name__ == "__main__":
    print(orjson.dumps(asyncio.run(million(sys.argv[1]))).decode())
