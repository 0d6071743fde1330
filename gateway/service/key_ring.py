"""Change keys while the gateway runs: a new version of a key, another master key.

Each running process renews its keys every `RENEWAL` seconds, and at once where it meets a row of a
version that it does not know. All functions open their own transactions.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

from cryptography.exceptions import InvalidTag

from gateway.config.errors import BadConfiguration
from gateway.config.keys import ROTATED, KeyPurpose, Keys, Master, RingKey, versions
from gateway.store.audit import events
from gateway.store.base import installation
from gateway.store.base.engine import Connection, Database
from gateway.store.base.upgrade import STRUCTURE_LOCK
from gateway.store.record.sealed import QUARANTINE, VERSIONS, SealedRow, SealedTable
from gateway.telemetry.audit_events import AuditEvent

#: Seconds between two renewals of the keys of a running process.
RENEWAL = 5.0
#: Rows that one transaction encrypts again.
SLICE = 500


@dataclass(frozen=True, slots=True)
class Reason:
    """Who changes a key, and why; for the audit."""

    actor: str
    reason: str


async def renew(database: Database, keys: Keys) -> None:
    """Take the keys as they are stored now; raises OtherMaster if ours protects none any more."""
    async with database.transaction() as connection:
        keys.renew(await installation.key_ring(connection))


async def rotate(
    database: Database, keys: Keys, purpose: KeyPurpose, why: Reason, now: datetime
) -> int:
    """Make a new version of a key, which is used from now on; return its number.

    Raises:
        BadConfiguration: two master keys protect the ring, and only one of them is at hand.
        ValueError: keys of this purpose never change.
    """
    if purpose not in ROTATED:
        raise ValueError(purpose)
    async with database.transaction() as connection:
        ring = await _locked_ring(connection)
        others = {one.master for one in ring} - {keys.master.fingerprint}
        if others:
            raise BadConfiguration(
                f"keys：正在更换主密钥（还有 {'、'.join(sorted(others))}）；"
                "各主机换好之后用 keys drop-master 去掉旧的，再轮换"
            )
        made = keys.master.new_version(purpose, versions(ring)[purpose] + 1)
        await installation.add_keys(connection, [made], now)
        detail = {"purpose": purpose.value, "version": made.version}
        await _note(connection, AuditEvent.KEY_ROTATED, detail, why, now)
    keys.renew([*ring, made])
    return made.version


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
        async for done in _slices(database, keys):
            found += done.rows - done.damaged
            damaged += done.damaged
            advance(done.rows - done.damaged)
        if final and not found:
            return damaged
        await asyncio.sleep(0 if final else 1)


class Slice(NamedTuple):
    """Rows of one transaction: all, those that do not decrypt, and the highest id."""

    rows: int
    damaged: int
    last: int


async def _slices(database: Database, keys: Keys) -> AsyncIterator[Slice]:
    """Encrypt all rows of older versions once, slice by slice."""
    for table in (VERSIONS, QUARANTINE):
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
) -> Slice:
    rows = await table.read(connection, old, after, SLICE)
    again = [new for row in rows if (new := _encrypted_again(row, old, keys))]
    await table.write(connection, again, old, keys.version)
    return Slice(len(rows), len(rows) - len(again), rows[-1].id if rows else after)


def _encrypted_again(row: SealedRow, old: int, keys: Keys) -> SealedRow | None:
    def again(sealed: bytes | None) -> bytes | None:
        return None if sealed is None else keys.encrypt(keys.decrypt(sealed, old))

    try:
        return SealedRow(row.id, again(row.first), again(row.second))
    except InvalidTag:
        return None


async def add_master(
    database: Database, keys: Keys, new: Master, why: Reason, now: datetime
) -> None:
    """Let a second master key protect all keys, so that hosts can change to it one by one.

    Raises:
        BadConfiguration: it protects them already.
    """
    async with database.transaction() as connection:
        ring = await _locked_ring(connection)
        if new.fingerprint in {one.master for one in ring}:
            raise BadConfiguration(f"keys：主密钥 {new.fingerprint} 已经在用；换一个新的")
        await installation.add_keys(connection, new.sealed_anew(keys.master, ring), now)
        await _note(connection, AuditEvent.MASTER_KEY_ADDED, {"master": new.fingerprint}, why, now)


async def drop_master(
    database: Database, keys: Keys, fingerprint: str, why: Reason, now: datetime
) -> None:
    """Let a former master key protect nothing any more.

    Raises:
        BadConfiguration: it is the one in use here, or protects nothing already.
    """
    async with database.transaction() as connection:
        masters = {one.master for one in await _locked_ring(connection)}
        if fingerprint == keys.master.fingerprint:
            raise BadConfiguration(
                f"keys：这台主机正在用主密钥 {fingerprint}，去掉后数据再也解不开；"
                "先给各主机换上新的主密钥，再去掉旧的"
            )
        if fingerprint not in masters:
            known = "、".join(sorted(masters))
            raise BadConfiguration(f"keys：没有主密钥 {fingerprint}；现有 {known}")
        await installation.drop_master(connection, fingerprint)
        detail = {"master": fingerprint}
        await _note(connection, AuditEvent.MASTER_KEY_DROPPED, detail, why, now)


async def _locked_ring(connection: Connection) -> list[RingKey]:
    """Return the ring; nobody else changes it until the transaction ends."""
    await connection.execute(STRUCTURE_LOCK)
    return await installation.key_ring(connection)


async def _note(
    connection: Connection,
    event: AuditEvent,
    detail: Mapping[str, object],
    why: Reason,
    now: datetime,
) -> None:
    entry = events.AuditEntry(event, {**detail, "reason": why.reason}, why.actor)
    await events.add(connection, [entry], now)
