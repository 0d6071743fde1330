"""What became of what each source sent."""

from datetime import date, timedelta

import httpx
import orjson
import pytest

from connectors.memory import Step
from gateway.check.raw import Raw
from gateway.config.http_settings import HttpSettings
from gateway.intake.sources import SourceGrouping, SourceReport, report
from gateway.service.server import routers
from gateway.web.app import create_web
from gateway.web.health import Probes
from schemas.base import today
from schemas.codes import RecordKind
from tests.factories import AUTHORITY, penalty
from tests.integration.world import World

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)


async def sent(world: World, origin: str, *rows: dict[str, object]) -> None:
    raws = [Raw(origin, n, orjson.dumps(row), RecordKind.PENALTY) for n, row in enumerate(rows)]
    await world.gateway.pipeline.process(raws)


async def reported(
    world: World, by: SourceGrouping, day: date | None = None
) -> dict[str, SourceReport]:
    first = day or today(world.clock())
    found = await report(world.database, by, first, first + DAY, world.clock())
    return {one.source: one for one in found}


async def test_each_source_finds_what_became_of_its_items(world: World) -> None:
    world.connector().play(Step.ACCEPT)
    await sent(world, "kafka:c/penalties/0", penalty(1, 1), penalty(2, 2, CF_CFJGDM=""))
    await sent(
        world, "kafka:c/penalties/1", penalty(3, 3, state_secret="是"), penalty(4, CF_WSH="")
    )
    world.clock.step(timedelta(minutes=1))
    await sent(world, "file:abc", penalty(1, 1))
    await world.deliverer().drain()

    found = await reported(world, SourceGrouping.SOURCE)

    topic, file = found["kafka:c/penalties"], found["file:abc"]
    assert (topic.items, topic.repeats, topic.refused, topic.waiting) == (4, 0, 1, 1)
    assert (topic.incomplete, topic.excluded) == (1, 1)
    platform = topic.destinations["platform"]
    assert (platform.owed, platform.held, platform.accepted) == (2, 1, 1)
    assert str(platform.accepted_rate) == "0.5"
    assert (file.items, file.repeats, file.destinations) == (1, 1, {})


async def test_the_same_record_twice_in_one_batch_is_owed_once(world: World) -> None:
    await sent(world, "file:a", *[penalty(1, 1)] * 5)

    one = (await reported(world, SourceGrouping.SOURCE))["file:a"]

    assert (one.items, one.repeats) == (5, 4)
    assert one.destinations["platform"].owed == 1


async def test_authorities_and_days_are_told_apart(world: World) -> None:
    await sent(world, "file:a", penalty(1, 1), penalty(2, 2, CF_CFJG="样例县分局"))
    world.clock.step(DAY)
    await sent(world, "file:b", penalty(3, 3))
    world.clock.step(8 * DAY)

    before = await reported(world, SourceGrouping.AUTHORITY, today(world.clock() - 9 * DAY))
    after = await reported(world, SourceGrouping.AUTHORITY, today(world.clock() - 8 * DAY))

    assert {name: one.items for name, one in before.items()} == {AUTHORITY: 1, "样例县分局": 1}
    assert {name: one.items for name, one in after.items()} == {AUTHORITY: 1}
    assert after[AUTHORITY].destinations["platform"].overdue == 1


async def test_what_was_rejected_is_not_told_as_never_handed_over_too(world: World) -> None:
    world.connector().play(Step.REJECT)
    await sent(world, "file:a", penalty(1, 1))
    await world.deliverer().drain()
    world.clock.step(30 * DAY)

    day = today(world.clock() - 30 * DAY)
    platform = (await reported(world, SourceGrouping.SOURCE, day))["file:a"].destinations[
        "platform"
    ]

    assert (platform.owed, platform.handed_over, platform.rejected) == (1, 1, 1)
    assert platform.overdue == 0


