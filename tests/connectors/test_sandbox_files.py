"""The sandbox as a platform that takes files by SFTP, and answers by files."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors import build
from connectors.errors import CallRejected, ConnectorError, OutcomeUnknown
from connectors.file_drop import FileDrop
from connectors.sandbox import FilesPlace, Sandbox, create_sandbox, serve_files, serve_sandbox
from schemas.delivery import Item
from tests.connectors.conftest import SteppedClock
from tests.connectors.file_servers import all_receipts

ItemFactory = Callable[..., Item]
PLACE = "province"


@pytest.fixture
def sandbox(clock: SteppedClock, tmp_path: Path) -> Sandbox:
    place = FilesPlace.model_validate({"folder": tmp_path / "files", "password": "s3cret-word"})
    return create_sandbox(clock, {PLACE: place})


@pytest.fixture
async def settings(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    async with serve_files(sandbox, tmp_path / "host_key") as address:
        table = {"key_column": "CG_KEY", "status_column": "CF_ZT"}
        yield {
            "protocol": "sftp",
            "host": address.host,
            "port": address.port,
            "host_key": address.host_key,
            "username": PLACE,
            "password": "s3cret-word",
            "upload_folder": "in",
            "tables": {"penalty": {"code": "001501", **table}},
            "answers": {
                "folder": "out",
                "done_folder": "out/read",
                "key_field": "KEY",
                "document_field": "CF_WSH",
            },
            "call_timeout": 5,
        }


@pytest.fixture
def connector(settings: dict[str, Any], clock: SteppedClock) -> FileDrop:
    made = build("file-drop", settings, clock)
    assert isinstance(made, FileDrop)
    return made


def marked(item: ItemFactory, number: int, mark: str) -> Item:
    document = f"样环罚字〔2026〕{number}号-演练-{mark}"
    return item(number, columns={"CF_WSH": document}, document_number=document)


async def verdicts(connector: FileDrop) -> dict[str, tuple[bool, str]]:
    told = await all_receipts(connector)
    return {one.key: (one.accepted, "；".join(one.reasons)) for one in told}


async def test_each_row_of_a_file_is_taken_and_answered_once(
    connector: FileDrop, sandbox: Sandbox, item: ItemFactory
) -> None:
    sent = await connector.send([item(1), marked(item, 2, "退回"), item(3)])
    told = await all_receipts(connector)
    again = await all_receipts(connector)

    assert [one.kind for one in sent] == ["submitted"] * 3
    assert {one.key: one.accepted for one in told} == {
        "key-1": True,
        "key-2": False,
        "key-3": True,
    }
    assert again == []
    state = sandbox.books[PLACE].state()
    assert state["effects"] == {"key-1": 1, "key-3": 1}
    assert [one["document_number"] for one in state["entries"]] == [
        "豫环罚决字〔2026〕1号",
        "豫环罚决字〔2026〕3号",
    ]


async def test_an_answer_that_comes_later_is_a_file_of_its_own(
    connector: FileDrop, item: ItemFactory, clock: SteppedClock
) -> None:
    marks = ("入库", "稍后入库", "事后退回", "无回执")
    rows = [marked(item, number, mark) for number, mark in enumerate(marks, start=1)]

    await connector.send(rows)
    early = await verdicts(connector)
    clock.move(timedelta(seconds=30))
    late = await verdicts(connector)

    assert {key: accepted for key, (accepted, _) in early.items()} == {"key-1": True}
    assert {key: accepted for key, (accepted, _) in late.items()} == {
        "key-2": True,
        "key-3": False,
    }


async def test_a_file_whose_answer_is_lost_is_found_and_not_sent_again(
    connector: FileDrop, sandbox: Sandbox, item: ItemFactory
) -> None:
    sandbox.rehearse(PLACE, "drop_after_store", 1)

    with pytest.raises(OutcomeUnknown):
        await connector.send([item(1)])
    [found] = await connector.look_up([item(1)])

    assert found.kind == "submitted"
    assert (await verdicts(connector))["key-1"][0]
    assert sandbox.books[PLACE].state()["effects"] == {"key-1": 1}


@pytest.mark.parametrize("name", ["duplicate_answer", "wrong_count", "wrong_encoding"])
async def test_an_odd_answer_is_read(
    connector: FileDrop, sandbox: Sandbox, item: ItemFactory, name: str
) -> None:
    sandbox.rehearse(PLACE, name, 1)

    await connector.send([item(1), marked(item, 2, "退回")])

    told = await verdicts(connector)
    assert (told["key-1"], told["key-2"][0]) == ((True, ""), False)
    assert "未查询到主体" in told["key-2"][1]


async def test_a_platform_that_is_down_takes_the_file_later_and_once(
    connector: FileDrop, sandbox: Sandbox, item: ItemFactory
) -> None:
    row = marked(item, 1, "停机")

    for _ in range(3):
        with pytest.raises(ConnectorError, match="service suspended"):
            await connector.send([row])
    [found] = await connector.send([row])

    assert found.kind == "submitted"
    assert sandbox.books[PLACE].state()["effects"] == {"key-1": 1}


async def test_a_wrong_password_or_an_unknown_place_is_refused(
    settings: dict[str, Any], clock: SteppedClock, item: ItemFactory
) -> None:
    for wrong in ({"password": "other"}, {"username": "nobody"}):
        with pytest.raises(CallRejected, match="登录被拒绝"):
            await build("file-drop", settings | wrong, clock).send([item(1)])


async def test_it_is_controlled_over_http_as_the_others(
    connector: FileDrop, sandbox: Sandbox, item: ItemFactory
) -> None:
    async with serve_sandbox(sandbox) as url, httpx.AsyncClient(base_url=url) as client:
        ordered = await client.put(f"/{PLACE}/control/rehearsal", json={"name": "reject"})
        refused = await client.put(f"/{PLACE}/control/rehearsal", json={"name": "html_200"})
        await connector.send([item(1)])
        state = (await client.get(f"/{PLACE}/control/state")).json()

    assert (ordered.status_code, refused.status_code) == (200, 422)
    assert state["effects"] == {}
    assert not (await verdicts(connector))["key-1"][0]


async def test_the_key_of_the_host_stays_the_same(sandbox: Sandbox, tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        async with serve_files(sandbox, tmp_path / "other" / "host_key") as address:
            keys.append(address.host_key)

    assert keys[0] == keys[1]
