"""The plan of the record step, without a store: any division into batches gives the same."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from datetime import date
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.config.keys import Keys, Master
from gateway.config.settings import ScoringSettings
from gateway.record.plan import Incoming, Known, Plan, plan
from gateway.record.publicities import NewLetter
from gateway.record.unchanged import Hashes
from gateway.rules.policybook import Policybook
from schemas.identifiers import document_number_key
from schemas.known import (
    DecisionKey,
    KnownDecision,
    KnownFacts,
    Letter,
    ProcessDates,
    StoredContent,
    Subject,
)
from tests.factories import AUTHORITY, credit_code, event, penalty, publicity_repair, raw

KEYS = Keys(Master(b"a master key for tests only"))
CHECKER = Checker(KEYS)
HASHES = Hashes(KEYS.content, KEYS.former_content)
REGIMES = Policybook(ScoringSettings()).regimes
DAY = date(2026, 11, 1)
SUBJECT = Subject(1, credit_code(1), criminal_suspect=False)
AUTHORITIES: dict[str, int] = {}


def authority(name: str) -> int:
    return AUTHORITIES.setdefault(name, len(AUTHORITIES) + 1)


class Book:
    """An in-memory store: it gives a plan what is known, and stores what the plan says."""

    def __init__(self) -> None:
        self.decisions: dict[DecisionKey, KnownDecision] = {}
        self.facts: dict[int, dict[str, Any]] = {}
        self.dates: dict[DecisionKey, list[ProcessDates]] = {}
        self.letters: list[NewLetter] = []
        self.versions: list[tuple[DecisionKey, int, str]] = []
        self.reported: list[tuple[DecisionKey, str]] = []
        self.touched = False
        self._ids = count(1)

    def take(self, batch: Sequence[Checked]) -> Plan:
        items = [incoming(position, checked) for position, checked in enumerate(batch)]
        present = {decision.version_id for decision in self.decisions.values()}
        targets = {one.version_id: key for key, ones in self.dates.items() for one in ones}
        dates = {k: [d for d in ds if d.version_id in present] for k, ds in self.dates.items()}
        for key, decision in self.decisions.items():  # as the store reads it
            told = [verb for k, _, verb in self.versions if k == key and verb != "withdraw"]
            decision.repaired = told[-1:] == ["repair"]
        letters: dict[DecisionKey, list[Letter]] = {}
        for one in self.letters:
            if one.version_id in present:
                letters.setdefault(one.target, []).append(one.letter)
        facts = KnownFacts(dict(self.facts), deepcopy(dates), targets, letters=letters)
        contents = {
            decision.id: StoredContent(decision.version_id, frozenset(), frozenset())
            for decision in self.decisions.values()
        }
        known = Known({SUBJECT.code: SUBJECT}, deepcopy(self.decisions), facts, contents=contents)
        made = plan(items, known, lambda: next(self._ids), HASHES, REGIMES)
        self._write(made)
        return made

    def _write(self, made: Plan) -> None:
        for version in made.versions:
            self.versions.append((version.key, version.version, version.verb.value))
        for key, latest in made.recorded.latest.items():
            self.decisions[key] = latest.decision
            latest.decision.is_new = False
        keys = {decision.id: key for key, decision in self.decisions.items()}
        for added in made.added:
            key = keys[added.decision_id]
            self.versions.append((key, added.version, added.verb.value))
            decision = self.decisions[key]
            if decision.version < added.version:
                decision.version, decision.version_id = added.version, added.id
                decision.verb = added.verb
        self.letters += made.letters
        self.reported += [(keys[one.decision_id], one.verb.value) for one in made.recorded.reported]
        for _, decision_id in made.closed:
            self.facts.pop(decision_id, None)
        for fact in made.facts:
            assert fact.decision_id not in self.facts, "a decision has one fact at a time"
            self.facts[fact.decision_id] = fact.body
        for version_id, happened, target, decision_id in made.process_events:
            dates = {
                "rectified_on": happened.rectified_on,
                "repair_confirmed_on": happened.repair_confirmed_on,
            }
            told = {name: day for name, day in dates.items() if day is not None}
            one = ProcessDates(version_id, told, happened.occurred_on, decision_id)
            self.dates.setdefault(target, []).append(one)
        self.touched |= bool(made.recorded.touched)

    def standing(self) -> object:
        """Return what is stored at the end, by business key instead of id."""
        numbers = {decision.id: key for key, decision in self.decisions.items()}
        facts = sorted((numbers[id_], str(body)) for id_, body in self.facts.items())
        known = {key: (d.version, d.verb, d.content_hash) for key, d in self.decisions.items()}
        return known, facts, sorted(self.versions), self.reported, self.touched


def incoming(position: int, checked: Checked) -> Incoming:
    assert checked.key is not None
    key = checked.key
    own = (SUBJECT.id, key.number, authority(key.authority), key.kind)
    target = None
    if checked.event is not None and checked.event.decision is not None:
        about = checked.event.decision
        number = document_number_key(about.document_number)
        target = (SUBJECT.id, number, authority(AUTHORITY), about.kind)
    return Incoming(position, checked, own, target)


def checked(rows: Iterable[dict[str, Any]]) -> list[Checked]:
    return [CHECKER.check(raw(row), DAY) for row in rows]


def about(number: int) -> dict[str, Any]:
    document = penalty(number)["CF_WSH"]
    return {"kind": "penalty", "document_number": document, "authority": AUTHORITY}


GRAVE = "罚款、责令停产停业"
PENALTIES = st.builds(
    lambda number, text, withdrawn: penalty(
        number, **text, **({"verb": "withdraw"} if withdrawn else {})
    ),
    st.integers(1, 3),
    st.sampled_from([{"CF_NR": "甲"}, {"CF_NR": "乙"}, {"CF_NR_FK": "200", "CF_CFLB": GRAVE}]),
    st.booleans(),
)
RECTIFICATIONS = st.builds(
    lambda id_, number, day, withdrawn: event(
        id=f"r{id_}",
        type="rectification",
        rectified_on=f"2026-10-{day:02}",
        decision=about(number),
        verb="withdraw" if withdrawn else None,
    ),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(10, 28),
    st.booleans(),
)
ENDS = st.builds(
    lambda id_, number, day, severity, withdrawn: publicity_repair(
        number,
        id=f"p{id_}",
        decision=about(number),
        occurred_on=day,
        severity=severity,
        verb="withdraw" if withdrawn else None,
    ),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from(["2026-10-11", "2026-10-12"]),
    st.sampled_from(["轻微", "一般"]),
    st.booleans(),
)
REPAIRS = st.builds(
    lambda id_, number, day: event(
        id=f"x{id_}",
        type="repair",
        repair_confirmed_on=f"2026-10-{day:02}",
        decision=about(number),
    ),
    st.integers(1, 9),
    st.integers(1, 3),
    st.integers(10, 28),
)
STREAMS = st.lists(st.one_of(PENALTIES, RECTIFICATIONS, REPAIRS, ENDS), min_size=1, max_size=8)


@given(STREAMS, st.data())
def test_any_division_into_batches_gives_the_same_versions_and_facts(
    rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    stream = checked(rows)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)))))
    one_by_one, in_batches = Book(), Book()

    for item in stream:
        one_by_one.take([item])
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        in_batches.take(stream[start:end])

    assert in_batches.standing() == one_by_one.standing()


@given(STREAMS)
def test_a_repeated_last_row_adds_nothing(
    rows: list[dict[str, Any]],
) -> None:
    stream = checked(rows)
    book = Book()
    book.take(stream)
    before = book.standing()

    made = book.take([stream[-1]])

    assert made.recorded.repeats | set(made.recorded.refused) == {0}
    assert not made.versions
    assert book.standing() == before


@given(STREAMS)
def test_versions_of_a_decision_are_numbered_without_gaps(rows: list[dict[str, Any]]) -> None:
    book = Book()

    book.take(checked(rows))

    for key in book.decisions:
        numbers = sorted(version for one, version, _ in book.versions if one == key)
        assert numbers == list(range(1, len(numbers) + 1))
