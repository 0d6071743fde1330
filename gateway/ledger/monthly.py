"""The ledger of last month by itself 月度台账: due, frozen, held back by a person, or late."""

from dataclasses import dataclass
from datetime import date, datetime

from gateway.config.account_settings import LedgerSettings
from gateway.config.keys import Keys
from gateway.ledger.freeze import freeze_month
from gateway.ledger.month import days_of
from gateway.ledger.rows import LedgerScope
from gateway.ledger.score_card import months_before
from gateway.store.account import ledger_holds, ledgers
from gateway.store.account.ledger_holds import LedgerHold
from gateway.store.account.ledgers import Frozen
from gateway.store.audit import events
from gateway.store.base.engine import Connection, Database
from gateway.telemetry.audit_events import AuditEvent
from schemas.base import start_of, today

BY_ITSELF = "每月自动冻结"


@dataclass(frozen=True, slots=True)
class MonthStanding:
    """How the ledger of the last month stands; `frozen` is its version made since the month."""

    month: str
    freezes_on: date | None
    due: date
    frozen: Frozen | None
    hold: LedgerHold | None

    def is_late(self, day: date) -> bool:
        """Whether the day is over by which it was due."""
        return self.frozen is None and day > self.due

    @property
    def words(self) -> str:
        """Return it in Chinese, in one sentence."""
        due = f"{self.month} 台账期限 {self.due:%m-%d}"
        if self.frozen is not None:
            return (
                f"{due}：第 {self.frozen.version} 版已冻结，用 ledger {self.month} --out 取出报送"
            )
        if self.hold is not None:
            return f"{due}：{self.hold.held_by} 暂缓冻结（{self.hold.reason}）；hold --release 解除"
        if self.freezes_on is None:
            return f"{due}：尚未冻结，用 ledger {self.month} 冻结"
        return f"{due}：{self.freezes_on:%m-%d} 自动冻结"


def last_month(day: date) -> str:
    """Return the month before that of a day."""
    return months_before(f"{day:%Y-%m}", 2)[0]


async def standing(
    connection: Connection, settings: LedgerSettings, now: datetime
) -> MonthStanding | None:
    """Return how the ledger of last month stands; None if this installation is younger than it."""
    day = today(now)
    month = last_month(day)
    end = start_of(days_of(month)[1])
    began = await ledger_holds.begun(connection)
    if began is None or began >= end:
        return None
    newest = next(iter(await ledgers.versions(connection, month)), None)
    freezes = None if settings.freeze_day is None else day.replace(day=settings.freeze_day)
    return MonthStanding(
        month=month,
        freezes_on=freezes,
        due=day.replace(day=settings.due_day),
        frozen=newest if newest is not None and newest.recorded_at >= end else None,
        hold=await ledger_holds.of(connection, month),
    )


async def freeze_last_month(
    database: Database, scope: LedgerScope, keys: Keys, settings: LedgerSettings, now: datetime
) -> MonthStanding | None:
    """Freeze the ledger of last month if its day has come and nobody holds it; return its standing.

    A version that a person made since the end of the month is enough.
    """
    async with database.transaction() as connection:
        found = await standing(connection, settings, now)
    if found is None or found.frozen is not None or found.hold is not None:
        return found
    if found.freezes_on is None or today(now) < found.freezes_on:
        return found
    await freeze_month(database, scope, keys, found.month, now, BY_ITSELF)
    async with database.transaction() as connection:
        return await standing(connection, settings, now)


async def hold_month(database: Database, held: LedgerHold) -> bool:
    """Hold a month back, on the record; return whether it was not held already."""
    async with database.transaction() as connection:
        done = await ledger_holds.hold(connection, held)
        if done:
            await _audit(connection, AuditEvent.LEDGER_HELD, held)
    return done


async def release_month(database: Database, said: LedgerHold) -> bool:
    """Hold a month back no more, on the record; return whether it was held."""
    async with database.transaction() as connection:
        done = await ledger_holds.release(connection, said.month)
        if done:
            await _audit(connection, AuditEvent.LEDGER_RELEASED, said)
    return done


async def _audit(connection: Connection, event: AuditEvent, said: LedgerHold) -> None:
    detail = {"month": said.month, "reason": said.reason}
    await events.add(connection, [events.AuditEntry(event, detail, said.held_by)], said.held_at)
