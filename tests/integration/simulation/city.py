"""A bureau, its platforms and a bank, hour by hour, from one seed; processes die and are replaced.

Everything outside of the process is here: what was published and up to where it was taken, what
each destination has, which of them is down. The process works on a real database; it dies between
two of its statements or calls, and does nothing more from there on.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import event as engine_event
from sqlalchemy import text

from connectors.memory import MemoryConnector, Step
from gateway.config.clock import SteppedClock
from gateway.deliver import manual
from gateway.store.base.engine import Database
from schemas.delivery import Item, Outcome, OutcomeKind
from tests.conftest import BANK, PLATFORM, BuildGateway
from tests.factories import event, licence, penalty, person_penalty
from tests.integration.world import World

PLATFORMS = {"asked": "look_up", "listed": "listing", "recognising": "resend"}
#: One platform for each way of finding out what an unknown outcome was; and a bank.
DESTINATIONS = [
    {**PLATFORM, "name": name, "settings": {"on_unknown": how, "batch_size": 3}}
    for name, how in PLATFORMS.items()
] + [BANK]
COMPANIES = range(1, 7)
TOPIC = "simulated"
#: How a platform answers for some hours, and how often.
MOODS = {
    Step.ACCEPT: 10,
    Step.SUBMIT: 5,
    Step.NOT_SENT: 3,
    Step.LOSE_ANSWER: 3,
    Step.DEFER: 1,
    Step.REJECT: 1,
    Step.CALL_REJECTED: 1,
}
#: Leases, ownership and waits run on the database's own clock, which a test cannot move.
_HOURS_PASS = (
    "update delivery set lease_until = clock_timestamp() - interval '1 hour' "
    "where lease_until is not null",
    "update delivery set look_after = null where look_after is not null",
    "update destination set owned_until = clock_timestamp() - interval '1 hour' "
    "where owned_until is not null",
    "update lease set until = now() - interval '1 hour'",
)


#: Shares of the decisions that a look at them repeats, corrects, withdraws.
REPEATED, CORRECTED, WITHDRAWN = 0.1, 0.25, 0.32
#: How often a destination changes its mood, and decides on what it took.
CHANGES, DECIDED = 0.3, 0.7
#: Between two looks; and those in which persons act.
HOURS, MORNING = 6, range(8, 11)
#: Days after which everything must be done once all is well.
ENDS_WITHIN = 10
Message = dict[str, Any] | bytes


class Killed(BaseException):
    """The process is dead: nothing in it goes on, not even what cleans up."""


class Life:
    """The life of one process: so many statements and calls, then nothing more."""

    def __init__(self, touches: int | None) -> None:
        self.left = touches
        self.dead = False

    def touch(self, *_: object) -> None:
        """Come to a place at which the process may die."""
        if self.left is not None and not self.dead:
            self.left -= 1
            self.dead = self.left <= 0
        if self.dead:
            raise Killed


class Place(MemoryConnector):
    """A destination outside: it lives on when a process dies in the middle of a call."""

    life = Life(None)

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Take items, unless the process dies before; it may die before it has the answer."""
        self.life.touch()
        try:
            return await super().send(items)
        finally:
            self.life.touch()

    def answer_as(self, mood: Step) -> None:
        """Answer so from now on."""
        self._settings = self._settings.model_copy(update={"always": mood})

    def undecided(self) -> list[str]:
        """Return the keys of what it has taken and not decided on yet."""
        decided = {receipt.key for receipt in self._receipts}
        taken = (k for k, one in self._outcomes.items() if one.kind is OutcomeKind.SUBMITTED)
        return [key for key in taken if key not in decided]


