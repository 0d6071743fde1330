"""The schedule stands still while the clock of the host is wrong."""

from datetime import timedelta

import pytest

from gateway.config.clock import SteppedClock
from gateway.service.clock_check import ClockCheck
from gateway.store.base.installation import database_time
from tests.integration.world import World

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("ahead", [timedelta(minutes=10), -timedelta(days=365)])
async def test_work_is_left_undone_until_the_clock_is_right_again(
    world: World, ahead: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    async with world.database.transaction() as connection:
        now = await database_time(connection)
    clock = SteppedClock(now + ahead)
    check = ClockCheck(world.database, clock, world.gateway.metrics)
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    guarded = check.guarded(work)
    await guarded()
    await guarded()
    told, before = check.wrong(), len(done)
    clock.set(now)
    await guarded()

    assert "定时工作已停" in str(told)
    assert (before, len(done), check.wrong()) == (0, 1, None)
    assert [one.getMessage() for one in caplog.records].count("clock_differs") == 1
