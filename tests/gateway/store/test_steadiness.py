"""Who is to blame for a connection that is cut: the work, or a server that falls over."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from gateway.store.base.engine import ConnectionCut, Database, DatabaseAway, DatabaseBusy
from gateway.store.base.steadiness import CutByData, run_steadily


class Falling:
    """A database each of whose answers is a result or an error; a cut cuts all connections."""

    def __init__(self, *answers: object, connections: int = 2) -> None:
        self.answers = list(answers)
        self.connections = connections
        self._open = 0
        self._fallen = False

    async def execute(self, *_: object) -> None:
        if self._fallen:
            raise ConnectionCut("all are cut")

    @asynccontextmanager
    async def transaction(self, *, patient: bool = False) -> AsyncIterator["Falling"]:
        if self._open == self.connections:
            raise DatabaseAway("no more connections")
        self._open += 1
        self._fallen = self._fallen and patient
        try:
            yield self
        finally:
            self._open -= 1
            self._fallen = False

    async def run(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        if self._open == self.connections:
            raise DatabaseAway("no more connections")
        return await work(self)

    async def work(self, _: object) -> object:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            self._fallen = isinstance(answer, ConnectionCut) and self._open > 0
            raise answer
        return answer


async def ran(database: Falling) -> object:
    return await run_steadily(cast("Database", database), database.work)


def cut() -> ConnectionCut:
    return ConnectionCut("the server fell over")


async def test_a_server_that_falls_over_four_times_is_not_the_fault_of_the_work() -> None:
    assert await ran(Falling(*(cut() for _ in range(4)), "done")) == "done"


async def test_a_lock_that_is_waited_for_too_long_leaves_the_witness_where_it_is() -> None:
    """It is told as an outage; without the witness, three falls in all would be enough."""
    database = Falling(cut(), DatabaseBusy("lock"), cut(), cut(), "done")

    with pytest.raises(DatabaseBusy, match="lock"):
        await ran(database)

    assert await ran(database) == "done"


async def test_where_there_is_one_connection_only_the_work_that_cuts_it_is_found() -> None:
    with pytest.raises(CutByData):
        await ran(Falling(*(cut() for _ in range(9)), connections=1))
