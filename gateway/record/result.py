"""The result of each item, returned to intake."""

from typing import NamedTuple

from gateway.check.checked import Checked
from schemas.problem import Problem
from schemas.verdict import Exclusion, Verdict


class Result(NamedTuple):
    """The result of one item; `repeat`: it changed nothing."""

    checked: Checked
    repeat: bool = False
    record_version_id: int | None = None
    quarantine_id: int | None = None

    @property
    def position(self) -> int:
        """Its position at its origin."""
        return self.checked.raw.position

    @property
    def verdict(self) -> Verdict:
        """The verdict of check."""
        return self.checked.verdict

    @property
    def key(self) -> str | None:
        """The business key with a pseudonym for a natural person; None if refused."""
        return self.checked.shown_key

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems that check found."""
        return self.checked.problems

    @property
    def excluded(self) -> Exclusion | None:
        """Why it is not reported 不予报送; None if it is."""
        return self.checked.excluded
