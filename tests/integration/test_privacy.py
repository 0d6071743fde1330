"""Personal data does not leave the gateway: it is searched in every column and in all output."""

import logging

import pytest

from gateway.config.errors import BadConfiguration
from tests.factories import IDENTITY, event, licence, penalty, person_penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

REPRESENTATIVE = "360426199101010071"
COLUMNS = """
    select c.table_name, c.column_name, c.data_type from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
"""


async def everything_stored(world: World) -> str:
    """Return every value of every column, bytes as text and as hex."""
    found = []
    for table, column, kind in await world.rows(COLUMNS):
        bytes_ = f", encode({column}, 'escape')" if kind == "bytea" else ""
        query = f"select {column}::text{bytes_} from {table}"
        found += [str(value) for row in await world.rows(query) for value in row]
    return "\n".join(found)


async def take_persons(world: World) -> None:
    await world.take(
        person_penalty(1),
        person_penalty(1, CF_NR="更正"),
        person_penalty(2, CF_WSH=None),
        person_penalty(3, CF_YXQ=None),
        person_penalty(4, CF_XDR_ZJHM=IDENTITY + "9"),
        person_penalty(5, state_secret="是"),
        penalty(6, CF_FR_ZJLX="身份证", CF_FR_ZJHM=REPRESENTATIVE),
        penalty(7, CF_FR_SFZH=REPRESENTATIVE),
        licence(8, XK_FR_ZJHM=REPRESENTATIVE),
        event(9, subject_code=None, identity_number=IDENTITY),
        event(10, subject_code=None, identity_number=IDENTITY + "9"),
    )
    await world.turn()


async def test_no_identity_number_is_stored_in_plain_text(world: World) -> None:
    await take_persons(world)

    stored = await everything_stored(world)

    for number in (IDENTITY, REPRESENTATIVE):
        assert number not in stored
        assert number.encode().hex() not in stored
    assert "样环罚字〔2026〕1号" in stored


async def test_no_identity_number_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    await take_persons(world)

    written = "\n".join(str(vars(record)) for record in caplog.records)
    assert IDENTITY not in written
    assert REPRESENTATIVE not in written


async def test_a_platform_gets_the_identity_number_in_its_column(world: World) -> None:
    await world.take(person_penalty())
    await world.turn()

    [item] = world.connector().stored.values()

    assert item.columns["CF_XDR_ZJHM"] == IDENTITY
    assert IDENTITY not in f"{item.key}{item.subject_code}"
    assert await world.value("select code from subject") not in item.model_dump_json()


async def test_the_identity_number_of_a_representative_is_not_sent(world: World) -> None:
    await world.take(penalty(CF_FR_ZJHM=REPRESENTATIVE))
    await world.turn()

    [item] = world.connector().stored.values()

    assert REPRESENTATIVE not in item.model_dump_json()


async def test_no_metric_contains_a_subject(world: World) -> None:
    await take_persons(world)

    text = str(list(world.gateway.metrics.registry.collect()))

    assert IDENTITY not in text
    assert "91159900" not in text
    assert "person:" not in text


async def test_one_person_is_one_subject_in_all_processes(make_world: MakeWorld) -> None:
    one, other = await make_world(), await make_world()

    await one.take(person_penalty(1))
    await other.take(person_penalty(2))

    assert await one.value("select count(*) from subject") == 1


async def test_the_result_shows_a_person_under_a_pseudonym(world: World) -> None:
    [result] = await world.take(person_penalty())

    stored = await world.value("select code from subject")
    assert result.key is not None
    assert IDENTITY not in result.key
    assert stored.removeprefix("person:") not in result.key


async def test_the_grade_of_a_person_is_recorded_and_sent_to_nobody(make_world: MakeWorld) -> None:
    bound = {"rule_set": "nm-2023-draft", "kinds": ["individual"]}
    world = await make_world(scoring={"bindings": [bound]})
    conduct = {"subject_code": None, "identity_number": IDENTITY, "type": "individual.bad_service"}

    await world.take(event(1, details={"department": "甲市生态环境局"}, **conduct))
    await world.take(event(2, details={"department": "甲市生态环境局"}, **conduct))
    await world.take(event(3, details={"department": "乙市生态环境局"}, **conduct))
    await world.turn()

    assert await world.column("select to_grade from grade_change order by id") == [
        "未评为失信",
        "D",
    ]
    assert await world.states("bank") == []
    bodies = await world.column("select body::text from record_version")
    assert not any(IDENTITY in body for body in bodies)


async def test_a_database_opens_with_its_own_master_key_only(make_world: MakeWorld) -> None:
    world = await make_world()
    await world.take(person_penalty())

    with pytest.raises(BadConfiguration, match="放回原来的主密钥"):
        await make_world(master_key="another master key, just as long")
    with pytest.raises(BadConfiguration, match="没有"):
        await make_world(master_key=None)

    assert await world.value("select count(*) from subject") == 1
    await make_world()
