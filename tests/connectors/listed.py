"""The rows of a listing, without the mark of how complete it is."""

from datetime import datetime

from connectors.protocol import Connector
from schemas.delivery import Listed


async def listed(connector: Connector, since: datetime) -> list[Listed]:
    return [row async for row in connector.listing(since) if isinstance(row, Listed)]
