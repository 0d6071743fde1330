"""Errors of a whole call. A connector raises only these; results of single items are `Outcome`s.

ConnectorError
├─ NotSent            nothing was sent: it is safe to send again
├─ OutcomeUnknown     something was sent without an answer: find out before sending again
└─ CallRejected       the destination refused the call as a whole (key, table, department)
"""

from datetime import timedelta


class ConnectorError(Exception):
    """The call to the destination failed as a whole."""

    def __init__(self, detail: str = "", retry_after: timedelta | None = None) -> None:
        super().__init__(detail or (self.__doc__ or "").splitlines()[0])
        self.retry_after = retry_after
        #: Whether it is a trouble of the destination's: not of our address, name, certificate or
        #: network, and not that we call too often.
        self.theirs = True


class NotSent(ConnectorError):
    """Nothing left us."""


class OutcomeUnknown(ConnectorError):
    """Something left us and no answer came."""


class CallRejected(ConnectorError):
    """The destination refused the call as a whole."""


def refused_for_us(words: str) -> CallRejected:
    """Return a refusal that is no trouble of the destination's: our login, rights or settings."""
    made = CallRejected(words)
    made.theirs = False
    return made
