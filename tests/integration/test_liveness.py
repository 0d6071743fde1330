"""Live and ready mean it: each loop that stands still is told, and by a line in the log."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import text

from gateway.service import tasks
from gateway.service.roles import Role, run
from gateway.service.tasks import Loop, Running
from gateway.store.base.engine import Database, DatabaseAway
from tests.conftest import BuildGateway
from tests.factories import penalty
from tests.integration.world import World

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "FAILING", 0.2)
    monkeypatch.setattr(tasks, "AWAY", 0.2)
    monkeypatch.setattr(tasks, "FAILURE_PAUSE", 0.05)


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110  a probe has no event
            await asyncio.sleep(0.02)


async def looped(work: Callable[[], Awaitable[object]], bound: float = 60) -> Loop:
    """Return a loop that has run for a while."""
    loop = Loop("some work", work, pause=0.01, bound=bound)
    task = asyncio.create_task(loop.run())
    await asyncio.sleep(0.5)
    task.cancel()
    return loop


async def test_a_loop_that_works_is_well() -> None:
    async def work() -> None:
        await asyncio.sleep(0)

    loop = await looped(work)

    assert (loop.stuck(), loop.waits()) == (None, None)


async def test_a_loop_that_hangs_is_stuck() -> None:
    loop = await looped(asyncio.Event().wait, bound=0.1)

    assert "没有进展" in str(loop.stuck())


async def test_a_loop_that_always_fails_is_stuck_and_its_error_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> None:
        raise ZeroDivisionError

    loop = await looped(work)

    assert "一直出错" in str(loop.stuck())
    assert "work_failed" in [one.getMessage() for one in caplog.records]


async def test_one_failure_before_an_outage_is_no_reason_for_a_restart() -> None:
    errors = [ZeroDivisionError()]

    async def work() -> None:
        raise errors.pop() if errors else DatabaseAway("no route")

    assert (await looped(work)).stuck() is None


async def test_a_loop_without_its_database_waits_and_is_not_restarted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> None:
        raise DatabaseAway("no route")

    loop = await looped(work)

    assert (loop.stuck(), loop.waits()) == (None, "some work：数据库不能用：no route")
    assert "database_away" in [one.getMessage() for one in caplog.records]


@pytest.fixture
async def impatient(database: Database) -> AsyncIterator[Database]:
    """The database of the test, on which a lock is waited for but a moment."""
    url = database.engine.url.render_as_string(hide_password=False)
    made = Database(f"{url}&options=-c%20lock_timeout%3D100ms")
    yield made
    await made.close()


@pytest.mark.parametrize("table", ["delivery", "destination", "grade_change"])
async def test_a_lock_that_somebody_holds_is_told_while_it_lasts(
    impatient: Database,
    database: Database,
    build_gateway: BuildGateway,
    table: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    gateway = await build_gateway(impatient)
    async with run(gateway, frozenset({Role.SCHEDULE, Role.DELIVER})) as running:
        ready = running.probes.ready["tasks"]
        async with database.transaction() as other:
            await other.execute(text(f"lock table {table} in access exclusive mode"))
            await until(ready)
            told = await ready()

        async def well() -> bool:
            return await ready() is None

        await until(well)

    assert "lock timeout" in str(told)
    assert "database_away" in [one.getMessage() for one in caplog.records]


async def test_a_connector_that_never_ends_fails_liveness(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.deliver.deliverer.FINISH_PATIENCE", 0)
    monkeypatch.setattr("gateway.deliver.deliverer.AHEAD_SECONDS", 0)
    connector = world.connector()
    connector.limits = connector.limits.model_copy(
        update={"call_timeout": connector.limits.call_timeout * 0}
    )
    ends = asyncio.Event()

    async def hangs(items: object) -> list[object]:
        while not ends.is_set():
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                continue
        return []

    monkeypatch.setattr(connector, "send", hangs)
    await world.take(penalty())
    running = Running(world.gateway)
    running.deliverers = [world.deliverer()]
    round_ = asyncio.create_task(world.deliverer().round())
    try:
        await until(running.probes.live["tasks"])
        told = await running.probes.live["tasks"]()
    finally:
        ends.set()
        await round_

    assert told == "deliver platform 没有进展"
