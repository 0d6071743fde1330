"""Files by HTTP: as the command takes them, in one answer."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from hashlib import sha256
from typing import Any

import httpx
import orjson
import pytest

from gateway.config.http_settings import HttpSettings
from gateway.intake.results import results
from gateway.intake.sources import SourceGrouping, report
from gateway.service.server import routers
from gateway.web.app import create_web
from gateway.web.health import Probes
from schemas.base import SHANGHAI, today
from schemas.identifiers import masked
from tests.bureau_files import DAY, FILES, LETTERS, READ, REFUSED
from tests.factories import IDENTITY, penalty
from tests.integration.world import World

pytestmark = pytest.mark.integration
URL = "/v1/intake/files"


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    world.clock.set(datetime.combine(DAY, time(12), SHANGHAI))
    gateway = world.gateway
    settings = HttpSettings.model_validate({"api_keys": ["the key"]})
    app = create_web(settings, routers(gateway), gateway.metrics, Probes({}, {}), lambda *_: None)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://gateway",
        headers={"X-Api-Key": "the key"},
    ) as made:
        yield made


async def post(client: httpx.AsyncClient, name: str, **options: Any) -> httpx.Response:
    return await client.post(URL, content=(FILES / name).read_bytes(), params=options)


async def test_every_file_of_bureaus_is_taken_as_the_command_takes_it(
    client: httpx.AsyncClient,
) -> None:
    for name, (verdicts, _) in READ.items():
        answer = await post(client, name)

        counts = Counter(verdicts)
        found = answer.json()
        assert answer.status_code == 200, name
        assert {letter: found[word] for word, letter in LETTERS.items()} == {
            letter: counts[letter] for letter in LETTERS.values()
        }, name
        assert found["stopped"] is None


@pytest.mark.parametrize("name", REFUSED)
async def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(
    client: httpx.AsyncClient, name: str
) -> None:
    answer = await post(client, name)

    assert answer.status_code == 422
    assert [words for words in REFUSED[name] if words not in answer.json()["stopped"]] == []


async def test_a_file_in_a_form_is_refused_with_how_to_send_it(client: httpx.AsyncClient) -> None:
    answer = await client.post(URL, files={"file": ("in.csv", b"CF_WSH")})

    assert answer.status_code == 415
    assert "curl --data-binary @file" in answer.json()["detail"]


async def test_a_wrong_option_is_told_in_chinese(client: httpx.AsyncClient) -> None:
    answers = [
        await client.post(URL, content=b"[]", params={"kind": "fine"}),
        await client.post("/v1/intake/fine", content=b"[]"),
        await client.post(URL, content=b"[]", params={"whole": "maybe"}),
    ]

    assert [answer.status_code for answer in answers] == [422] * 3
    kind, path, whole = (answer.json()["detail"] for answer in answers)
    assert kind == path
    assert kind.startswith("kind：“fine”应为 ")
    assert "penalty（行政处罚）" in kind
    assert whole == "whole：“maybe”应为 true 或 false"


async def test_a_whole_file_with_one_bad_row_leaves_nothing(
    client: httpx.AsyncClient, world: World
) -> None:
    answer = await post(client, "13-cut-character/chinese.csv", whole=True, rows=True)

    found = answer.json()
    assert (answer.status_code, found["taken"]) == (422, False)
    assert found["stopped"] == "1 条有问题，要求整份接收"
    assert [row["place"] for row in found["rows"]] == ["第22行"]
    assert await world.rows("select id from record_version") == []
    assert await world.rows("select id from quarantine") == []


async def test_a_whole_file_without_problems_is_taken_and_again_changes_nothing(
    client: httpx.AsyncClient, world: World
) -> None:
    first = await post(client, "20-partial-workbook/in.xlsx", whole=True)
    again = await post(client, "20-partial-workbook/in.xlsx")

    assert (first.status_code, first.json()["ok"], first.json()["repeats"]) == (200, 1500, 0)
    assert (again.json()["ok"], again.json()["repeats"]) == (1500, 1500)
    assert len(await world.rows("select id from record_version")) == 1500


async def test_the_rows_are_listed_on_request_with_their_sheet(client: httpx.AsyncClient) -> None:
    answer = await post(client, "03-notes-rows/in.xlsx", rows=True)

    places = [(row["place"], row["verdict"]) for row in answer.json()["rows"]]
    assert places == [("“Sheet1”表第3行", "ok"), ("“Sheet1”表第4行", "ok")]
    assert answer.json()["file"]["tables"][0]["skipped"] == {"填报说明或表尾文字": [2, 5]}


async def test_of_two_rows_that_differ_in_one_decision_the_second_is_refused(
    client: httpx.AsyncClient,
) -> None:
    rows = [penalty(1), penalty(1, CF_NR_FK="3", CF_NR="处罚款人民币30000元")]
    body = b"\n".join(map(orjson.dumps, rows))

    answer = (await client.post(URL, content=body)).json()

    assert (answer["ok"], answer["refused"]) == (1, 1)
    assert "号 在第1行和第2行，内容不同" in answer["problems"][0]["message"]


async def test_a_file_is_found_by_the_name_that_it_had(
    client: httpx.AsyncClient, world: World
) -> None:
    body = orjson.dumps(penalty(1))
    name = f"十月-{IDENTITY}.json"
    await client.post(URL, content=body, params={"name": name})
    await client.post(URL, content=orjson.dumps(penalty(2)))

    day = today(world.clock())
    args = day, day + timedelta(days=1), world.clock()
    found = await report(world.database, SourceGrouping.SOURCE, *args)
    by_authority = await report(world.database, SourceGrouping.AUTHORITY, *args)
    [item] = [one async for one in results(world.database, f"file:{sha256(body).hexdigest()}")]

    assert item.file_name == name.replace(IDENTITY, masked(IDENTITY))
    assert sorted(one.file_name or "" for one in found) == ["", item.file_name]
    assert [one.file_name for one in by_authority] == [None]
    assert [one.items for one in by_authority] == [2]
