"""A `send` that makes several calls, within one time limit and without losing answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from connectors.errors import CallRejected, ConnectorError, NotSent, OutcomeUnknown
from schemas.delivery import Item, Listed, Outcome, OutcomeKind
from schemas.identifiers import masked

#: A reason given by a destination is cut to this many characters.
MAX_REASON = 300

UNKNOWN = Outcome(kind=OutcomeKind.UNKNOWN)

SendPart = Callable[[Sequence[Item]], Awaitable[list[Outcome]]]


class Throttled(NotSent):
    """The destination took nothing and asks us to try again later."""


@asynccontextmanager
async def within(limit: timedelta) -> AsyncIterator[None]:
    """Limit the time of a call; raises OutcomeUnknown after it, as something may have been sent."""
    try:
        async with asyncio.timeout(limit.total_seconds()):
            yield
    except TimeoutError as exc:
        raise OutcomeUnknown(f"{limit.total_seconds():g} 秒内没有应答") from exc


def outcome_of(error: ConnectorError) -> Outcome:
    """Return the outcome that an error of a call means for each of its items."""
    unknown = isinstance(error, OutcomeUnknown)
    return Outcome(
        kind=OutcomeKind.UNKNOWN if unknown else OutcomeKind.DEFERRED,
        retry_after=error.retry_after,
        reasons=(reason(str(error)),),
    )


async def send_parts(
    parts: Sequence[Sequence[Item]], send: SendPart, limit: timedelta
) -> list[Outcome]:
    """Send parts one after another within one time limit; stop at the first failure.

    A failure of the first part is raised, except Throttled, which becomes outcomes. A failure of a
    later part becomes outcomes: unknown or deferred for its items, and deferred for the items of
    parts that were not sent. A part that is refused does not keep the others from being sent; if
    all are refused, the first refusal is raised.
    """
    outcomes: list[Outcome] = []
    failed: ConnectorError | None = None
    refused: list[CallRejected] = []
    deadline = asyncio.get_running_loop().time() + limit.total_seconds()
    for part in parts:
        if failed is not None:
            later = outcome_of(NotSent("an earlier call failed", failed.retry_after))
            outcomes += [later] * len(part)
            continue
        try:
            outcomes += await _by(deadline, send, part)
        except CallRejected as exc:
            refused.append(exc)
            outcomes += [outcome_of(exc)] * len(part)
        except ConnectorError as exc:
            if not outcomes and not isinstance(exc, Throttled):
                raise
            failed = exc
            outcomes += [outcome_of(exc)] * len(part)
    if refused and len(refused) == len(parts):
        raise refused[0]
    return outcomes


async def _by(deadline: float, send: SendPart, part: Sequence[Item]) -> list[Outcome]:
    try:
        async with asyncio.timeout_at(deadline):
            return await send(part)
    except TimeoutError as exc:
        raise OutcomeUnknown("在调用时限内没有应答") from exc


async def nothing_listed() -> AsyncIterator[Listed]:
    """Yield nothing; for destinations without a published list."""
    rows: tuple[Listed, ...] = ()
    for row in rows:
        yield row


def reason(text: str) -> str:
    """Return a destination's text fit to be stored: shortened, and identity numbers masked."""
    return masked(text)[:MAX_REASON]
