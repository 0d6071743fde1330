"""The ledgers of past months by themselves 月度台账: due, frozen, held by a person, or late."""

from dataclasses import dataclass
from datetime import date, datetime

from gateway.config.account_settings import LedgerSettings
from gateway.config.keys import Keys
from gateway.ledger.freeze import freeze_once
from gateway.ledger.month import days_of, end_of_month
from gateway.ledger.review import review_one
from gateway.ledger.rows import LedgerScope
from gateway.ledger.score_card import TREND_MONTHS, months_before
from gateway.store.account import ledger_holds, ledger_reviews, ledgers
from gateway.store.account.ledger_holds import LedgerHold
from gateway.store.account.ledger_reviews import LedgerReview
from gateway.store.account.ledgers import Frozen
from gateway.store.audit import events
from gateway.store.base.engine import Connection, Database
from gateway.telemetry.audit_events import AuditEvent
from schemas.base import today

BY_ITSELF = "每月自动冻结"
#: An ended month that was never frozen is owed for so many months: those of the trend.
OWED_MONTHS = TREND_MONTHS


@dataclass(frozen=True, slots=True)
class MonthStanding:
    """How the ledger of an ended month stands.

    `frozen` is its version made since the month; `changed`, in Chinese, what differs from it now.
    """

    month: str
    freezes_on: date | None
    due: date
    frozen: Frozen | None
    hold: LedgerHold | None
    changed: str | None = None

    def is_late(self, day: date) -> bool:
        """Whether the day is over by which it was due."""
        return self.frozen is None and day > self.due

    def is_ready(self, day: date) -> bool:
        """Whether it is to be frozen by itself on this day."""
        waits = self.frozen is None and self.hold is None
        return waits and self.freezes_on is not None and day >= self.freezes_on

    @property
    def words(self) -> str:
        """Return it in Chinese, in one sentence."""
        if self.frozen is not None and self.changed is not None:
            return self._changed_words(self.frozen, self.changed)
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

    def _changed_words(self, frozen: Frozen, changed: str) -> str:
        todo = f"用 ledger {self.month} --reason 写明原因，冻结新版"
        if self.hold is not None:
            todo = f"{self.hold.held_by} 暂缓冻结（{self.hold.reason}）；解除后{todo}"
        return f"{self.month} 台账有变动，出新版：与第 {frozen.version} 版比，{changed}；{todo}"


def last_month(day: date) -> str:
    """Return the month before that of a day."""
    return months_before(f"{day:%Y-%m}", 2)[0]


async def standings(
    connection: Connection, settings: LedgerSettings, now: datetime
) -> list[MonthStanding]:
    """Return how the ledgers stand that are owed, and that of last month, the oldest first.

    An earlier month is owed that has no version since its end: it was held back over its days, or
    nothing ran here. One that changed since its newest version is owed a new one. Nothing else is
    owed of a time before this installation.
    """
    looked_at = months_before(last_month(today(now)), OWED_MONTHS)
    began = await ledger_holds.begun(connection)
    newest = await ledgers.newest(connection, looked_at)
    holds = await ledger_holds.of(connection, looked_at)
    reviews = await ledger_reviews.of(connection, looked_at)
    found = [
        _standing(one, settings, newest.get(one), holds.get(one), reviews.get(one))
        for one in looked_at
    ]
    is_ours = {one: began is not None and began < end_of_month(one) for one in looked_at}
    return [
        one
        for one in found
        if one.changed is not None
        or (is_ours[one.month] and (one.frozen is None or one is found[-1]))
    ]


def _standing(
    month: str,
    settings: LedgerSettings,
    newest: Frozen | None,
    hold: LedgerHold | None,
    review: LedgerReview | None,
) -> MonthStanding:
    after = days_of(month)[1]
    is_since_its_end = newest is not None and newest.recorded_at >= end_of_month(month)
    is_of_it = newest is not None and review is not None and review.version == newest.version
    return MonthStanding(
        month=month,
        freezes_on=after.replace(day=settings.freeze_day) if settings.freeze_day else None,
        due=after.replace(day=settings.due_day),
        frozen=newest if is_since_its_end else None,
        hold=hold,
        changed=review.changed if review is not None and is_of_it else None,
    )


async def freeze_months(
    database: Database, scope: LedgerScope, keys: Keys, settings: LedgerSettings, now: datetime
) -> list[MonthStanding]:
    """Freeze the ledgers whose day has come and that nobody holds; return how those owed stand.

    A version that anybody made since the end of a month is enough.
    """
    async with database.transaction() as connection:
        found = await standings(connection, settings, now)
    ready = [one.month for one in found if one.is_ready(today(now))]
    for month in reversed(ready):  # an old one that fails keeps the last month from nothing
        await freeze_once(database, scope, keys, month, now, BY_ITSELF)
    if not ready:
        return found
    async with database.transaction() as connection:
        return await standings(connection, settings, now)


async def review_months(database: Database, scope: LedgerScope, now: datetime) -> bool:
    """Compare one frozen month of the last year with what it is now; True when none is left."""
    months = months_before(last_month(today(now)), OWED_MONTHS)
    return await review_one(database, scope, months, now)


async def hold_month(database: Database, held: LedgerHold) -> bool:
    """Hold a month back, on the record; return whether it was not held already.

    It waits for a freeze of the month that is under way, so that what it says holds.
    """
    async with database.transaction(patient=True) as connection:
        await ledgers.lock_month(connection, held.month)
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
