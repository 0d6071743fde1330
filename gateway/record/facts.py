"""Facts 评分事实 of a batch (pure): which are closed and which are made.

A process event (rectification, repair, warning) replaces the fact of its decision. If the decision
is not recorded yet, its dates are applied when it comes. The dates are those of the latest version
of the event, for the decision that this version names: a correction or withdrawal takes the others
back.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import date
from typing import Any, NamedTuple

import orjson

from gateway.record.content import fact_body, makes_facts, process_dates
from gateway.record.recorded import NewVersion
from schemas.codes import PROCESS_TYPES
from schemas.event import CreditEvent
from schemas.identifiers import authority_key
from schemas.known import (
    PROCESS_DATES,
    Authority,
    DecisionKey,
    KnownDecision,
    KnownFacts,
    ProcessDates,
)

_PROCESS_DATES = frozenset(PROCESS_DATES)


class ProcessEvent(NamedTuple):
    """A new process event and the decision that it is about."""

    version_id: int
    event: CreditEvent
    target: DecisionKey
    decision_id: int  #: of the event itself


class NewFact(NamedTuple):
    """A fact to write: `body` in the fields of the `score` input, without its id."""

    id: int
    key: DecisionKey
    decision_id: int
    body: dict[str, Any]
    decided_on: date


class FactChanges(NamedTuple):
    """Facts to close, as (subject id, decision id), and facts to make, still without ids."""

    closed: list[tuple[int, int]]
    made: list[tuple[DecisionKey, int, dict[str, Any], date]]
    touched: set[int]  #: subjects to score


def process_events(
    items: Iterable[tuple[int, CreditEvent | None, DecisionKey | None, int]],
) -> list[ProcessEvent]:
    """Return the process events among (version id, event, target decision, its own decision id)."""
    return [
        ProcessEvent(version_id, event, target, decision_id)
        for version_id, event, target, decision_id in items
        if event is not None and target is not None and event.type in PROCESS_TYPES
    ]


def without_overtaken(
    known: KnownFacts, overtaken: Set[int], decisions: Mapping[DecisionKey, KnownDecision]
) -> KnownFacts:
    """Return what is known without the versions of process events that the batch overtakes.

    `targets` are then the decisions whose facts had dates of them; their bodies have what is their
    own again.
    """
    targets = {id_: key for id_, key in known.targets.items() if id_ in overtaken}
    dates = {
        key: [one for one in given if one.version_id not in overtaken]
        for key, given in known.dates.items()
    }
    bodies = dict(known.bodies)
    for key in set(targets.values()) & decisions.keys():
        id_ = decisions[key].id
        if (body := bodies.get(id_)) is not None:
            bare = {name: value for name, value in body.items() if name not in PROCESS_DATES}
            bodies[id_] = bare | known.own.get(id_, {})
    return known._replace(bodies=bodies, dates=dates, targets=targets)


def plan_facts(
    versions: Sequence[NewVersion],
    latest: Mapping[DecisionKey, NewVersion],
    processes: Sequence[ProcessEvent],
    decisions: Mapping[DecisionKey, KnownDecision],
    known: KnownFacts,
) -> FactChanges:
    """Close the facts of changed decisions, and make new ones with their process dates.

    `known` is what `without_overtaken` leaves.
    """
    fresh = {key: v for key, v in latest.items() if not _is_the_same_entry(v, known)}
    changed = {key: v for key, v in fresh.items() if makes_facts(v.checked)}
    targets = dict.fromkeys((*(one.target for one in processes), *known.targets.values()))
    # What the batch itself says of a decision decides, also that it makes no fact any more.
    processed = [key for key in targets if key in decisions and key not in latest]
    closed = [(key[0], v.decision.id) for key, v in changed.items() if not v.decision.is_new]
    closed += [(key[0], decisions[key].id) for key in processed]
    # An event that is of another type now may have made a fact when it was of the former one.
    closed += [
        (key[0], v.decision.id)
        for key, v in fresh.items()
        if key not in changed and not v.decision.is_new
    ]
    bodies = {key: _fact(v, known.authorities) for key, v in changed.items()}
    bodies |= {key: known.bodies.get(decisions[key].id) for key in processed}
    dates = _process_dates(processes, decisions, known)
    made = []
    for key, body in bodies.items():
        if body is not None:
            decided = body["decided_on"]
            day = decided if isinstance(decided, date) else date.fromisoformat(decided)
            made.append((key, decisions[key].id, _with_dates(body, dates.get(key, {})), day))
    was = {subject for subject, decision_id in closed if decision_id in known.bodies}
    touched = {key[0] for key, *_ in made} | was | _overtaken_subjects(versions, latest)
    return FactChanges(closed, made, touched)


def _with_dates(body: Mapping[str, Any], dates: Mapping[str, Any]) -> dict[str, Any]:
    """Return a fact with its process dates, always in one order: equal facts are written alike."""
    if not dates and _PROCESS_DATES.isdisjoint(body):
        return dict(body)
    told = {**body, **dates}
    own = {name: value for name, value in body.items() if name not in PROCESS_DATES}
    return own | {name: told[name] for name in PROCESS_DATES if name in told}


def _fact(version: NewVersion, authorities: Mapping[str, Authority]) -> dict[str, Any] | None:
    """Return the fact of a version, with its authority by the name of which it is an alias.

    So what is one authority here is one for scoring.
    """
    body = fact_body(version.checked, version.verb)
    if body is None or (department := body.get("department")) is None:
        return body
    key = authority_key(department)
    known = authorities.get(key)
    return body if known is None or known.name == key else {**body, "department": known.name}


def _is_the_same_entry(version: NewVersion, known: KnownFacts) -> bool:
    """Whether a version leaves an entry of the register as it is, such as one with another name.

    Its fact stays: of the entries of one day the latest decides, and a new fact would be that.
    """
    body = known.bodies.get(version.decision.id)
    if body is None or "entry" not in body:
        return False
    now = fact_body(version.checked, version.verb)
    stored = {name: value for name, value in body.items() if name != "id"}
    return now is not None and orjson.loads(orjson.dumps(now, default=str)) == stored


def _process_dates(
    processes: Sequence[ProcessEvent],
    decisions: Mapping[DecisionKey, KnownDecision],
    known: KnownFacts,
) -> dict[DecisionKey, dict[str, Any]]:
    """Return the process dates of each decision; those of the latest event win, by its own day.

    A confirmation is of the version that it found: a later one needs its own.
    """
    given = [(key, one) for key, ones in known.dates.items() for one in ones]
    given += [
        (
            one.target,
            ProcessDates(
                one.version_id,
                process_dates(one.event),
                one.event.occurred_on,
                one.decision_id,
            ),
        )
        for one in processes
    ]
    dates: dict[DecisionKey, dict[str, Any]] = {}
    for key, one in sorted(given, key=lambda pair: pair[1].order):
        decision = decisions.get(key)
        is_older = decision is not None and decision.version_id > one.version_id
        kept = {
            name: day for name, day in one.dates.items() if name != "confirmed_on" or not is_older
        }
        dates.setdefault(key, {}).update(kept)
    return dates


def _overtaken_subjects(
    versions: Iterable[NewVersion], latest: Mapping[DecisionKey, NewVersion]
) -> set[int]:
    """Return subjects of facts that the same batch made and replaced: they are scored too."""
    return {
        v.key[0]
        for v in versions
        if latest[v.key] is not v
        and makes_facts(v.checked)
        and fact_body(v.checked, v.verb) is not None
    }
