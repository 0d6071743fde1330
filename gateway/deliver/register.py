"""What people enter into the register of receivers' outages 接收方中断登记, on the record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.store.account import evidence, outages
from gateway.store.account.evidence import About, Statement
from gateway.store.audit import events
from gateway.store.base.engine import Connection, Database
from gateway.store.deliver import views
from gateway.telemetry.audit_events import AuditEvent


@dataclass(frozen=True, slots=True)
class Times:
    """From when until when a destination was down; `until` None: it still is."""

    since: datetime
    until: datetime | None = None


async def open_outage(
    database: Database, destination: str, times: Times, said: Statement, now: datetime
) -> int | None:
    """Enter an outage with what a person says of it; return its number.

    None if this person has entered one of the destination that still goes on.
    """
    async with database.transaction() as connection:
        id_ = await outages.open_(
            connection, destination, times.since, said.actor, said.words, times.until
        )
        if id_ is not None:
            sha256 = await evidence.attach(connection, About.OUTAGE, id_, said, now)
            detail = {"outage": id_, "destination": destination, "sha256": sha256}
            await _audit(connection, AuditEvent.OUTAGE_OPENED, detail, said.actor, now)
    return id_


async def close_outage(
    database: Database, id_: int, until: datetime, said: Statement, now: datetime
) -> bool:
    """End an outage; return whether it went on, and began before."""
    async with database.transaction() as connection:
        found = await outages.one(connection, id_)
        if found is None or found.since > until:
            return False
        closed = await outages.close(connection, id_, until, said.actor)
        if closed:
            await evidence.attach(connection, About.OUTAGE, id_, said, now)
            await _audit(connection, AuditEvent.OUTAGE_CLOSED, {"outage": id_}, said.actor, now)
    return closed


async def void_outage(database: Database, id_: int, said: Statement, now: datetime) -> bool:
    """Say that an outage was none of the receiver's; return whether it counted."""
    async with database.transaction() as connection:
        done = await outages.void(connection, id_, said.actor, said.words)
        if done:
            await evidence.attach(connection, About.OUTAGE, id_, said, now)
            await _audit(connection, AuditEvent.OUTAGE_VOIDED, {"outage": id_}, said.actor, now)
    return done


async def add_evidence(
    database: Database, about: About, id_: int, said: Statement, now: datetime
) -> bool:
    """Add what a person says of an outage or a delivery; return whether there is such a one.

    It explains, and changes nothing that was worked out.
    """
    async with database.transaction() as connection:
        find = outages.one if about is About.OUTAGE else views.shown
        if await find(connection, id_) is None:
            return False
        sha256 = await evidence.attach(connection, about, id_, said, now)
        detail = {about.value: id_, "sha256": sha256}
        await _audit(connection, AuditEvent.EVIDENCE_ADDED, detail, said.actor, now)
    return True


async def _audit(
    connection: Connection, event: AuditEvent, detail: Mapping[str, Any], by: str, now: datetime
) -> None:
    await events.add(connection, [events.AuditEntry(event, detail, by)], now)
