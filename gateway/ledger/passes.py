"""Whether a decision passed at its first try, and when it was mended 一次通过、更正入库 (pure)."""

from collections.abc import Sequence, Set
from datetime import datetime
from typing import Any

from gateway.due.deadline import utc
from schemas.verdict import Verdict


def was_held(report: Any, required: frozenset[str], *, demands: bool) -> bool:
    """Whether a version lacked a column that the destination requires, and so was never sent.

    Where the destination itself names what it requires (`demands`), an empty column may be one.
    """
    if report.first_tried_at is not None:
        return False
    faulty = report.faulty if report.verdict == Verdict.INCOMPLETE else ()
    return not required.isdisjoint(faulty or ()) or (
        demands and not required.issubset(report.given or ())
    )


def is_first_pass(reports: Sequence[Any], held: Set[int]) -> bool:
    """Whether the first version that was handed over was accepted, and none was held before it.

    What becomes of a later correction is no matter of the first pass. A destination that does not
    require what a record lacks is sent it: that was held nowhere.
    """
    for one in reports:
        if one.delivery_id in held or one.rejected_at is not None:
            return False
        if one.handed_over_at is not None:
            return one.accepted_at is not None
    return False


def mended_at(reports: Sequence[Any]) -> datetime | None:
    """Return when the first version was accepted from the rejected one on, in their order."""
    first = next((at for at, one in enumerate(reports) if one.rejected_at is not None), None)
    found = () if first is None else reports[first:]
    return min((utc(one.accepted_at) for one in found if one.accepted_at is not None), default=None)
