"""What all connectors share: guarded HTTP, errors translated once, a send in several parts."""

from collections.abc import Callable
from datetime import datetime

__all__ = ["Clock"]

#: Gives the present time, aware; injected so that tests and the demo can move it.
Clock = Callable[[], datetime]
