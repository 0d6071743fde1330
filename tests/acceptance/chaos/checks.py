"""What must hold when all is over, seen from outside: what platforms got, what the store has."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from gateway.check.raw import Raw
from gateway.config.settings import make_settings
from gateway.score.verify import verify_assessments
from gateway.service.app import build
from gateway.store.base.engine import Database
from schemas.codes import RecordKind
from tests.acceptance.chaos.decisions import refused
from tests.acceptance.chaos.place import START, ChaosTown
from tests.acceptance.child import AWAY
from tests.acceptance.town import BANK, CITY, NATION, Message, Town
from tests.conftest import NewDatabase
from tests.factories import IDENTITY
from tests.outcome import outcome

_DECISIONS = """
    select d.id, d.document_number, d.verb, coalesce(v.body ->> 'CF_NR', v.body ->> 'XK_NR')
    from decision d join record_version v on v.decision_id = d.id and v.verb <> 'withdraw'
    where d.kind in ('penalty', 'licence') order by d.id, v.version
"""
_CHANGES = """
    select g.number, s.code, g.to_grade from grade_change g
    join subject s on s.id = g.subject_id order by g.number
"""
#: Deliveries that nobody has ended, and those that only a person may end so.
_NOT_DONE = """
    select destination, state, count(*) from delivery
    where state not in ('accepted', 'superseded', 'withdrawn', 'rejected') group by 1, 2
"""
_BY_A_PERSON = "select count(*) from delivery where state in ('parked', 'rejected')"
_SENT = """
    select d.destination, count(*) from attempt a join delivery d on d.id = a.delivery_id
    where a.act = 'send' group by 1
"""
#: A due time is the midnight after the seventh day, and says by which rule.
_DUE_OTHERWISE = """
    select v.body, l.due_at from delivery l
    join record_version v on v.id = l.item_id and l.item_kind = 'record_version'
    where v.version = 1 and l.dues::text = '{}' or l.due_at <>
      (coalesce(v.body ->> 'CF_JDRQ', v.body ->> 'XK_JDRQ')::date + 8)::timestamp
      at time zone 'Asia/Shanghai' and v.version = 1 and v.verb = 'new'
"""


async def assert_the_invariants_hold(
    town: ChaosTown, new_database: NewDatabase, messages: Sequence[Message]
) -> None:
    """Assert everything that must always hold, without a look into a process."""
    async with new_database() as database:
        await _assert_recorded(town, database, messages)
    platforms = {name: town.state(name) for name in (CITY, NATION)}
    for name, state in platforms.items():
        _assert_told_once_and_in_order(name, state, await town.rows(_DECISIONS))
    await _assert_bank(town)
    await _assert_nobody_gave_up(town)
    await _assert_evidence(town)
    await _assert_grades_can_be_computed_again(town)
    _assert_persons_stay_inside(town)
    _assert_outages_are_told_as_outages(town)


async def _assert_recorded(
    town: ChaosTown, database: Database, messages: Sequence[Message]
) -> None:
    """1, 2, 5, 11: what is recorded is what one process makes of the messages without trouble."""
    calm = Town("calm", database, town.bootstrap, town.folder, START)
    built = await build(make_settings(calm.settings, "calm"), database, lambda: START)
    batch = [Raw("calm", n, m.body, RecordKind(m.kind)) for n, m in enumerate(messages)]
    await built.pipeline.process(batch)
    found, expected = await outcome(town.rows), await outcome(calm.rows)
    for part, rows in expected.items():
        lacking, beyond = set(rows) - set(found[part]), set(found[part]) - set(rows)
        assert (lacking, beyond) == (set(), set()), part
        assert found[part] == rows, part
    assert await town.rows("select count(*) from quarantine") == [(refused(messages),)]
    assert await town.rows("select 1 from audit_event where event = 'chain_mended'") == []


def _assert_told_once_and_in_order(
    name: str, state: dict[str, Any], decisions: Sequence[tuple[Any, ...]]
) -> None:
    """3, 4, 12: each version at most once, in order, and in the end what is in force."""
    assert state["doubled"] == [], name
    assert set(state["effects"].values()) <= {1}, name
    told = defaultdict(list)
    for entry in state["entries"]:
        columns = entry["columns"]
        content = columns.get("CF_NR") or columns.get("XK_NR")
        told[entry["document_number"]].append((entry["verb"], content))
    versions, withdrawn = defaultdict(list), set()
    for _, number, verb, content in decisions:
        versions[number].append(content)
        if verb == "withdraw":
            withdrawn.add(number)
    assert told.keys() <= versions.keys()
    for number, contents in versions.items():
        entries = told[number]
        places = [contents.index(content) for verb, content in entries if verb != "withdraw"]
        assert all(one < other for one, other in pairwise(places)), (name, number, entries)
        if number in withdrawn:
            assert not entries or entries[-1][0] == "withdraw", (name, number, entries)
        else:
            assert places[-1:] == [len(contents) - 1], (name, number, entries)


async def _assert_bank(town: ChaosTown) -> None:
    """3, 4: it has each change of a grade once, and those of a company in their order."""
    changes = await town.rows(_CHANGES)
    assert [number for number, _, _ in changes] == list(range(1, len(changes) + 1))
    told = [
        (entry["columns"]["number"], entry["subject_code"], entry["columns"]["to_grade"])
        for entry in town.state(BANK)["entries"]
    ]
    assert Counter(told) == Counter(changes)
    numbers = defaultdict(list)
    for number, code, _ in told:
        numbers[code].append(number)
    assert all(one == sorted(one) for one in numbers.values())


async def _assert_nobody_gave_up(town: ChaosTown) -> None:
    """7, 8: nothing is left, nothing was ended that only a person ends, no due time is a guess."""
    assert await town.rows(_NOT_DONE) == []
    assert await town.rows(_BY_A_PERSON) == [(0,)]
    assert await town.rows(_DUE_OTHERWISE) == []


async def _assert_evidence(town: ChaosTown) -> None:
    """9: nobody got more than there are attempts that were written before."""
    attempts = dict(await town.rows(_SENT))
    for name in (CITY, NATION, BANK):
        received = sum(town.state(name)["received"].values())
        assert 0 < received <= attempts[name], name


async def _assert_grades_can_be_computed_again(town: ChaosTown) -> None:
    """6: bit for bit."""
    count, wrong = await verify_assessments(town.database, lambda _: None)
    assert count
    assert wrong == []


def _assert_persons_stay_inside(town: ChaosTown) -> None:
    """10: no identity number in the log or at the bank, and in no key."""
    assert IDENTITY not in (town.folder / "child.log").read_text(errors="replace")
    assert IDENTITY not in str(town.state(BANK))
    for name in (CITY, NATION):
        assert not any(IDENTITY in key for key in town.state(name)["effects"]), name


def _assert_outages_are_told_as_outages(town: ChaosTown) -> None:
    """An outage is no fault of ours: no work failed by it, and who ended by it said so."""
    assert set(town.ended) <= {AWAY}, town.said()
    log = (town.folder / "child.log").read_text(errors="replace").splitlines()
    assert [line for line in log if '"work_failed"' in line] == []
