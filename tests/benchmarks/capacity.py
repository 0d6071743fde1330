"""What a city, a province and the country need: a decision is measured, then a year is simulated.

`deploy/SHARDS.md` has the table of the last run. A decision goes to two platforms over HTTP, which
answer by receipts; one in twenty is corrected; its grade change goes to a bank.
"""

import time
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from sqlalchemy import text

from gateway.check.raw import Raw
from gateway.config.clock import SteppedClock
from gateway.config.settings import make_settings
from gateway.deliver.deliverer import Deliverer
from gateway.deliver.receipts import receive
from gateway.service.app import Gateway, build
from gateway.service.roles import build_deliverers, build_schedule
from gateway.store.base.engine import Database
from gateway.store.base.upgrade import upgrade
from schemas.codes import RecordKind
from tests.benchmarks.data import penalty
from tests.benchmarks.deliver import CONCURRENCY, NOW, until_up
from tests.benchmarks.load import PLATFORM_PER_S, SCOPES, YEARS, Measured, Scope, shards, year
from tests.benchmarks.world import World, child, count, fresh_database, take_statistics

DECISIONS, BATCH, CALL = 100_000, 1_000, 100
#: The rate of intake is that of the last ones, since it falls while the tables grow.
LAST = 20_000
CORRECTED = 20  #: one in so many
PORT = 18_494
PLATFORMS, BANK = ("city", "province"), "bank"

_SIZES = text(
    """
    select coalesce(p.relname, c.relname) as name, sum(pg_total_relation_size(c.oid))::bigint
    from pg_class c left join pg_inherits i on i.inhrelid = c.oid
      left join pg_class p on p.oid = i.inhparent
    where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace group by 1
    """
)
_WAL = text("select pg_current_wal_lsn() - '0/0'::pg_lsn")


async def capacity(place: World) -> dict[str, Any]:
    """Measure the life of a decision, print what each scope needs, and return the figures."""
    command = ["-m", "gateway", "sandbox", "--port", str(PORT)]
    command += [part for name in PLATFORMS for part in ("--platform", name)]
    async with child(command, {}):
        for name in PLATFORMS:
            await until_up(f"{_url(name)}")
            await _order_receipts(name)
        found = await _life(place)
    sent_per_s = found.deliver_per_s / len(PLATFORMS)
    measured = Measured(found.intake_per_s[-1], sent_per_s, found.rows, found.bytes)
    for line in table(measured):
        print(line)
    return {
        "capacity_intake_per_s": found.intake_per_s,
        "capacity_deliver_per_s": found.deliver_per_s,
        "capacity_receipts_per_s": found.receipts_per_s,
        "capacity_rows_per_decision": found.rows,
        "capacity_bytes_per_decision": found.bytes,
        "capacity_wal_per_decision": found.wal,
        "capacity_body_bytes": len(_body(DECISIONS)),
        "capacity_bytes_by_table": found.by_table,
    }


def table(measured: Measured) -> list[str]:
    """Return the lines of the table, in Markdown."""
    return [
        "| scope | decisions a year | busiest day | recorded within | handed over within |"
        f" if a platform takes {PLATFORM_PER_S:.0f} rows/s | a year at once | rows in ten years |"
        " GB in ten years | databases by rate, by size |",
        "| --- |" + " ---: |" * 9,
        *(_line(scope, measured) for scope in SCOPES),
    ]


def _line(scope: Scope, measured: Measured) -> str:
    lived, needed = year(scope.decisions, measured), shards(scope.decisions, measured)
    kept = scope.decisions * YEARS
    cells = (
        scope.title,
        f"{scope.decisions:,}",
        f"{lived.busiest_day:,}",
        _lasting(lived.intake_wait),
        _lasting(lived.deliver_wait),
        _lasting(lived.platform_wait),
        _lasting(scope.decisions / measured.intake_per_s / 3600),
        f"{kept * measured.rows / 1e6:,.1f} M",
        f"{kept * measured.bytes / 1e9:,.1f}",
        f"{needed['rate']}, {needed['size']}",
    )
    return "| " + " | ".join(cells) + " |"


def _lasting(hours: float) -> str:
    if hours * 60 < 1:
        return f"{hours * 3600:.0f} s"
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:,.0f} d"


@dataclass(frozen=True, slots=True)
class _Found:
    intake_per_s: list[float]  #: of the first and of the last ones
    deliver_per_s: float
    receipts_per_s: float
    rows: float
    bytes: float
    wal: float
    by_table: dict[str, int]


