"""Code that connectors share: guarded HTTP, translation of errors, sending in parts."""

from collections.abc import Callable
from datetime import datetime

__all__ = ["Clock"]

#: Returns the current time with time zone; injected so that tests and the demo can set it.
Clock = Callable[[], datetime]
