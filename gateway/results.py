"""What intake gets back for each item."""

from typing import NamedTuple

from gateway.check import Checked
from schemas.problem import Problem
from schemas.verdict import Verdict


class Result(NamedTuple):
    """What became of one item; `repeat` if it changed nothing."""

    position: int
    verdict: Verdict
    repeat: bool
    key: str | None
    problems: tuple[Problem, ...]
    excluded: str | None
    record_version_id: int | None
    quarantine_id: int | None


def result(
    checked: Checked,
    *,
    repeat: bool = False,
    record_version_id: int | None = None,
    quarantine_id: int | None = None,
) -> Result:
    """The result of a checked item."""
    return Result(
        position=checked.raw.position,
        verdict=checked.verdict,
        repeat=repeat,
        key=checked.shown_key,
        problems=checked.problems,
        excluded=checked.excluded,
        record_version_id=record_version_id,
        quarantine_id=quarantine_id,
    )
