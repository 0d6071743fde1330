"""The messages that the bureaus publish in these tests, and their required result."""

from collections import Counter, defaultdict
from typing import Any

import orjson

from gateway.check.raw import Raw
from gateway.config.settings import make_settings
from gateway.service.app import build
from schemas.codes import RecordKind
from tests.acceptance.town import BANK, CITY, NATION, START, Message, Town
from tests.conftest import NewDatabase
from tests.factories import credit_code, event, licence, penalty, person_penalty
from tests.outcome import Outcome, outcome

COMPANIES = range(1, 6)


def messages() -> list[Message]:
    """Return new decisions, then repeats and corrections, with bad input between."""
    rows: list[tuple[str, dict[str, Any] | bytes]] = []
    for company in COMPANIES:
        first, second = company * 10 + 1, company * 10 + 2
        stop = {"CF_CFLB": "责令停产停业", "CF_NR": "责令停产整治", "CF_NR_FK": None}
        rows += [
            ("penalty", penalty(first, company)),
            ("licence", licence(first, company)),
            ("penalty", penalty(first, company)),
            ("penalty", penalty(second, company, **stop)),
        ]
    rows += [
        ("penalty", b"\xff not JSON"),
        ("licence", licence(99, 1, XK_XDR_SHXYM="91159900MAO000012X")),
        ("penalty", person_penalty(98)),
    ]
    for company in COMPANIES:
        first = company * 10 + 1
        rows += [
            ("penalty", penalty(first, company, CF_NR="处罚款人民币30000元", CF_NR_FK="3")),
            ("licence", licence(first, company, XK_NR="排污许可（更正）")),
            ("event", event(company, company)),
        ]
    return [message(kind, row) for kind, row in rows]


REFUSED = 2


def message(kind: str, row: dict[str, Any] | bytes) -> Message:
    """Return a message with its subject as key, which keeps the order of its decisions."""
    if isinstance(row, bytes):
        return Message(kind, row)
    names = ("CF_XDR_SHXYM", "XK_XDR_SHXYM", "subject_code", "CF_XDR_ZJHM")
    key = next(row[name] for name in names if name in row)
    return Message(kind, orjson.dumps(row), str(key).encode())


async def outcome_without_trouble(town: Town, new_database: NewDatabase) -> Outcome:
    """Process the messages once in this process, on its own database; return the outcome."""
    if not _calm:
        async with new_database() as database:
            calm = Town("calm", database, town.bootstrap, town.folder)
            calm.url = town.url
            built = await build(make_settings(calm.settings, "calm"), database, lambda: START)
            batch = [Raw("calm", n, m.body, RecordKind(m.kind)) for n, m in enumerate(messages())]
            await built.pipeline.process(batch)
            _calm.update(await outcome(calm.rows))
    return _calm


_calm: Outcome = {}
NOT_ACCEPTED = """
    select d.document_number, t.name, l.state, l.reasons from decision d
    cross join (values ('city'), ('nation')) t (name)
    left join delivery l on l.item_id = d.version_id and l.destination = t.name
      and l.item_kind = 'record_version'
    where d.kind in ('penalty', 'licence') and l.state is distinct from 'accepted'
"""
CONTENTS = """
    select d.document_number, coalesce(v.body ->> 'CF_NR', v.body ->> 'XK_NR')
    from decision d join record_version v on v.decision_id = d.id
    where d.kind in ('penalty', 'licence') order by d.id, v.version
"""


async def assert_everything_is_there_once(town: Town) -> None:
    """Assert that no decision is lost or doubled, and all destinations have everything."""
    assert await town.rows(NOT_ACCEPTED) == []
    contents = defaultdict(list)
    for document, content in await town.rows(CONTENTS):
        contents[document].append(content)
    for place in (CITY, NATION):
        assert_platform(town.state(place), contents)
    await _assert_bank(town)
    [(refused,)] = await town.rows("select count(*) from quarantine")
    assert refused == REFUSED
    mended = await town.rows("select * from audit_event where event = 'chain_mended'")
    assert mended == []


def assert_platform(state: dict[str, Any], contents: dict[str, list[str]]) -> None:
    """Assert that each decision has some versions, each once, in order, with the last one."""
    assert state["doubled"] == []
    assert set(state["effects"].values()) == {1}
    told = defaultdict(list)
    for entry in state["entries"]:
        columns = entry["columns"]
        content = columns.get("CF_NR") or columns["XK_NR"]
        told[entry["document_number"]].append(contents[entry["document_number"]].index(content))
    assert told.keys() == contents.keys()
    for document, versions in told.items():
        assert versions == sorted(set(versions)), document
        assert versions[-1] == len(contents[document]) - 1, document


async def _assert_bank(town: Town) -> None:
    changes = await town.rows(
        "select g.number, s.code, g.to_grade from grade_change g "
        "join subject s on s.id = g.subject_id order by g.number"
    )
    assert [number for number, _, _ in changes] == list(range(1, len(changes) + 1))
    state = town.state(BANK)
    told = [
        (entry["columns"]["number"], entry["subject_code"], entry["columns"]["to_grade"])
        for entry in state["entries"]
    ]
    assert Counter(told) == Counter(changes)
    for company in COMPANIES:
        numbers = [number for number, code, _ in told if code == credit_code(company)]
        assert numbers == sorted(numbers)
        assert numbers
