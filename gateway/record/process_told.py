"""What process events say of decisions 整改、修复、预警 (pure), to tell what cannot be."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.check.checked import Checked
from gateway.check.early import early
from gateway.record.content import process_dates
from schemas.codes import PROCESS_TYPES, Verb
from schemas.known import DecisionKey, KnownDecision, ProcessDates
from schemas.problem import Problem


class ProcessesTold:
    """The dates that process events tell of decisions, those of a batch in its order."""

    def __init__(self, known: Mapping[DecisionKey, Sequence[ProcessDates]]) -> None:
        self._told = {key: [one.dates for one in dates] for key, dates in known.items()}

    def early(
        self,
        checked: Checked,
        key: DecisionKey,
        target: DecisionKey | None,
        decisions: Mapping[DecisionKey, KnownDecision],
    ) -> tuple[Problem, ...]:
        """Return the repairs and warnings that are before their decision, whichever comes first."""
        event = checked.event
        if checked.verb is Verb.WITHDRAW:
            return ()
        if event is None or target is None or event.type not in PROCESS_TYPES:
            if (told := self._told.get(key)) is None:
                return ()
            return tuple(one for dates in told for one in early(dates, checked.decided_on))
        dates: dict[str, Any] = process_dates(event)
        self._told.setdefault(target, []).append(dates)
        decision = decisions.get(target)
        return early(dates, None if decision is None else decision.decision_date)
