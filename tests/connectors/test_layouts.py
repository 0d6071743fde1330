"""A platform's own layout: its names, its words, what it must not have, over each interface."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors import BadSettings, build
from connectors.excel_template import ExcelTemplate
from connectors.protocol import Connector
from connectors.sandbox import PlatformPlace, create_sandbox, serve_sandbox
from gateway.config.clock import system_clock
from schemas.delivery import Item, OutcomeKind
from tests.connectors.conftest import FILES, SteppedClock
from tests.connectors.file_servers import Server, Troubles, sftp_server
from tests.connectors.listed import listed
from tests.exchange_place import STAGING, TABLE, Platform

ItemFactory = Callable[..., Item]
LAYOUT: dict[str, Any] = {
    "columns": {"CF_NR": "PUNISH_CONTENT"},
    "left_out": ["BZ"],
    "masked": ["CF_XDR_ZJHM"],
    "words": {"CF_CFLB": {"责令停产整治": "其他-责令停产整治"}},
    "constants": {"DATASOURCE": "环保"},
}
GIVEN = {
    "CF_WSH": "样环罚字〔2026〕1号",
    "CF_XDR_SHXYM": "91159900MA00000013",
    "CF_NR": "罚款",
    "CF_CFLB": "罚款、责令停产整治",
    "CF_XDR_ZJHM": "11010519491231002X",
    "BZ": "不报",
}
SENT = {
    "CF_WSH": "样环罚字〔2026〕1号",
    "CF_XDR_SHXYM": "91159900MA00000013",
    "PUNISH_CONTENT": "罚款",
    "CF_CFLB": "罚款、其他-责令停产整治",
    "CF_XDR_ZJHM": "110105********002X",
    "DATASOURCE": "环保",
}


TABLES = {"XZCF": "penalty", "XZXK": "licence", "ZRRCF": "persons"}


@pytest.fixture
async def place() -> AsyncIterator[tuple[Any, str]]:
    sandbox = create_sandbox(system_clock, {"p": PlatformPlace(tables=TABLES)})
    async with serve_sandbox(sandbox) as url:
        yield sandbox.books["p"], f"{url}/p"


def made(kind: str, url: str, **settings: Any) -> Connector:
    return build(kind, {"url": url, "allow_private": True, **settings}, system_clock)


def soap_table(**more: Any) -> dict[str, Any]:
    fixed = {"code": "XZCF", "version_id": "1", "document_column": "CF_WSH"}
    return {"penalty": fixed | {"subject_columns": ["CF_XDR_SHXYM"]} | LAYOUT | more}


async def test_json_rows_are_in_the_layout_of_the_platform(
    place: tuple[Any, str], item: ItemFactory
) -> None:
    book, url = place
    connector = made("platform-json", url, tables={"penalty": LAYOUT})

    await connector.send([item(1, columns=GIVEN)])
    rows = await listed(connector, system_clock() - timedelta(hours=1))
    await connector.close()

    [entry] = book.entries.values()
    assert entry.columns == SENT
    assert rows[0].columns["CF_NR"] == "罚款"
    assert rows[0].columns["CF_CFLB"] == "罚款、责令停产整治"


async def test_soap_rows_are_in_the_layout_of_the_platform(
    place: tuple[Any, str], item: ItemFactory
) -> None:
    book, url = place
    connector = made("platform-soap", url, department_code="1", tables=soap_table())

    [outcome] = await connector.send([item(1, columns=GIVEN)])
    await connector.close()

    [entry] = book.entries.values()
    assert outcome.kind is OutcomeKind.ACCEPTED_BLIND
    assert entry.columns == SENT


async def test_a_refused_row_is_found_by_the_platforms_own_names(
    place: tuple[Any, str], item: ItemFactory
) -> None:
    book, url = place
    number = {"columns": {**LAYOUT["columns"], "CF_WSH": "WSH"}, "document_column": "WSH"}
    connector = made("platform-soap", url, department_code="1", tables=soap_table(**number))
    book.faults.required_columns = {"penalty": ["PUNISH_CONTENT"]}
    good, bad = GIVEN, GIVEN | {"CF_WSH": "样环罚字〔2026〕2号", "CF_NR": ""}

    outcomes = await connector.send([item(1, columns=good), item(2, columns=bad)])
    await connector.close()

    assert [one.kind for one in outcomes] == [OutcomeKind.ACCEPTED_BLIND, OutcomeKind.REJECTED]


@pytest.mark.parametrize("part", ["columns", "words"])
def test_a_misspelt_column_is_refused(part: str) -> None:
    wrong = {"columns": {"CF_NRR": "X"}, "words": {"CF_NRR": {"罚款": "X"}}}[part]

    with pytest.raises(BadSettings, match="是否应为 CF_NR"):
        made("platform-json", "https://p.example", tables={"penalty": {part: wrong}})


# ------------------------------------------------------- natural persons 自然人 in a table apart


async def test_json_rows_of_natural_persons_are_in_their_own_layout(
    place: tuple[Any, str], item: ItemFactory
) -> None:
    book, url = place
    connector = made("platform-json", url, tables={"penalty/persons": LAYOUT})

    await connector.send([item(1, columns=GIVEN, person=True)])
    [row] = await listed(connector, system_clock() - timedelta(hours=1))
    await connector.close()

    [entry] = book.entries.values()
    assert entry.columns == SENT
    assert row.columns["CF_NR"] == "罚款"


async def test_soap_has_natural_persons_in_a_table_of_their_own(
    place: tuple[Any, str], item: ItemFactory
) -> None:
    book, url = place
    both = soap_table() | {"penalty/persons": soap_table(code="ZRRCF")["penalty"]}
    connector = made("platform-soap", url, department_code="1", tables=both)
    other = GIVEN | {"CF_WSH": "样环罚字〔2026〕2号"}
    company, person = item(1, columns=GIVEN), item(2, columns=other, person=True)

    outcomes = await connector.send([company, person])
    await connector.close()

    assert {one.kind for one in outcomes} == {OutcomeKind.ACCEPTED_BLIND}
    assert {one.kind for one in book.entries.values()} == {"penalty", "persons"}


async def test_an_exchange_database_has_them_in_a_table_of_their_own(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    exchange_database.do(f"create table zrrxzcf as select * from {STAGING}")
    apart = {**TABLE, "name": "zrrxzcf", "moved_to": None}
    own = {"penalty": TABLE, "penalty/persons": apart}
    connector = exchange_database.connector(clock, tables=own)
    given = {"CF_WSH": "样环罚字〔2026〕1号", "CF_XDR_MC": "样例"}
    items = [item(1, columns=given), item(2, columns=given, person=True)]

    await connector.send(items)
    again = await connector.send(items)
    found = await connector.look_up(items)
    await connector.close()

    assert [row["cg_key"] for row in exchange_database.rows()] == ["key-1"]
    assert [row["cg_key"] for row in exchange_database.rows("zrrxzcf")] == ["key-2"]
    assert {one.kind for one in [*again, *found]} == {OutcomeKind.SUBMITTED}


async def test_files_and_templates_have_them_apart(
    tmp_path: Path, clock: SteppedClock, item: ItemFactory
) -> None:
    apart = {**FILES["tables"]["penalty"], "code": "001511"}
    own = {"tables": {**FILES["tables"], "penalty/persons": apart}}
    items = [item(1, columns=GIVEN), item(2, columns=GIVEN, person=True)]
    async with sftp_server(tmp_path, Troubles()) as given:
        files = Server(tmp_path, {**given, **FILES}, Troubles(), clock).connector(**own)
        outcomes = await files.send(items)
        await files.close()
    page = build("excel-template", {"sheets": {"penalty/persons": {}}}, clock)
    assert isinstance(page, ExcelTemplate)
    # In one file a number stands once.
    filled = await page.fill([items[0], item(3, document_number="2", person=True)], clock())

    assert [(one.reference or "")[:6] for one in outcomes] == ["001501", "001511"]
    assert filled.places == ("行政处罚!2", "行政处罚（自然人）!2")


@pytest.mark.parametrize("key", ["penalty/people", "event/persons", "grade_change/persons"])
def test_a_table_of_nobody_is_refused(key: str) -> None:
    with pytest.raises(BadSettings, match="不认识"):
        made("platform-soap", "https://p.example", department_code="1",
             tables={key: soap_table()["penalty"]})  # fmt: skip
