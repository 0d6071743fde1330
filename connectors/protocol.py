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
    """What one destination can do and bear; `call_timeout` bounds one call from first to last byte."""

    batch_size: int = 1
    concurrency: int = 4
    on_unknown: OnUnknown
    call_timeout: timedelta = timedelta(seconds=30)
    has_receipts: bool = False
    has_listing: bool = False


class Connector(Protocol):
    """One destination. `send` and `look_up` return one outcome per item, in the same order."""

    limits: Limits

    async def send(self, items: Sequence[Item]) -> list[Outcome]: ...
    async def look_up(self, items: Sequence[Item]) -> list[Outcome]: ...
    async def receipts(self, cursor: str) -> tuple[list[Receipt], str]: ...
    def listing(self, since: datetime) -> AsyncIterator[Listed]: ...
    async def health(self) -> Health: ...
    async def close(self) -> None: ...
