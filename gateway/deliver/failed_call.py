"""What a failed call 报送调用失败 says of its items (pure)."""

from connectors.errors import ConnectorError
from schemas.delivery import Outcome, OutcomeKind


def looked_up(outcome: Outcome) -> Outcome:
    """Mark a rejected item as absent: a look-up, unlike a resend, proves that it is not there."""
    if outcome.kind is OutcomeKind.REJECTED:
        return outcome.model_copy(update={"absent": True})
    return outcome


def deferred(error: ConnectorError) -> Outcome:
    """Return what becomes of an item that was not handed over."""
    asked = error.retry_after
    return Outcome(
        kind=OutcomeKind.DEFERRED, reasons=(str(error),), retry_after=asked, answered=False
    )


def unknown(error: Exception) -> Outcome:
    """Return what becomes of an item that may have been handed over."""
    asked = error.retry_after if isinstance(error, ConnectorError) else None
    return Outcome(
        kind=OutcomeKind.UNKNOWN, reasons=(_words(error),), retry_after=asked, answered=False
    )


def _words(error: Exception) -> str:
    """Return what people are told of an error; the log has the rest."""
    if isinstance(error, ConnectorError):
        return str(error)
    if isinstance(error, TimeoutError):
        return "对方没有在时限内应答"
    return f"报送程序出错（{type(error).__name__}），详见日志 call_failed"
