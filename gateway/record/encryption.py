"""Encrypt stored bytes again with the newest version of the encryption key."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import NamedTuple

from cryptography.exceptions import InvalidTag

from gateway.config.keys import Keys
from gateway.store.base.engine import Connection, Database
from gateway.store.record.sealed import (
    HAND_UPLOAD_FILES,
    QUARANTINE,
    VERSIONS,
    SealedRow,
    SealedTable,
)

#: Rows of one transaction.
SLICE = 500


async def encrypt_again(
    database: Database, keys: Keys, settled: float, advance: Callable[[int], None]
) -> int:
    """Encrypt what older versions of the key encrypt with the newest; return what cannot be.

    Other processes may use an older version for some seconds more: passes go on until one that
    began after `settled` (of the monotonic clock) finds nothing. Bytes that do not decrypt were
    damaged before; they stay as they are and are counted.
    """
    while True:
        final = time.monotonic() >= settled
        found = damaged = 0
        async for done in slices(database, keys):
            found += done.rows - done.damaged
            damaged += done.damaged
            advance(done.rows - done.damaged)
        if final and not found:
            return damaged
        await asyncio.sleep(0 if final else 1)


class EncryptedSlice(NamedTuple):
    """Rows of one transaction: all, those that do not decrypt, and the highest id."""

    rows: int
    damaged: int
    last: int


async def slices(database: Database, keys: Keys) -> AsyncIterator[EncryptedSlice]:
    """Encrypt all rows of older versions once, each slice in its own transaction."""
    for table in (VERSIONS, QUARANTINE, HAND_UPLOAD_FILES):
        for old in keys.older_versions:
            after = 0
            while True:
                done = await database.run(partial(_slice, table, keys, old, after))
                if not done.rows:
                    break
                after = done.last
                yield done


async def _slice(
    table: SealedTable, keys: Keys, old: int, after: int, connection: Connection
) -> EncryptedSlice:
    rows = await table.read(connection, old, after, SLICE)
    again = [new for row in rows if (new := _encrypted_again(row, old, keys))]
    await table.write(connection, again, old, keys.version)
    return EncryptedSlice(len(rows), len(rows) - len(again), rows[-1].id if rows else after)


def _encrypted_again(row: SealedRow, old: int, keys: Keys) -> SealedRow | None:
    def again(sealed: bytes | None) -> bytes | None:
        return None if sealed is None else keys.encrypt(keys.decrypt(sealed, old))

    try:
        return SealedRow(row.id, again(row.first), again(row.second))
    except InvalidTag:
        return None
