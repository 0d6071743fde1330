"""Why decisions were late, in the ledger of a month, from what really happened."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from connectors.memory import Step
from gateway.deliver.manual import retry_all
from gateway.deliver.register import Times, add_evidence, open_outage, void_outage
from gateway.ledger.causes import Cause
from gateway.ledger.timeliness import LATE
from gateway.store.account.evidence import About, Statement
from gateway.store.base.engine import Database
from tests.integration.ledger_world import World, penalty, world

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)


async def reasons(here: World) -> dict[str, str]:
    """Return document number → why it was late, of those that were."""
    ledger = await here.ledger()
    found = {}
    for row in ledger.rows:
        standing = row.standings["platform"]
        assert (standing.why is not None) == bool(LATE & set(standing.timeliness.values()))
        if standing.why is not None:
            found[row.document_number] = standing.why
    return found


async def test_each_late_decision_says_where_its_time_went(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    platform = here.connectors["platform"]
    in_time, entered, silent, held, rejected = (f"样环罚〔2026〕{n}号" for n in range(1, 6))
    await here.take_in([penalty(1), penalty(4, CF_CFJGDM="")])
    await here.deliver()
    platform.play(Step.SUBMIT, Step.REJECT)
    await here.take_in([penalty(3)])
    await here.deliver()
    await here.take_in([penalty(5)])
    await here.deliver()
    here.clock.step(7 * DAY)
    await here.take_in([penalty(2), penalty(4), penalty(5, CF_NR="罚款人民币二万元")])
    await here.deliver()

    found = await reasons(here)
    [together, *_] = (await here.ledger()).figures

    assert together.causes == {"录入晚": 1, "待补正": 1, "退回待更正": 1, "送达后无回执": 1}
    assert found.keys() == {entered, silent, held, rejected}
    assert in_time not in found
    assert found[entered].startswith("录入晚（录入晚 7天")
    assert found[silent].startswith("送达后无回执（")
    assert found[held].startswith("待补正（待补正 6天")
    assert found[rejected].startswith("退回待更正（")


async def test_the_ledger_tells_how_soon_decisions_were_entered(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path, entry_clock="entry-5")
    await here.take_in([penalty(1), penalty(2, CF_JDRQ="2026-10-09", CF_CFJG="样例县分局")])
    here.clock.step(20 * DAY)
    await here.take_in([penalty(3), penalty(4, state_secret="是")])

    ledger = await here.ledger()

    county, city = ledger.entries
    assert (county.authority, county.produced, county.timely) == ("样例县分局", 1, 1)
    assert (city.produced, city.timely, city.late, city.timely_rate.text) == (3, 1, 2, "33.33%")
    assert ledger.as_json()["entries"][0]["timely_rate"] == "100.00%"


async def test_an_outage_of_the_platform_is_its_own(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    start = here.clock()
    here.clock.step(7 * DAY)
    await here.take_in([penalty(2, CF_JDRQ="2026-10-13")])
    said = Statement("张三", "平台公告：升级改造")
    times = Times(start, here.clock())
    number = await open_outage(database, "platform", times, said, here.clock())
    await here.deliver()

    [why] = (await reasons(here)).values()
    [together, *_] = (await here.ledger()).figures
    [clock, *_] = together.clocks

    assert why.startswith("接收方中断（接收方中断 6天15小时，录入晚 9小时")
    assert (clock.late, clock.excused) == (1, 1)
    assert together.timely_rate(clock).text == "50.00%"
    assert together.timely_rate_without(clock).text == "100.00%"

    assert number is not None
    assert await void_outage(database, number, Statement("李四", "是我方断网"), here.clock())

    assert [one.split("（")[0] for one in (await reasons(here)).values()] == ["本系统待报送"]


async def test_the_ledger_shows_what_people_say_beside_the_cause(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    here.clock.step(8 * DAY)
    await here.deliver()
    async with database.transaction() as connection:
        number = await connection.scalar(text("select id from delivery where state = 'accepted'"))
    said = Statement("张三", "对方机房停电", ("停电通知.pdf", b"%PDF"))

    assert await add_evidence(database, About.DELIVERY, number, said, here.clock())
    assert not await add_evidence(database, About.DELIVERY, 1, said, here.clock())

    [row] = (await here.ledger()).rows
    standing = row.standings["platform"]
    assert standing.notes == ("张三：对方机房停电",)
    assert standing.cause is Cause.OURS


async def test_what_was_rejected_at_once_and_sent_again_waited_for_a_correction(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    here.connectors["platform"].play(Step.REJECT)
    await here.take_in([penalty(1)])
    here.clock.step(2 * DAY)
    await here.deliver()
    rejected_at = here.clock()
    here.clock.step(9 * DAY)
    async with database.transaction() as connection:
        number = await connection.scalar(text("select id from delivery"))
    await retry_all(database, [number], "张三", here.clock())
    await here.deliver()

    [row] = (await here.ledger()).rows

    standing = row.standings["platform"]
    assert standing.handed_over_at == rejected_at
    assert standing.why == "退回待更正（退回待更正 4天15小时，本系统待报送 2天，录入晚 9小时）"
