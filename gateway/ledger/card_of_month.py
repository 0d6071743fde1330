"""The score card of a month from the store, as a page."""

import asyncio
from datetime import datetime

from gateway.ledger.month import month as account_of_month
from gateway.ledger.rows import LedgerScope
from gateway.ledger.score_card import TREND_MONTHS, ScoreCard, months_before, score_card
from gateway.ledger.score_card_page import page
from gateway.store.account import ledgers
from gateway.store.base.engine import Database


async def card_of_month(
    database: Database, scope: LedgerScope, month: str, now: datetime
) -> tuple[ScoreCard, str]:
    """Return the card of a month as it is now, and its page; earlier months as they were frozen.

    Raises:
        BadMonth: the month is not written YYYY-MM, or has not begun.
    """
    account = await account_of_month(database, scope, month, now)
    async with database.transaction() as connection:
        earlier = await ledgers.newest(connection, months_before(month, TREND_MONTHS))
        versions = await ledgers.versions(connection, month)
    card = await asyncio.to_thread(
        score_card,
        month,
        account.figures,
        account.rows,
        scope.clocks,
        {name: one.figures for name, one in earlier.items()},
    )
    frozen = next((one for one in versions[:1] if one.hash == account.hash), None)
    return card, page(card, now, frozen)
