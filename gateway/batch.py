"""One batch in one transaction: record → score → decide → deliveries. `pipeline` opens it."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import starmap
from typing import NamedTuple

from gateway.check.checked import Checked
from gateway.config.clock import Clock
from gateway.config.keys import Keys
from gateway.decide.decider import Decider
from gateway.decide.doubled import changed_parts, changed_reason, doubled_reason
from gateway.decide.guard import BatchChange, held_back, reason
from gateway.record.quarantine import quarantine
from gateway.record.recorded import Recorded, graded_elsewhere
from gateway.record.recorder import Recording, lock
from gateway.record.repeats import Inbox
from gateway.record.result import Result
from gateway.score.assess import Assessing
from gateway.score.scorer import Scorer
from gateway.store.base.engine import Connection
from gateway.store.deliver import deliveries, doubled, mass_changes
from gateway.store.deliver.doubled import ASKED_PARTS, AskedKey
from gateway.store.deliver.mass_changes import Changing
from gateway.store.score.assessments import not_before_last
from gateway.telemetry.metrics import Metrics
from schemas.base import start_of, today
from schemas.codes import RecordKind
from schemas.delivery import DeliveryState
from schemas.kinds import KINDS
from schemas.obligation import Obligation, PastDelivery
from scoring.consequences.publicity import PublicityPolicy


class Steps(NamedTuple):
    """What the steps of a batch need."""

    scorer: Scorer
    decider: Decider
    keys: Keys
    regimes: Sequence[PublicityPolicy]
    clock: Clock
    metrics: Metrics


class Batch:
    """One batch in one transaction: the steps in their order."""

    def __init__(
        self,
        steps: Steps,
        connection: Connection,
        checked: Sequence[Checked],
    ) -> None:
        self.steps = steps
        self.connection = connection
        self.checked = checked
        self.now = steps.clock()

    async def run(self) -> list[Result]:
        """Run every step; return the results in the order of the batch.

        The time is taken again under the locks of the subjects: another batch may have had them,
        on a host whose clock is ahead.
        """
        inbox = Inbox(self.connection, self.checked, self.now, self.steps.metrics)
        fresh = await inbox.unseen()
        accepted = [(i, self.checked[i]) for i in fresh if self.checked[i].key is not None]
        refused = {i: self.checked[i] for i in fresh if self.checked[i].key is None}
        locked = await lock(self.connection, accepted)
        ids = [subject.id for subject in locked.subjects.values()]
        self.now = await not_before_last(self.connection, ids, self.steps.clock())
        recording = Recording(self.connection, self.steps.keys, self.steps.regimes, self.now)
        recorded = await recording.record(accepted, locked.subjects)
        if recorded.touched:  # what a branch does counts for its legal person
            recorded.touched |= locked.parents
        changes = await self._score(recorded)
        await self._decide(recorded, changes)
        refused |= recorded.refused
        kept = await quarantine(self.connection, self.steps.keys, refused, self.now)
        return await inbox.close(fresh, recorded, kept)

    async def _score(self, recorded: Recorded) -> list[tuple[int, str]]:
        """Assess the subjects whose facts changed; return (grade change id, subject code)."""
        graded = graded_elsewhere(recorded)
        subject_ids = sorted(recorded.touched | graded)
        if not subject_ids:
            return []
        subjects = {subject.id: subject for subject in recorded.subjects.values()}
        assessing = Assessing(self.steps.scorer, self.connection, self.now, self.steps.metrics)
        await assessing.last(subject_ids)
        await assessing.standing([subjects[id_] for id_ in subject_ids])
        scored = sorted(recorded.touched | assessing.ungraded)
        await assessing.score([subjects[id_] for id_ in scored])
        assessing.receive()
        changes = await assessing.write()
        return [(change_id, subjects[subject_id].code) for change_id, subject_id in changes]

    async def _decide(self, recorded: Recorded, changes: Sequence[tuple[int, str]]) -> None:
        decider = self.steps.decider
        new = {v.decision.id for v in recorded.latest.values() if v.decision.is_new}
        old = {v.decision_id for v in recorded.reported} - new
        past = await deliveries.past(self.connection, sorted(old)) if old else {}
        owed, superseded = decider.versions(recorded.reported, past, self.now)
        if past:
            urgent = {version.id for version in recorded.reported if version.excluded}
            owed = await self._guarded(BatchChange(owed, past, urgent))
        subjects = {s.code: s.id for s in recorded.subjects.values()}
        told = ((change_id, subjects[code], code) for change_id, code in changes)
        owed += decider.grade_changes(told, self.now)
        if superseded:
            await deliveries.supersede(self.connection, superseded)
        await deliveries.add(self.connection, owed, self.now)
        if recorded.reported:
            versions = [version.id for version in recorded.reported]
            await tell_apart(self.connection, decider, versions)
        if freed := _freed(past, superseded, owed):
            await deliveries.promote(self.connection, freed)

    async def _guarded(self, change: BatchChange) -> list[Obligation]:
        """Park the changes of destinations of which too much would change in a day."""
        guard, day = self.steps.decider.guard, today(self.now)
        changes = guard.changes(change, start_of(day))
        if not changes:
            return list(change.owed)
        asked = [
            (name, count, guard.share(name) or 0.0, guard.least(name))
            for name, count in sorted(changes.items())
        ]
        counted = await mass_changes.count(self.connection, starmap(Changing, asked), day)
        reasons = {
            one.destination: reason(one.changes, one.told) for one in counted if guard.exceeds(*one)
        }
        return held_back(change, reasons) if reasons else list(change.owed)


async def tell_apart(
    connection: Connection,
    decider: Decider,
    versions: Sequence[int],
    only: Sequence[int] | None = None,
) -> None:
    """Park what a destination would take for another decision, or for one that it has not.

    The deliveries of these versions are written, and their subjects are locked; `only` these
    deliveries are looked at.
    """
    keys = [
        AskedKey(
            name,
            kind,
            KINDS[RecordKind(kind)].column("subject_name"),
            *(part in key for part in ASKED_PARTS),
        )
        for (name, kind), key in decider.other_keys.items()
    ]
    if not keys:
        return
    of = decider.other_keys
    parked = {
        one.delivery_id: doubled_reason(of[one.destination, one.kind], one.number, one.subject_name)
        for one in await doubled.doubled(connection, keys, versions, only)
    }
    for new in await doubled.rewritten(connection, keys, versions, only):
        if parts := changed_parts(of[new.destination, new.kind], new.kind, new.told, new.now):
            parked[new.delivery_id] = changed_reason(parts)
    if parked:
        await doubled.park(connection, list(parked.items()))


def _freed(
    past: Mapping[int, Sequence[PastDelivery]],
    superseded: Iterable[int],
    owed: Iterable[Obligation],
) -> list[tuple[int, str]]:
    """Return the chains of what is superseded now, where a delivery waits."""
    gone = set(superseded)
    routes = [(one.chain_id, route) for one in owed for route in one.routes]
    freed = {(chain, r.destination) for chain, r in routes if r.state is DeliveryState.SUPERSEDED}
    freed |= {(chain, p.destination) for chain, ps in past.items() for p in ps if p.id in gone}
    if not freed:
        return []
    waiting = {chain for chain, route in routes if route.state is DeliveryState.WAITING}
    waiting |= {
        chain
        for chain, deliveries_ in past.items()
        if any(p.state is DeliveryState.WAITING for p in deliveries_)
    }
    return sorted(one for one in freed if one[0] in waiting)