async def _life(place: World) -> _Found:
    """Take, score, deliver and answer; return rates, and what stands in the database after it."""
    database = Database(await fresh_database(place, "bench_capacity"))
    await upgrade(database)
    clock = SteppedClock(NOW)
    built = await build(_settings(place), database, clock)
    deliverers = {one.name: one for one in build_deliverers(built)}
    before, wal = await _sizes(database), await _number(database, _WAL)
    parts = (range(LAST), range(LAST, DECISIONS - LAST), range(DECISIONS - LAST, DECISIONS))
    intake = [len(part) / await _take(built, part, part.start) for part in parts]
    schedule = build_schedule(built)
    sent, answered = 0.0, 0.0
    for corrections in (False, True):
        if corrections:
            await _take(built, range(0, DECISIONS, CORRECTED), DECISIONS, corrected=True)
        await schedule.tick()
        await deliverers[BANK].drain()
        sent += await _timed(deliverers, "drain")
        answered += await _timed(deliverers, "receive")
    handed_over = len(PLATFORMS) * (DECISIONS + DECISIONS // CORRECTED)
    await _assert_all_accepted(database, handed_over)
    wal = await _number(database, _WAL) - wal
    await take_statistics(database)
    after = await _sizes(database)
    by_table = {name: (size - before[name]) // DECISIONS for name, size in after.items()}
    rows = sum([await count(database, f"select count(*) from {name}") for name in after])
    for one in deliverers.values():
        await one.close()
    await database.close()
    return _Found(
        intake_per_s=[round(intake[0], 1), round(intake[-1], 1)],
        deliver_per_s=round(handed_over / sent, 1),
        receipts_per_s=round(handed_over / answered, 1),
        rows=round(rows / DECISIONS, 2),
        bytes=round(sum(after[name] - before[name] for name in after) / DECISIONS),
        wal=round(wal / DECISIONS),
        by_table={name: size for name, size in sorted(by_table.items()) if size},
    )


async def _take(built: Gateway, numbers: range, position: int, *, corrected: bool = False) -> float:
    """Process decisions in batches, as from a stream; return the seconds."""
    began = time.perf_counter()
    for start in range(0, len(numbers), BATCH):
        raws = [
            Raw("capacity", position + at, _body(number, corrected=corrected), RecordKind.PENALTY)
            for at, number in enumerate(numbers[start : start + BATCH], start)
        ]
        await built.pipeline.process(raws)
    return time.perf_counter() - began


def _body(number: int, *, corrected: bool = False) -> bytes:
    return orjson.dumps(penalty(number) | ({"CF_NR_FK": 3.0} if corrected else {}))


async def _timed(deliverers: dict[str, Deliverer], what: str) -> float:
    """Return the seconds in which the platforms are served, one after the other."""
    start = time.perf_counter()
    for name in PLATFORMS:
        if what == "drain":
            await deliverers[name].drain()
            continue
        while await receive(deliverers[name]):
            pass
    return time.perf_counter() - start


async def _assert_all_accepted(database: Database, handed_over: int) -> None:
    query = "select count(*) from delivery where destination <> 'bank' and state = 'accepted'"
    if (accepted := await count(database, query)) != handed_over:
        raise AssertionError((accepted, handed_over))


async def _sizes(database: Database) -> dict[str, int]:
    async with database.engine.connect() as connection:
        return dict((await connection.execute(_SIZES)).tuples().all())


async def _number(database: Database, query: Any) -> int:
    async with database.engine.connect() as connection:
        return int(await connection.scalar(query) or 0)


async def _order_receipts(name: str) -> None:
    async with httpx.AsyncClient() as client:
        (
            await client.post(f"{_url(name)}/control/faults", json={"mode": "submit"})
        ).raise_for_status()


def _url(name: str) -> str:
    return f"http://127.0.0.1:{PORT}/{name}"


def _settings(place: World) -> Any:
    platforms = [
        {
            "name": name,
            "title": name,
            "connector": "platform-json",
            "takes": ["penalty"],
            "clocks": ["calendar-7", "working-7"],
            "settings": {
                "url": _url(name),
                "allow_private": True,
                "batch_size": CALL,
                "concurrency": CONCURRENCY,
            },
        }
        for name in PLATFORMS
    ]
    bank = {"name": BANK, "title": BANK, "connector": "memory", "takes": ["grade_change"]}
    return make_settings(
        {
            "state": str(place.state / "capacity"),
            "scoring": {"bindings": [{"rule_set": "nm-2023-draft", "regions": ["159900"]}]},
            "destinations": [*platforms, bank],
        },
        "bench",
    )
