"""HTTP intake and the health endpoints, called as an ASGI application."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest

from gateway.config.http_settings import HttpSettings
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.service.server import routers
from gateway.web.app import create_web
from gateway.web.health import Probes
from tests.conftest import execute
from tests.factories import IDENTITY, penalty, person_penalty
from tests.integration.world import World

pytestmark = pytest.mark.integration

KEY = {"X-Api-Key": "the key"}
URL = "/v1/intake/penalty"


async def well() -> str | None:
    return None


async def unwell() -> str | None:
    return "没有分配到 Kafka 分区"


def client_of(world: World, probes: Probes | None = None) -> httpx.AsyncClient:
    settings = HttpSettings.model_validate({"api_keys": ["the key"], "max_body_bytes": 100_000})
    gateway = world.gateway
    app = create_web(
        settings, routers(gateway), gateway.metrics, probes or Probes({}, {}), lambda *_: None
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(world) as made:
        yield made


@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "wrong"}, {"Authorization": "Bearer no"}])
@pytest.mark.parametrize("path", [URL, "/metrics", "/openapi.json", "/nowhere"])
async def test_only_health_checks_answer_without_a_key(
    client: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    assert (await client.get(path, headers=headers)).status_code == 401


@pytest.mark.parametrize("headers", [KEY, {"Authorization": "Bearer the key"}])
async def test_a_request_with_a_key_is_accepted(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.post(URL, json=penalty(), headers=headers)

    assert (answer.status_code, answer.json()[0]["verdict"]) == (200, "ok")


async def test_without_configured_keys_every_request_is_refused(world: World) -> None:
    gateway = world.gateway
    app = create_web(
        HttpSettings(), routers(gateway), gateway.metrics, Probes({}, {}), lambda *_: None
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://gateway"
    ) as client:
        answers = [await client.post(URL, headers={"X-Api-Key": key}) for key in ("", "x")]

    assert [answer.status_code for answer in answers] == [401, 401]


async def test_every_record_has_its_result(client: httpx.AsyncClient, world: World) -> None:
    rows = [penalty(1), penalty(2, CF_WSH=None), penalty(3, CF_YXQ=None), penalty(1)]

    answer = await client.post(URL, json=rows, headers=KEY)

    found = answer.json()
    assert [one["verdict"] for one in found] == ["ok", "refused", "incomplete", "ok"]
    assert [one["index"] for one in found] == [0, 1, 2, 3]
    assert [one["repeat"] for one in found] == [False, False, False, True]
    assert found[1]["problems"][0]["field"] == "CF_WSH"
    assert found[1]["quarantine_id"] is not None
    assert await world.value("select count(*) from decision") == 2


async def test_an_answered_record_is_committed(client: httpx.AsyncClient, world: World) -> None:
    await client.post(URL, json=penalty(), headers=KEY)

    assert await world.value("select count(*) from record_version") == 1


async def test_the_same_body_again_is_a_repeat(client: httpx.AsyncClient) -> None:
    answers = [await client.post(URL, json=penalty(), headers=KEY) for _ in range(2)]

    assert [answer.json()[0]["repeat"] for answer in answers] == [False, True]


async def test_a_content_that_comes_back_without_a_key_is_a_correction(
    client: httpx.AsyncClient, world: World
) -> None:
    first, second = penalty(CF_NR_FK="2"), penalty(CF_NR_FK="3")

    answers = [await client.post(URL, json=body, headers=KEY) for body in (first, second, first)]

    assert [answer.json()[0]["repeat"] for answer in answers] == [False, False, False]
    fine = "select body ->> 'CF_NR_FK' from record_version order by version desc limit 1"
    assert await world.value(fine) == "2"


async def test_of_two_bodies_at_once_with_one_idempotency_key_one_is_refused(
    client: httpx.AsyncClient, world: World
) -> None:
    headers = {**KEY, "Idempotency-Key": "one"}
    together = (client.post(URL, json=penalty(n), headers=headers) for n in range(1, 7))

    answers = await asyncio.gather(*together)

    assert sorted(answer.status_code for answer in answers) == [200, *[422] * 5]
    assert await world.value("select count(*) from decision") == 1


async def test_an_idempotency_key_with_the_same_body_is_a_repeat(
    client: httpx.AsyncClient,
) -> None:
    headers = {**KEY, "Idempotency-Key": "one"}

    answers = [await client.post(URL, json=penalty(), headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].json()[0]["repeat"] is True


@pytest.mark.parametrize("blank", ["", "  "])
async def test_a_blank_idempotency_key_is_none(client: httpx.AsyncClient, blank: str) -> None:
    headers = {**KEY, "Idempotency-Key": blank}

    answers = [await client.post(URL, json=penalty(n, n), headers=headers) for n in (1, 2)]

    assert [answer.status_code for answer in answers] == [200, 200]


async def test_an_idempotency_key_with_another_body_is_refused(
    client: httpx.AsyncClient, world: World
) -> None:
    headers = {**KEY, "Idempotency-Key": "one"}
    await client.post(URL, json=penalty(1), headers=headers)

    answer = await client.post(URL, json=penalty(2), headers=headers)

    assert answer.status_code == 422
    assert await world.value("select count(*) from decision") == 1


@pytest.mark.parametrize("body", [b"", b"{", b'"text"', b"\xff", b"[1,"])
async def test_an_unreadable_body_is_one_refused_item(
    client: httpx.AsyncClient, body: bytes
) -> None:
    answer = await client.post(URL, content=body, headers=KEY)

    assert (answer.status_code, [one["verdict"] for one in answer.json()]) == (200, ["refused"])


async def test_a_bad_element_is_refused_without_the_rest_of_the_list(
    client: httpx.AsyncClient, world: World
) -> None:
    good, bad = orjson.dumps(penalty(1)), b'{"CF_WSH": "\\ud800"}'

    answer = await client.post(URL, content=b"[" + good + b", " + bad + b"]", headers=KEY)

    assert [one["verdict"] for one in answer.json()] == ["ok", "refused"]
    sealed = await world.value("select bytes from quarantine")
    assert world.gateway.keys.decrypt(sealed, 1) == bad


async def test_an_empty_list_gives_no_result(client: httpx.AsyncClient) -> None:
    answer = await client.post(URL, json=[], headers=KEY)

    assert (answer.status_code, answer.json()) == (200, [])


async def test_a_body_beyond_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(URL, content=b"x" * 100_001, headers=KEY)

    assert answer.status_code == 413


async def test_a_chunked_body_is_refused(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"

    answer = await client.post(URL, content=chunks(), headers=KEY)

    assert answer.status_code == 411


async def test_too_many_records_are_refused(client: httpx.AsyncClient, world: World) -> None:
    answer = await client.post(URL, content=b"[" + b"1," * 10_000 + b"1]", headers=KEY)

    assert answer.status_code == 413
    assert await world.value("select count(*) from quarantine") == 0


async def test_an_unknown_kind_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/intake/fine", json={}, headers=KEY)).status_code == 422


async def test_the_answer_about_a_person_has_no_identity_number(client: httpx.AsyncClient) -> None:
    answer = await client.post(URL, json=person_penalty(), headers=KEY)

    assert IDENTITY not in answer.text


async def test_without_a_database_a_request_gets_503(
    client: httpx.AsyncClient, world: World, postgres: EmbeddedPostgres
) -> None:
    name = world.database.engine.url.database
    await world.database.close()
    await execute(postgres, f"alter database {name} allow_connections false")
    try:
        plain = await client.post(URL, json=penalty(), headers=KEY)
        keyed = await client.post(URL, json=penalty(), headers={**KEY, "Idempotency-Key": "one"})
    finally:
        await execute(postgres, f"alter database {name} allow_connections true")

    assert [plain.status_code, keyed.status_code] == [503, 503]


async def test_health_needs_no_key(world: World) -> None:
    async with client_of(world, Probes({"tasks": well}, {"database": well})) as client:
        answers = [await client.get(path) for path in ("/health/live", "/health/ready")]

    assert [answer.status_code for answer in answers] == [200, 200]


async def test_a_process_that_is_not_ready_can_be_live(world: World) -> None:
    async with client_of(world, Probes({"tasks": well}, {"intake": unwell})) as client:
        live, ready = await client.get("/health/live"), await client.get("/health/ready")

    assert (live.status_code, ready.status_code) == (200, 503)
    assert ready.json()["problems"] == {"intake": "没有分配到 Kafka 分区"}


async def test_metrics_can_be_read_with_the_key(client: httpx.AsyncClient) -> None:
    await client.post(URL, json=penalty(), headers=KEY)

    text = (await client.get("/metrics", headers=KEY)).text

    assert 'credit_gateway_records_total{kind="penalty",verdict="ok"} 1.0' in text
