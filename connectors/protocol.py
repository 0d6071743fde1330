"""The protocol that every connector implements, and the limits that it declares."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextvars import ContextVar
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

from schemas.base import Schema
from schemas.delivery import Health, Item, Listed, ListingMark, Outcome, Receipt
from schemas.hand_upload import AnswerColumns, FilledFile


class OnUnknown(StrEnum):
    """How to resolve an unknown outcome; the conformance suite tests it."""

    LOOK_UP = "look_up"  #: ask the destination for the item
    LISTING = "listing"  #: search the published list of the destination
    RESEND = "resend"  #: send again: the destination de-duplicates by our key
    PERSON = "person"  #: only a person can find out


class Limits(Schema):
    """The limits and abilities of one destination; `call_timeout` bounds one whole call."""

    batch_size: int = 1
    concurrency: int = 4
    on_unknown: OnUnknown
    call_timeout: timedelta = timedelta(seconds=30)
    has_receipts: bool = False
    has_listing: bool = False


class Abilities(Schema):
    """What every connector of a kind can do; None where its settings decide."""

    on_unknown: OnUnknown | None = None
    has_receipts: bool | None = None
    has_listing: bool | None = None

    def agree_with(self, limits: Limits) -> bool:
        """Whether the limits of a connector of this kind say the same."""
        told = ((getattr(self, name), getattr(limits, name)) for name in type(self).model_fields)
        return all(of_kind in {None, own} for of_kind, own in told)


#: Set where calls are limited: a connector that makes several calls in one `send` or `look_up`
#: awaits it before each further one, and makes none if it says no.
FURTHER_CALL: ContextVar[Callable[[], Awaitable[bool]] | None] = ContextVar("further", default=None)


class Connector(Protocol):
    """One destination. `send` and `look_up` return one outcome per item, in the same order.

    Methods raise only `NotSent`, `OutcomeUnknown` and `CallRejected`, and only for a whole call.
    A connector has no database connection and takes part in no transaction.
    """

    limits: Limits

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Send the items; what happened to a single item is its outcome, not an error."""

    async def look_up(self, items: Sequence[Item]) -> list[Outcome]:
        """Ask whether the destination has the items.

        An item that it does not have is `DEFERRED` with `absent=True`. A connector that cannot ask
        returns `UNKNOWN` for every item.
        """

    async def receipts(self, cursor: str) -> tuple[list[Receipt], str]:
        """Return the receipts after a cursor, and the next cursor; the first cursor is ""."""

    def listing(self, since: datetime) -> AsyncIterator[Listed | ListingMark]:
        """Yield the rows that the destination has published since a time, for reconciliation.

        If the destination says up to when they are complete, a mark says so, before or after them.
        """

    async def health(self) -> Health:
        """Return whether the destination answers; a failure is in the result, not raised."""

    async def close(self) -> None:
        """Close all connections."""


@runtime_checkable
class CarriedByPerson(Connector, Protocol):
    """A destination that no program reaches: a person carries a file there (`upload make`).

    It is never called to send: `send` raises `NotSent`. `answers` says how the platform's list of
    results is read.
    """

    answers: AnswerColumns

    async def fill(self, items: Sequence[Item], at: datetime) -> FilledFile:
        """Return the file with the items; the same items and time give the same bytes."""
