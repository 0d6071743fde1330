"""The time of the next attempt (pure): more often as slack shrinks; no delivery is given up."""

from dataclasses import dataclass
from datetime import datetime, timedelta

#: Wait at most a sixth of the slack, so that at least six tries fit before the due time.
SLACK_SHARE = 6


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """The earliest time of the next attempt; `breached`: the due time has passed."""

    at: datetime
    breached: bool


def next_attempt(  # noqa: PLR0913  each argument is a part of the rule
    *,
    now: datetime,
    due_at: datetime,
    attempts: int,
    floor: timedelta,
    cap: timedelta,
    retry_after: timedelta | None = None,
    jitter: float = 0.5,
) -> RetryDecision:
    """Wait max(floor, min(backoff with jitter, slack ÷ 6)); after the due time, floor to cap.

    `jitter` is a number from 0 to 1 that the caller draws. `retry_after` of the destination
    lengthens the wait to at most max(floor, slack ÷ 6), so that a wrong one cannot make a delivery
    late; the breaker of the destination honours it for all.
    """
    slack = due_at - now
    backoff = min(cap, floor * 2 ** min(attempts, 20)) * (0.5 + jitter / 2)
    if slack <= timedelta(0):
        wait = max(floor, min(cap, retry_after or backoff))
        return RetryDecision(now + wait, breached=True)
    wait = max(floor, min(backoff, slack / SLACK_SHARE))
    if retry_after is not None:
        wait = max(wait, min(retry_after, max(floor, slack / SLACK_SHARE)))
    return RetryDecision(now + wait, breached=False)
