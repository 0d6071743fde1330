"""Work that may have become slow is done less often: it takes a tenth of the time, if it can."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

#: Seconds from which on work counts as slow, its share of the time, and the longest pause: it may
#: have been slow because of a lock, or of a connection.
SLOW, SHARE, LONGEST = 0.05, 0.1, 5.0


class Seldom:
    """When a piece of work is to be done again, by how long it took."""

    def __init__(self) -> None:
        self._again = -inf  #: of the monotonic clock

    @property
    def is_time(self) -> bool:
        """Whether it may be done now."""
        return time.monotonic() >= self._again

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Do it; if it was slow, the next time is put off."""
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        pause = min(took / SHARE, LONGEST) if took >= SLOW else 0.0
        self._again = time.monotonic() + pause

    def at_once(self) -> None:
        """Do it again at once: there is more of it."""
        self._again = -inf
