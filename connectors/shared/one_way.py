"""What a destination answers that cannot be asked: one that only takes."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from connectors.shared.parts import UNKNOWN, nothing_listed
from schemas.delivery import Item, Listed, ListingMark, Outcome, Receipt


class OneWay:
    """The questions of a connector whose destination answers none of them."""

    async def look_up(self, items: Sequence[Item]) -> list[Outcome]:
        """Return unknown for every item: nobody can be asked, and items are sent again."""
        return [UNKNOWN] * len(items)

    async def receipts(self, cursor: str) -> tuple[list[Receipt], str]:
        """Return no receipts: what is said at once is all that is said."""
        return [], cursor

    def listing(self, since: datetime) -> AsyncIterator[Listed | ListingMark]:  # noqa: ARG002 - protocol
        """Yield nothing: there is no published list."""
        return nothing_listed()
