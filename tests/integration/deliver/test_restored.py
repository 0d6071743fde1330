"""A database that was restored: no id is given twice, and what is open is found out first."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from connectors.memory import Step
from gateway.service.restored import DatabaseReplaced, IdNotes, begin_epoch
from gateway.store.base.engine import Database, DatabaseAway
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration


@pytest.fixture
async def world(make_world: MakeWorld, tmp_path: Path) -> World:
    return await make_world(state=str(tmp_path))


async def restore(world: World) -> int:
    """Let the database forget the ids that it gave last; return the last one."""
    last: int = await world.value("select last_value from gateway_id")
    await world.run("select setval('gateway_id', :id)", id=last - 10)
    await world.run("update installation set noted_id = noted_id - 10")
    return last


async def test_what_is_open_is_looked_up_and_not_sent_again(world: World) -> None:
    await world.take(penalty(1, 1), penalty(2, 2))
    world.connector().play(Step.LOSE_ANSWER)  # of the first: what the back-up does not know
    [first, _] = await world.column("select id from delivery where destination = 'platform'")
    await world.deliverer().drain()
    await IdNotes(world.gateway).note()
    await world.run("update delivery set state = 'ready', maybe_arrived = false, next_at = null")
    last = await restore(world)

    found = await begin_epoch(world.gateway)
    again = await begin_epoch(world.gateway)
    assert found is not None
    assert found >= 2
    assert again is None
    assert set(await world.states()) == {"unknown"}
    await world.turn()
    await world.take(penalty(3, 3))
    await world.turn()

    assert await world.states() == ["accepted"] * 3
    assert len(world.sent()) == 3  # each once
    assert min(await world.column("select id from delivery where id > :id", id=last)) > last
    assert "database_restored" in await world.events()
    assert first < last


@pytest.mark.parametrize("last", ["9" * 19, "9" * 5000, "٣٤", ""])
async def test_a_damaged_note_says_nothing(world: World, last: str) -> None:
    file = world.gateway.settings.state / "last-id"
    file.write_text(f"{world.gateway.installation} {last}")

    assert await begin_epoch(world.gateway) is None
    await IdNotes(world.gateway).note()


async def test_a_database_that_was_not_restored_begins_no_epoch(world: World) -> None:
    assert await begin_epoch(world.gateway) is None
    await world.take(penalty())
    await IdNotes(world.gateway).note()
    await world.take(penalty(2, 2))

    assert await begin_epoch(world.gateway) is None
    assert set(await world.states()) == {"ready"}


async def test_an_epoch_that_fails_is_begun_by_the_next_try(world: World) -> None:
    await world.take(penalty())
    await IdNotes(world.gateway).note()
    await restore(world)
    async with world.database.transaction() as connection:
        await connection.execute(text("select id from delivery for update"))
        with pytest.raises(DatabaseAway):
            await asyncio.wait_for(begin_epoch(world.gateway), 60)

    assert await begin_epoch(world.gateway) == 2
    assert await world.states() == ["unknown"]


async def test_a_database_that_goes_back_under_a_running_process_is_noticed(world: World) -> None:
    await world.take(penalty())
    notes = IdNotes(world.gateway)
    await notes.note()
    await restore(world)

    for _ in range(2):  # the note is not written over
        with pytest.raises(DatabaseReplaced):
            await notes.note()
    assert await begin_epoch(world.gateway) == 2
    await notes.note()


async def test_the_note_of_another_installation_or_a_damaged_one_says_nothing(
    world: World,
) -> None:
    note = world.gateway.settings.state / "last-id"
    for words in ("another 999999999", "damaged", f"{world.gateway.installation} x", ""):
        note.write_text(words)
        assert await begin_epoch(world.gateway) is None
    note.unlink()


async def test_a_person_says_that_it_was_restored(world: World) -> None:
    await world.take(penalty())
    assert await begin_epoch(world.gateway, "张三", "从昨夜的备份恢复") == 2

    [told] = await world.column("select detail->>'reason' from audit_event where actor = '张三'")
    assert told == "从昨夜的备份恢复"
    assert await world.states() == ["unknown"]


async def test_processes_that_share_a_folder_alarm_nobody(world: World) -> None:
    """Each has a loop of its own, as processes have."""
    url = world.database.engine.url.set(drivername="postgresql")
    address, wrong = url.render_as_string(hide_password=False), list[str]()

    async def work() -> None:
        database = Database(address)
        notes = IdNotes(replace(world.gateway, database=database))
        for _ in range(60):
            try:
                await notes.note()
            except DatabaseReplaced as error:
                wrong.append(str(error))
        await database.close()

    await asyncio.gather(*(asyncio.to_thread(asyncio.run, work()) for _ in range(4)))

    assert wrong == []
