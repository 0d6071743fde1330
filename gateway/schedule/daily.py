"""Work done at the start and once a day: due times, publications, partitions, retention, …."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from gateway.audit.record import sign_head
from gateway.config.account_settings import RetentionSettings
from gateway.config.keys import Keys
from gateway.decide.decider import Decider
from gateway.ledger.monthly import MonthStanding
from gateway.reconcile.hints import look
from gateway.record.encryption import slices
from gateway.schedule.due_times import renew_all
from gateway.schedule.each import each
from gateway.schedule.held import release_held
from gateway.schedule.publishing import Publishing
from gateway.schedule.rescoring import Rescoring
from gateway.schedule.retention import Retention
from gateway.store.base.engine import Database
from gateway.store.base.partitions import make_partitions
from gateway.telemetry.log import LogEvent, logger
from schemas.base import today

#: Slices done in one tick at most; the rest waits for the next tick, so that other work can run.
SLICES = 20


class MonthlyLedgers(NamedTuple):
    """The work on the ledgers of past months.

    `freeze` freezes those whose day has come and returns how those owed stand; `review` compares
    one of the frozen months with what it is now, and returns whether none is left for the day.
    """

    freeze: Callable[[datetime], Awaitable[Sequence[MonthStanding]]]
    review: Callable[[datetime], Awaitable[bool]]


class DailyGrades(NamedTuple):
    """The work on grades that no new fact causes."""

    rescoring: Rescoring
    publishing: Publishing


class Daily:
    """The daily work, repeated until it is done for the day; doing it again does no harm."""

    def __init__(
        self,
        database: Database,
        decider: Decider,
        keys: Keys,
        retention: RetentionSettings,
        grades: DailyGrades,
        ledgers: MonthlyLedgers,
    ) -> None:
        self.database = database
        self.decider = decider
        self.grades = grades
        self.ledgers = ledgers
        self.keys = keys
        self.retention = Retention(database, retention)
        self._done_of: dict[str, date] = {}

    async def run(self, now: datetime) -> None:
        """Do the work that this day still needs; a part that fails hinders no other."""
        day = today(now)
        parts: dict[str, Callable[[], Awaitable[bool]]] = {
            f"due times by {self.decider.workdays.name}": lambda: self._renew_due_times(now),
            "held": lambda: self._release_held(now),
            "partitions": lambda: self._make_partitions(day),
            "unscored": lambda: self.grades.rescoring.unscored.go_on(now, SLICES),
            "received grades": lambda: self.grades.rescoring.received.go_on(now, SLICES),
            "publications": lambda: self.grades.publishing.run(now, SLICES),
            "hints": lambda: self._look_for_hints(now),
            "ledgers": lambda: self._freeze_ledgers(day, now),
            "ledger reviews": lambda: self.ledgers.review(now),
            "retention": lambda: self.retention.run(day, now),
            "encryption": self._encrypt_again,
            "audit": lambda: self._sign_audit(now),
        }
        await each(*(partial(self._once, name, day, part) for name, part in parts.items()))

    async def _once(self, name: str, day: date, part: Callable[[], Awaitable[bool]]) -> None:
        """Do a part of the daily work, until it says that nothing is left for this day."""
        if self._done_of.get(name) != day and await part():
            self._done_of[name] = day

    async def _release_held(self, now: datetime) -> bool:
        await release_held(self.database, self.decider, now)
        return True

    async def _look_for_hints(self, now: datetime) -> bool:
        await look(self.database, now)
        return True

    async def _make_partitions(self, day: date) -> bool:
        if not await self.database.run(partial(make_partitions, first=day)):
            logger.warning(LogEvent.PARTITIONS_WAIT)
        self._warn(day)
        return True

    async def _renew_due_times(self, now: datetime) -> bool:
        """Renew due times where there is a new calendar; True when none is left."""
        workdays, clocks = self.decider.workdays, self.decider.clocks
        moves, done = await renew_all(self.database, clocks, workdays, now, SLICES)
        if moves.count:
            told = {"calendar": workdays.name, "later": moves.later, "earlier": moves.earlier}
            logger.info(LogEvent.DUES_RENEWED, extra={**told, "count": moves.count})
        return done

    async def _freeze_ledgers(self, day: date, now: datetime) -> bool:
        """Freeze what is owed; not done for the day while a person holds a month."""
        found = await self.ledgers.freeze(now)
        if self._done_of.get("late ledgers") != day:
            self._done_of["late ledgers"] = day
            for one in found:
                if one.is_late(day):
                    extra = {"month": one.month, "due": str(one.due)}
                    logger.error(LogEvent.LEDGER_LATE, extra=extra)
        return all(one.frozen is not None or one.hold is None for one in found)

    async def _sign_audit(self, now: datetime) -> bool:
        await sign_head(self.database, self.keys, now)
        return True

    async def _encrypt_again(self) -> bool:
        """Encrypt what came with an older key while it was rotated; True when nothing is left."""
        done = 0
        async for _ in slices(self.database, self.keys):
            done += 1
            if done == SLICES:
                return False
        return True

    def _warn(self, day: date) -> None:
        lacking = self.decider.workdays.lacking(day)
        if lacking is not None:
            logger.warning(LogEvent.CALENDAR_ENDS, extra={"year": lacking})
