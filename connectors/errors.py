"""Errors of a whole call. A connector raises these and nothing else; verdicts on items are values.

ConnectorError
├─ NotSent            nothing left us: safe to send again
├─ OutcomeUnknown     something left us and no answer came: find out first
└─ CallRejected       the destination refused the call as a whole (key, table, department)
"""

from datetime import timedelta


class ConnectorError(Exception):
    """The call to the destination failed as a whole."""

    def __init__(self, detail: str = "", retry_after: timedelta | None = None) -> None:
        super().__init__(detail or (self.__doc__ or "").splitlines()[0])
        self.retry_after = retry_after


class NotSent(ConnectorError):
    """Nothing left us."""


class OutcomeUnknown(ConnectorError):
    """Something left us and no answer came."""


class CallRejected(ConnectorError):
    """The destination refused the call as a whole."""
