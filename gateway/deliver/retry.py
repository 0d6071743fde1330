"""When a delivery is tried again (pure): denser as slack shrinks, never given up."""

from dataclasses import dataclass
from datetime import datetime, timedelta

#: A sixth of the slack: at least six more tries before the due time.
SLACK_SHARE = 6


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """Not before `at`; `breached` once the due time has passed."""

    at: datetime
    breached: bool


def next_attempt(  # noqa: PLR0913  named, each one a part of the rule
    *,
    now: datetime,
    due_at: datetime,
    attempts: int,
    floor: timedelta,
    cap: timedelta,
    retry_after: timedelta | None = None,
    jitter: float = 0.5,
) -> RetryDecision:
    """max(floor, min(backoff with jitter, slack ÷ 6)); breached: between floor and cap.

    `jitter` is a number from 0 to 1 that the caller draws; `Retry-After` of the destination is
    kept to max(floor, slack), so that a wild one never makes a delivery late by itself.
    """
    slack = due_at - now
    backoff = min(cap, floor * 2 ** min(attempts, 20)) * (0.5 + jitter / 2)
    if slack <= timedelta(0):
        wait = max(floor, min(cap, retry_after or backoff))
        return RetryDecision(now + wait, breached=True)
    wait = max(floor, min(backoff, slack / SLACK_SHARE))
    if retry_after is not None:
        wait = max(wait, min(retry_after, max(floor, slack)))
    return RetryDecision(now + wait, breached=False)
