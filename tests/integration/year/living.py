"""Live the year day by day in a gateway on a real database, with the schedule's own work."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from connectors.memory import Step
from gateway.due.workdays import Notice, Year
from gateway.schedule.tick import Schedule
from gateway.service.calendar import import_year
from gateway.service.roles import build_schedule
from gateway.store.base.engine import Connection, Database
from schemas.base import SHANGHAI
from schemas.delivery import Item, Outcome, OutcomeKind
from tests.integration.ledger_world import PLATFORM, World, world
from tests.integration.year.bureau import (
    DAY,
    DOWN_SINCE,
    DOWN_UNTIL,
    HOLIDAYS_2027,
    YEAR,
    Decided,
    Trouble,
    decide,
)

BEGIN = datetime(YEAR, 1, 1, 9, tzinfo=SHANGHAI)
END = datetime(YEAR + 1, 2, 4, 9, tzinfo=SHANGHAI)
#: The notice for the next year comes late.
NOTICE = date(YEAR + 1, 1, 12)
PROBES = timedelta(hours=3)


class Bureau:
    """A gateway, and the decisions of its year."""

    def __init__(self, here: World, decided: list[Decided]) -> None:
        self.here = here
        self.decided = decided
        self.schedule: Schedule = build_schedule(here.gateway)
        self.provisional = 0  #: due times before the notice came
        self.lacking_since: date | None = None  #: people are told that the next year is missing

    @property
    def now(self) -> datetime:
        """The time of the year."""
        return self.here.clock().astimezone(SHANGHAI)

    async def live(self) -> None:
        """Live the whole year."""
        while self.now < END:
            await self._day()

    async def _day(self) -> None:
        """Work from nine in the morning until nine the next day."""
        morning = self.now
        today = morning.date()
        await self._enter(one for one in self.decided if one.entered_on == today)
        await self._mend(one for one in self.decided if one.mended_on == today)
        if today == NOTICE:
            await self._import_next_year()
        await self._deliver()
        await self.schedule.tick()
        if self.lacking_since is None and self.here.gateway.workdays.lacking(today):
            self.lacking_since = today
        if abs(morning - DOWN_SINCE) < 2 * DAY or DOWN_SINCE < morning < DOWN_UNTIL + DAY:
            while self.now < morning + DAY - PROBES:
                self.here.clock.step(PROBES)
                await self._deliver()
        self.here.clock.step(morning + DAY - self.now)

    async def _enter(self, decided: Iterable[Decided]) -> None:
        for one in decided:
            if one.trouble is not Trouble.CONCEALED:
                await self.here.take_in([one.faulty_row()])
                one.entered_at = self.now
                await self._deliver(self._step(one))

    def _step(self, one: Decided) -> Step:
        return {Trouble.REJECTED: Step.REJECT, Trouble.SILENT: Step.SUBMIT}.get(
            one.trouble, Step.ACCEPT
        )

    async def _mend(self, decided: Iterable[Decided]) -> None:
        for one in decided:
            if one.trouble is Trouble.SILENT:
                self._receipt(one)
            else:
                await self.here.take_in([one.mended_row()])
                one.mended_at = self.now

    def _receipt(self, one: Decided) -> None:
        platform = self.here.connectors["platform"]
        for key, item in platform.stored.items():
            if item.document_number == one.document_number:
                platform.issue_receipt(key, accepted=True)
                one.accepted_at = self.now

    async def _deliver(self, step: Step = Step.ACCEPT) -> None:
        platform = self.here.connectors["platform"]
        always = Step.NOT_SENT if DOWN_SINCE <= self.now < DOWN_UNTIL else step
        platform._settings = platform._settings.model_copy(update={"always": always})
        await self.here.deliver()

    async def _import_next_year(self) -> None:
        database, built = self.here.gateway.database, self.here.gateway
        self.provisional = await database.run(provisional)
        year = Year(
            year=YEAR + 1,
            notices=(Notice(number="样办发〔2026〕1号", url="https://notice.example/2027"),),
            holidays=frozenset(map(date.fromisoformat, HOLIDAYS_2027)),
            workdays=frozenset(),
        )
        await import_year(database, built.workdays, year, "样例管理员", self.here.clock())


async def provisional(connection: Connection) -> int:
    """Return how many due times may still move."""
    counted = text("select count(*) from delivery where provisional")
    return await connection.scalar(counted) or 0


def watched(bureau: Bureau) -> None:
    """Note beside each decision what the platform itself sees of it, and when."""
    platform = bureau.here.connectors["platform"]
    by_number = {one.document_number: one for one in bureau.decided}
    send = platform.send

    async def noting(items: Sequence[Item]) -> list[Outcome]:
        outcomes = await send(items)
        for item, outcome in zip(items, outcomes, strict=True):
            one, now = by_number[item.document_number or ""], bureau.now
            one.handed_over_at = one.handed_over_at or now
            if outcome.kind is OutcomeKind.ACCEPTED:
                one.accepted_at = one.accepted_at or now
            elif outcome.kind is OutcomeKind.REJECTED:
                one.rejected_at = now
        return outcomes

    platform.send = noting  # type: ignore[method-assign]


async def lived(database: Database, state: Path, seed: int) -> Bureau:
    """Return the bureau at the end of its year."""
    platform = PLATFORM | {"shown_within": "P2D"}
    register = {"name": "cases", "title": "案件系统", "file": str(state / "登记.csv")}
    here = await world(
        database,
        state,
        platform,
        start=BEGIN,
        entry_clock="entry-10",
        reconcile={"registers": [register]},
    )
    bureau = Bureau(here, decide(seed))
    watched(bureau)
    await bureau.live()
    return bureau
