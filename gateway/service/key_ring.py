"""Change keys while the gateway runs: a new version of a key, another master key.

Each running process renews its keys every `RENEWAL` seconds, and at once where it meets a row of a
version that it does not know. All functions open their own transactions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.config.errors import BadConfiguration
from gateway.config.keys import ROTATED, KeyPurpose, Keys, Master, RingKey, versions
from gateway.store.audit import events
from gateway.store.base import installation
from gateway.store.base.engine import Connection, Database
from gateway.store.base.upgrade import STRUCTURE_LOCK
from gateway.telemetry.audit_events import AuditEvent

#: Seconds between two renewals of the keys of a running process.
RENEWAL = 5.0


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
        ring = await _locked_ring(connection, keys)
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


async def add_master(
    database: Database, keys: Keys, new: Master, why: Reason, now: datetime
) -> None:
    """Let a second master key protect all keys, so that hosts can change to it one by one.

    Raises:
        BadConfiguration: it protects them already.
    """
    async with database.transaction() as connection:
        ring = await _locked_ring(connection, keys)
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
        masters = {one.master for one in await _locked_ring(connection, keys)}
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


async def _locked_ring(connection: Connection, keys: Keys) -> list[RingKey]:
    """Return the ring; nobody else changes it until the transaction ends.

    Raises:
        OtherMaster: our master protects nothing in it any more, so that we may change nothing.
    """
    await connection.execute(STRUCTURE_LOCK)
    ring = await installation.key_ring(connection)
    keys.renew(ring)
    return ring


async def _note(
    connection: Connection,
    event: AuditEvent,
    detail: Mapping[str, object],
    why: Reason,
    now: datetime,
) -> None:
    entry = events.AuditEntry(event, {**detail, "reason": why.reason}, why.actor)
    await events.add(connection, [entry], now)
