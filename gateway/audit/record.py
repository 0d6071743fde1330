"""Link audit events 审计事件 that are new, and sign the head of their chain once a day."""

from datetime import datetime

from gateway.audit.chain import GENESIS, AuditedEvent, linked
from gateway.config.keys import Keys
from gateway.store.account import signing_keys
from gateway.store.audit import chain
from gateway.store.audit.chain import Checkpoint
from gateway.store.base.engine import Connection, Database
from gateway.telemetry.log import LogEvent, logger
from schemas.base import today

#: Events that are linked in one transaction.
SLICE = 1000


async def link_events(database: Database) -> int:
    """Link a slice of the events that are not linked yet; return how many.

    Raises:
        DatabaseAway: the next call does it.
    """
    return await database.run(_link)


async def _link(connection: Connection) -> int:
    rows = await chain.unlinked(connection, SLICE)
    if rows:
        seq, before = await chain.head(connection) or (0, GENESIS)
        links = linked(seq, before, [AuditedEvent(*row) for row in rows])
        added = [(one.seq, one.event_id, one.at, one.digest, one.hash) for one in links]
        await chain.add_links(connection, added)
    return len(rows)


async def sign_head(database: Database, keys: Keys, now: datetime) -> None:
    """Sign the head of the chain once a day, and say in the log what was signed.

    The log is kept elsewhere: the end of the chain cannot be cut off unseen.

    Raises:
        DatabaseAway: the next call does it.
    """
    day = today(now)

    async def work(connection: Connection) -> Checkpoint | None:
        found = None if await chain.is_signed(connection, day) else await chain.head(connection)
        if found is None:
            return None
        made = Checkpoint(day, found[0], await signature(connection, keys, *found, now))
        await chain.add_checkpoint(connection, made)
        return made

    made = await database.run(work)
    if made is not None:
        extra = {"day": str(day), "seq": made.seq, "signature": made.signature}
        logger.info(LogEvent.AUDIT_SIGNED, extra=extra)


async def signature(
    connection: Connection, keys: Keys, seq: int, head: bytes, now: datetime
) -> str:
    """Return the signature of a link: its number, its hash and the time."""
    signer = await signing_keys.signer(connection, keys, now)
    return signer.sign({"audit_seq": seq, "audit_hash": head.hex(), "signed_at": now})
