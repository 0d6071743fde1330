"""One publisher numbers committed grade changes and releases their deliveries."""

from gateway.store.base.engine import Database
from gateway.store.deliver import chains
from gateway.store.score import grade_changes


async def publish(database: Database) -> int:
    """Number the committed grade changes and release their deliveries; return how many."""
    async with database.transaction() as connection:
        numbered = await grade_changes.number_grade_changes(connection)
        if numbered:
            subjects = [subject for _, subject in numbered]
            await chains.release_grade_changes(connection, subjects)
    return len(numbered)
