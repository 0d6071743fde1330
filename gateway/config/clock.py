"""The time source: legal and retry time come from here only, so that they can be moved."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

#: Gives the present moment, aware.
Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The machine's own time."""
    return datetime.now(UTC)  # noqa: TID251  the one place


class SteppedClock:
    """A clock that stands still until it is moved: the demo's and the tests'."""

    def __init__(self, start: datetime) -> None:
        self.moment = start

    def __call__(self) -> datetime:
        """The moment it stands at."""
        return self.moment

    def step(self, by: timedelta) -> None:
        """Move forward."""
        self.moment += by

    def set(self, moment: datetime) -> None:
        """Move to a moment."""
        self.moment = moment