class City:
    """What is outside of the process, and the processes one after the other."""

    def __init__(
        self, seed: int, database: Database, clock: SteppedClock, build: BuildGateway
    ) -> None:
        self.chance = random.Random(seed)  # noqa: S311  the same city from the same seed
        self.database = database
        self.clock = clock
        self.build = build
        self.published: list[Message] = []
        self.taken = 0  #: the committed offset
        self.deaths = 0
        self.places: dict[str, Place] = {}
        self._numbers = count(1)
        self._decided: list[dict[str, Any]] = []

    async def live(self, days: int) -> None:
        """Let the bureau decide and everything go wrong for some days, then make it all well."""
        end = self.clock() + timedelta(days=days)
        while self.clock() < end:
            touches = self.chance.choice((None, self.chance.randint(1, 400)))
            await self._a_process(touches, end)
        for place in self.places.values():
            place.answer_as(Step.ACCEPT)
        await self._a_process(None, end + timedelta(days=ENDS_WITHIN), well=True)

    async def _a_process(self, touches: int | None, end: datetime, *, well: bool = False) -> None:
        """Work by one process, until it dies or the time is over."""
        life = Life(touches)
        database = Database(self.database.engine.url.render_as_string(hide_password=False))
        try:
            world = World(await self.build(database, destinations=DESTINATIONS), self.clock)
            self._connect(world, life)
            for name in ("before_cursor_execute", "commit"):
                engine_event.listen(database.engine.sync_engine, name, life.touch)
            while self.clock() < end:
                await self._some_hours(world, well=well)
                if well and await self.is_settled():
                    return
        except BaseException:
            if not life.dead:
                raise
            self.deaths += 1
        finally:
            await database.close()

    def _connect(self, world: World, life: Life) -> None:
        for name, deliverer in world.deliverers.items():
            made = deliverer.connector
            assert isinstance(made, MemoryConnector)
            place = self.places.setdefault(name, Place(made._settings, self.clock))
            place.life = life
            deliverer.connector = deliverer.caller.connector = place

    async def _some_hours(self, world: World, *, well: bool) -> None:
        """Let some hours pass outside, then let the process do its work."""
        self.clock.step(timedelta(hours=HOURS))
        for statement in _HOURS_PASS:
            await self.rows(statement)
        self._answer(all_of_it=well)
        if not well:
            self._decide()
            self._change_moods()
        while self.taken < len(self.published):
            rows = self.published[self.taken : self.taken + self.chance.randint(1, 12)]
            await world.take(*rows, origin=TOPIC, first=self.taken)
            self.taken += len(rows)
        if self.clock().hour in MORNING:
            await self._act(world)
        await world.turn()

    # ------------------------------------------------------------ what happens outside

    def _publish(self, row: dict[str, Any]) -> None:
        self.published.append({name: value for name, value in row.items() if value is not None})

    def _decide(self) -> None:
        """Publish what the bureau decides, repeats, corrects and withdraws in some hours."""
        chance = self.chance
        for _ in range(chance.choice((0, 0, 1, 1, 3))):
            self._publish(self._new())
        for row in chance.sample(self._decided, min(2, len(self._decided))):
            what = chance.random()
            if what < REPEATED:
                self._publish(row)
            elif what < CORRECTED:
                column = "CF_NR" if "CF_NR" in row else "XK_NR"
                row[column] = f"更正第{chance.randint(1, 99)}次：罚款人民币20000元"
                self._publish(row)
            elif what < WITHDRAWN:
                self._publish({**row, "verb": "withdraw"})
        if chance.random() < REPEATED:
            self.published.append(b"\xff no JSON")

    def _new(self) -> dict[str, Any]:
        number, company = next(self._numbers), self.chance.choice(COMPANIES)
        day = f"{self.clock() - timedelta(days=self.chance.randint(0, 3)):%Y-%m-%d}"
        make = self.chance.choice((penalty, penalty, penalty, licence, event, person_penalty))
        if make is event:
            return event(number, company, occurred_on=day)
        if make is person_penalty:
            row = person_penalty(number, CF_JDRQ=day)
        elif make is licence:
            row = licence(number, company, XK_JDRQ=day)
        else:
            row = penalty(number, company, CF_JDRQ=day)
        self._decided.append(row)
        return row

    def _change_moods(self) -> None:
        """Let some destinations answer otherwise from now on."""
        for place in self.places.values():
            if self.chance.random() < CHANGES:
                [mood] = self.chance.choices(list(MOODS), list(MOODS.values()))
                place.answer_as(mood)

    def _answer(self, *, all_of_it: bool) -> None:
        """Let each platform decide on most of what it has taken."""
        for place in self.places.values():
            for key in place.undecided():
                if all_of_it or self.chance.random() < DECIDED:
                    place.issue_receipt(key, accepted=True)

    async def _act(self, world: World) -> None:
        """Let the operator retry what came back or waits for a person."""
        query = "select id from delivery where state in ('parked', 'rejected') order by id"
        ids = [id_ for (id_,) in await self.rows(query)]
        await manual.retry_all(world.database, ids, "张三", self.clock())

    # ------------------------------------------------------------ what can be seen

    async def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Run a statement, seen from outside; return its rows."""
        async with self.database.transaction() as connection:
            found = await connection.execute(text(query), values)
            return [tuple(row) for row in found] if found.returns_rows else []

    async def is_settled(self) -> bool:
        """Whether nothing is left to do for anybody."""
        open_, unnumbered = (await self.rows(_OPEN))[0]
        return self.taken == len(self.published) and not open_ and not unnumbered

    async def left(self) -> object:
        """Return what is left to do."""
        return self.taken, len(self.published), await self.rows(_LEFT)


#: Deliveries that somebody has something to do for.
_NOT_DONE = "state not in ('accepted', 'superseded', 'withdrawn')"
_LEFT = f"select row_to_json(delivery)::text from delivery where {_NOT_DONE}"
_OPEN = f"""
    select (select count(*) from delivery where {_NOT_DONE}),
           (select count(*) from grade_change where number is null)
"""
