"""Whether a decision passed at its first try, and when it was mended 一次通过、更正入库 (pure)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway.due.deadline import utc
from schemas.verdict import Verdict


def was_held(report: Any) -> bool:
    """Whether a version lacked what the destination requires: it was never sent."""
    return bool(report.verdict == Verdict.INCOMPLETE) and report.first_tried_at is None


def is_first_pass(reports: Sequence[Any]) -> bool:
    """Whether the first version that was handed over was accepted, and none was held before it.

    What becomes of a later correction is no matter of the first pass. A destination that does not
    require what a record lacks is sent it: that was held nowhere.
    """
    for one in reports:
        if was_held(one) or one.rejected_at is not None:
            return False
        if one.handed_over_at is not None:
            return one.accepted_at is not None
    return False


def mended_at(reports: Sequence[Any]) -> datetime | None:
    """Return when the first version was accepted from the rejected one on, in their order."""
    first = next((at for at, one in enumerate(reports) if one.rejected_at is not None), None)
    found = () if first is None else reports[first:]
    return min((utc(one.accepted_at) for one in found if one.accepted_at is not None), default=None)
