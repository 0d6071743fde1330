"""Facts 评分事实 of a batch (pure): which are closed and which are made.

A process event (rectification, repair, warning) replaces the fact of its decision. If the decision
is not recorded yet, its dates are applied when it comes.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from gateway.record.content import fact_body, makes_facts, process_dates
from gateway.record.recorded import NewVersion
from schemas.codes import PROCESS_TYPES
from schemas.event import CreditEvent
from schemas.known import DecisionKey, KnownDecision, KnownFacts


class ProcessEvent(NamedTuple):
    """A new process event and the decision that it is about."""

    version_id: int
    event: CreditEvent
    target: DecisionKey


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
    items: Iterable[tuple[int, CreditEvent | None, DecisionKey | None]],
) -> list[ProcessEvent]:
    """Return the process events among (version id, event, target decision)."""
    return [
        ProcessEvent(version_id, event, target)
        for version_id, event, target in items
        if event is not None and target is not None and event.type in PROCESS_TYPES
    ]


def plan_facts(
    versions: Sequence[NewVersion],
    latest: Mapping[DecisionKey, NewVersion],
    processes: Sequence[ProcessEvent],
    decisions: Mapping[DecisionKey, KnownDecision],
    known: KnownFacts,
) -> FactChanges:
    """Close the facts of changed decisions, and make new ones with their process dates."""
    changed = {key: v for key, v in latest.items() if makes_facts(v.checked)}
    targets = dict.fromkeys(one.target for one in processes)
    processed = [key for key in targets if key in decisions and key not in changed]
    closed = [(key[0], v.decision.id) for key, v in changed.items() if not v.decision.is_new]
    closed += [(key[0], decisions[key].id) for key in processed]
    # An event that is of another type now may have made a fact when it was of the former one.
    closed += [
        (key[0], v.decision.id)
        for key, v in latest.items()
        if key not in changed and not v.decision.is_new
    ]
    bodies = {key: fact_body(v.checked, v.verb) for key, v in changed.items()}
    bodies |= {key: known.bodies.get(decisions[key].id) for key in processed}
    dates = _process_dates(processes, latest, known)
    made = []
    for key, body in bodies.items():
        if body is not None:
            decided = body["decided_on"]
            day = decided if isinstance(decided, date) else date.fromisoformat(decided)
            made.append((key, decisions[key].id, {**body, **dates.get(key, {})}, day))
    was = {subject for subject, decision_id in closed if decision_id in known.bodies}
    touched = {key[0] for key, *_ in made} | was | _overtaken_subjects(versions, latest)
    return FactChanges(closed, made, touched)


def _process_dates(
    processes: Sequence[ProcessEvent],
    latest: Mapping[DecisionKey, NewVersion],
    known: KnownFacts,
) -> dict[DecisionKey, dict[str, Any]]:
    """Return the process dates of each decision, known ones and those of the batch; later win.

    A confirmation is of the version that it found: a later one needs its own. The present fact
    has it already.
    """
    dates = {
        key: {name: day for name, day in given.items() if name != "confirmed_on"}
        for key, given in known.dates.items()
    }
    for one in processes:
        given = process_dates(one.event)
        version = latest.get(one.target)
        if version is not None and version.id > one.version_id:
            given.pop("confirmed_on", None)
        dates.setdefault(one.target, {}).update(given)
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
