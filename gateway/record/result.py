"""What intake gets back for each item."""

from typing import NamedTuple

from gateway.check.checked import Checked
from schemas.problem import Problem
from schemas.verdict import Exclusion, Verdict


class Result(NamedTuple):
    """What became of one item; `repeat` if it changed nothing."""

    checked: Checked
    repeat: bool = False
    record_version_id: int | None = None
    quarantine_id: int | None = None

    @property
    def position(self) -> int:
        """Its place at its origin."""
        return self.checked.raw.position

    @property
    def verdict(self) -> Verdict:
        """What check says of it."""
        return self.checked.verdict

    @property
    def key(self) -> str | None:
        """The business key as it may be shown."""
        return self.checked.shown_key

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with it."""
        return self.checked.problems

    @property
    def excluded(self) -> Exclusion | None:
        """Why it is not reported, if it is not."""
        return self.checked.excluded
