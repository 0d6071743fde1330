"""One publisher numbers committed grade changes and releases their deliveries."""

from gateway.store.base.engine import Database
from gateway.store.deliver import chains
from gateway.store.score import grade_changes

#: Grade changes numbered in one transaction, and transactions of one call.
SLICE, SLICES = 1000, 20


async def publish(database: Database) -> int:
    """Number committed grade changes and release their deliveries; return how many.

    What is left, after a rescoring of everybody, is for the next call.
    """
    total = 0
    for _ in range(SLICES):
        async with database.transaction() as connection:
            numbered = await grade_changes.number_grade_changes(connection, SLICE)
            if numbered:
                subjects = [subject for _, subject in numbered]
                await chains.release_grade_changes(connection, subjects)
        total += len(numbered)
        if len(numbered) < SLICE:
            break
    return total
