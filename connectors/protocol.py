"""The seam between the gateway and every kind of destination."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from schemas.base import Schema
from schemas.delivery import Health, Item, Listed, Outcome, Receipt


class OnUnknown(StrEnum):
    """How a connector finds out after an unknown outcome; the conformance suite tests it."""

    LOOK_UP = "look_up"  #: ask the destination for the item
    LISTING = "listing"  #: search what the destination shows
    RESEND = "resend"  #: send again: it de-duplicates by our key
    PERSON = "person"  #: only a person can find out


class Limits(Schema):
    """What one destination can do and bear; `call_timeout` bounds one call as a whole."""

    batch_size: int = 1
    concurrency: int = 4
    on_unknown: OnUnknown
    call_timeout: timedelta = timedelta(seconds=30)
    has_receipts: bool = False
    has_listing: bool = False


class Connector(Protocol):
    """One destination. `send` and `look_up` return one outcome per item, in the same order."""

    limits: Limits

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Hand items over; raises only for the whole call."""

    async def look_up(self, items: Sequence[Item]) -> list[Outcome]:
        """Find out whether items are there already; absent ones are deferred with `absent`."""

    async def receipts(self, cursor: str) -> tuple[list[Receipt], str]:
        """Give the later answers behind a cursor, and the cursor behind them."""

    def listing(self, since: datetime) -> AsyncIterator[Listed]:
        """Give what the destination shows, for reconciliation."""

    async def health(self) -> Health:
        """Tell whether the destination answers at all."""

    async def close(self) -> None:
        """Let connections go."""