async def test_only_those_who_watch_read_the_work_list(world: World) -> None:
    await world.take(penalty(1, CF_CFJGDM=""))
    settings = HttpSettings.model_validate({"api_keys": ["sender"], "operator_keys": ["watch"]})
    app = create_web(
        settings, routers(world.gateway), world.gateway.metrics, Probes({}, {}), lambda *_: None
    )
    transport = httpx.ASGITransport(app)

    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:

        async def asked(path: str, key: str) -> httpx.Response:
            return await client.get(path, headers={"X-Api-Key": key})

        answer = await asked("/v1/worklist?destination=platform&by=actor&limit=1", "watch")
        refused = [
            (await asked("/v1/worklist", "sender")).status_code,
            (await asked("/v1/worklist", "")).status_code,
        ]
        titled = await asked("/v1/worklist?destination=样例平台&state=待补正", "watch")
        unknown = {
            query: await asked(f"/v1/{query}", "watch")
            for query in (
                "worklist?state=nothing",
                "worklist?destination=nosuch",
                "worklist?authority=样例",
                "worklist?within=abc",
                "results?orign=x",
                "sources?since=2026-10-01&until=2026-10-01&day=1",
                "worklist?by=x&limit=0&within_hours=abc",
                "sources?until=bad",
            )
        }
        metrics = [(await asked("/metrics", key)).status_code for key in ("watch", "sender")]
        post = await client.post("/v1/intake/penalty", json={}, headers={"X-Api-Key": "watch"})

    [row] = answer.json()["rows"]
    assert (row["state"], row["actor"], row["late"]) == ("held", "经办人员", "不处理会超期")
    assert [group["name"] for group in answer.json()["groups"]] == ["经办人员"]
    assert refused == [401, 401]
    assert post.status_code == 401
    assert len(titled.json()["rows"]) == 1
    assert [one.status_code for one in unknown.values()] == [422] * len(unknown)
    said = {query: one.json()["detail"] for query, one in unknown.items()}
    assert said["worklist?state=nothing"].startswith(
        "state：“nothing”应为 held（待补正）、waiting（排队）、"
    )
    assert said["worklist?by=x&limit=0&within_hours=abc"] == (
        "within_hours：“abc”应为数字；by：“x”应为 destination、authority、state、actor 之一；"
        "limit：“0”应不小于 1"
    )
    assert said["sources?until=bad"] == "since：没有写；until：“bad”不是日期，写成 2026-10-01"
    assert [words.split("；")[0] for words in said.values()][1:-2] == [
        "没有报送对象 nosuch",
        "没有收到过机关“样例”的决定",
        "没有参数 within",
        "没有参数 orign",
        "没有参数 day",
    ]
    assert AUTHORITY in said["worklist?authority=样例"]
    assert metrics == [200, 200]


async def test_an_item_is_found_by_its_number_its_place_and_its_file_over_http(
    world: World,
) -> None:
    await sent(world, "file:abc", penalty(1, 1), penalty(2, 2))
    world.clock.step(timedelta(minutes=1))
    await sent(world, "kafka:c/penalties/0", penalty(1, 1, CF_NR="更正"))
    keys = HttpSettings.model_validate({"api_keys": ["sender"], "operator_keys": ["watcher"]})
    app = create_web(
        keys, routers(world.gateway), world.gateway.metrics, Probes({}, {}), lambda *_: None
    )
    number = {"number": str(penalty(1, 1)["CF_WSH"]).replace("〔", "(").replace("〕", ")")}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://gateway/v1", headers={"X-Api-Key": "watcher"}
    ) as client:
        of_number = (await client.get("/results", params=number)).json()
        of_file = (await client.get("/results", params={"origin": "file:abc"})).json()
        one = (await client.get("/results", params={"origin": "file:abc", "position": 1})).json()
        nothing = await client.get("/results", params={"origin": "file:none"})
        both = await client.get("/results", params={**number, "origin": "file:abc"})
        day = today(world.clock()).isoformat()
        sources = await client.get("/sources", params={"since": day, "until": day})
        sender = await client.get("/results", params=number, headers={"X-Api-Key": "sender"})

    assert [item["origin"] for item in of_number] == ["file:abc", "kafka:c/penalties/0"]
    assert [item["version"] for item in of_number] == [1, 2]
    assert [item["newer"] for item in of_number] == [True, False]
    assert [item["position"] for item in of_file] == [0, 1]
    assert [item["position"] for item in one] == [1]
    assert {each["source"] for each in sources.json()} == {"file:abc", "kafka:c/penalties"}
    assert [each.status_code for each in (nothing, both, sender)] == [404, 422, 401]
