"""No statement of the store reads a whole table that grows."""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

import gateway.store
from gateway.store.base.statements import Insert
from gateway.store.record.sealed import SealedTable
from tests.benchmarks.tick import FILL, OPEN_PER_MILLE
from tests.integration.world import World

pytestmark = pytest.mark.integration

#: Tables with a row for each decision, delivery, subject or message.
GROWING = frozenset({"decision", "record_version", "delivery", "subject", "fact", "assessment"}) | {
    "grade_change",
    "published_grade",
    "origin",
    "attempt",
    "receipt",
}
#: Asked by a person for a list without a filter, or for all that is open with its subjects; once
#: when a rule set is bound anew, and once a day for a corrected calendar; all changes of a month
#: with their subjects; all that is published; once a day, the versions of a year that came or went
#: out late; for a new edition of a list, all entries of its kind.
WHOLE = {
    "account.ledgers._GRADE_CHANGES",
    "account.our_side._MOVED",
    "deliver.provisional_due._MOVABLE",
    "deliver.provisional_due._UNSETTLE",
    "deliver.views._LIST",
    "deliver.worklist._GROUPS",
    "deliver.worklist._IDS",
    "deliver.worklist._PAGE",
    "deliver.worklist._SECONDS",
    "record.list_editions._ABSENT",
    "record.list_editions._ADDED",
    "score.activations._SCORED_HERE",
    "score.grade_changes._CHANGES",
    "score.published._TOLD",
}


PUBLISHED = """
    insert into published_grade
    select nextval('gateway_id'), id, 'enterprise', false, '2025-12-31', '2026-06-30', 'hash', '{}',
           'A', '{}', '{}', now() from subject limit 5000
"""
PARTIAL = "select indexrelid::regclass::text from pg_index where indpred is not null"
_PLANNED = re.compile(r"\s*(select|with|insert|update|delete)\b", re.IGNORECASE)


def statements() -> dict[str, str]:
    """Return all statements of the store that name their table, by module and name."""
    found = {}
    for module in walk_packages(gateway.store.__path__, "gateway.store."):
        if ".migrations" in module.name or ".tables" in module.name:
            continue
        place = module.name.removeprefix("gateway.store.")
        for name, value in _within(vars(import_module(module.name))):
            if isinstance(value, TextClause) and _PLANNED.match(value.text):
                found[f"{place}.{name}"] = value.text
    return found


def _within(names: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Yield the names with their values, and those of objects that keep statements of their own."""
    for name, value in names.items():
        yield name, value
        if isinstance(value, SealedTable | Insert):
            for part, one in vars(value).items():
                yield f"{name}.{part}", one


async def plan(world: World, statement: str) -> Any:
    """Return the plan for any values, with scans of whole tables only where nothing else can do."""
    names = list(dict.fromkeys(re.findall(r"(?<![:\w]):(\w+)", statement)))
    numbered = re.sub(r"(?<![:\w]):(\w+)", lambda m: f"${names.index(m[1]) + 1}", statement)
    async with world.database.transaction() as connection:
        await connection.execute(text("select 1"))  # the transaction begins with a statement
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.execute("set local enable_seqscan = off")
        await raw.execute("set local plan_cache_mode = force_generic_plan")
        await raw.execute(f"prepare asked as {numbered}")
        nothing = f"({', '.join(['null'] * len(names))})" if names else ""
        [row] = await raw.fetch(f"explain (format json) execute asked{nothing}")
        await raw.execute("deallocate asked")
        return row[0][0]["Plan"]


def whole_scans(node: Any, partial: set[str], limited: bool = False) -> Iterator[str]:
    """Yield the growing tables that a plan reads from end to end, by no part of an index."""
    limited = limited or node["Node Type"] == "Limit"
    table = str(node.get("Relation Name", "")).removesuffix("_2026_10")  # the month that is filled
    bounded = limited or node.keys() & {"Index Cond", "Recheck Cond", "TID Cond"}
    bounded = bounded or node.get("Index Name", "") in partial
    if table in GROWING and "Scan" in node["Node Type"] and not bounded:
        yield f"{node['Node Type']} of {table}"
    for child in node.get("Plans", ()):
        yield from whole_scans(child, partial, limited)


async def test_no_statement_reads_a_whole_table_that_grows(world: World) -> None:
    async with world.database.transaction() as connection:
        for fill in FILL:
            values = {"total": 200_000, "open": OPEN_PER_MILLE, "now": world.clock()}
            await connection.execute(text(fill), values)
        await connection.execute(text(PUBLISHED))
        await connection.execute(text("analyze"))

    plans = {name: await plan(world, words) for name, words in statements().items()}

    partial = set(await world.column(PARTIAL))
    scans = {name: list(whole_scans(of, partial)) for name, of in plans.items()}
    found = {name: tables for name, tables in scans.items() if tables}
    assert len(plans) > 80
    assert found.keys() <= WHOLE, found
