"""The sandbox's knobs over HTTP."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors import build
from connectors.errors import ConnectorError
from connectors.sandbox import Faults, PlatformPlace, create_sandbox
from connectors.sandbox.book import Entry
from connectors.sandbox.odd import ODDITIES
from gateway.config.clock import system_clock
from schemas.delivery import Item, OutcomeKind

ItemFactory = Callable[..., Item]
ROW = {"key": "k", "kind": "penalty", "verb": "new", "version": 1, "columns": {"CF_WSH": "一号"}}


async def test_faults_are_changed_shown_and_cleared_over_http(url: str) -> None:
    async with httpx.AsyncClient(base_url=f"{url}/credit/control") as control:
        set_ = await control.post("/faults", json={"mode": "submit", "receipt_after": 5})
        more = await control.post("/faults", json={"drop_answers": 2})
        bad = await control.post("/faults", json={"colour": "red"})
        right = await control.delete("/faults")

    assert set_.json()["mode"] == "submit"
    assert (more.json()["mode"], more.json()["drop_answers"]) == ("submit", 2)
    assert bad.status_code == 422
    assert right.json() == Faults().model_dump(mode="json")


async def test_state_counts_effects_per_key_and_per_document_and_finds_doubled_ones(
    url: str,
) -> None:
    async with httpx.AsyncClient(base_url=f"{url}/credit") as platform:
        for key in ("k", "k", "other"):
            await platform.post("/records", json={"items": [{**ROW, "key": key}]})
        state = (await platform.get("/control/state")).json()
        await platform.post("/control/reset")
        after = (await platform.get("/control/state")).json()

    assert state["effects"] == {"k": 1, "other": 1}
    assert state["received"] == {"k": 2, "other": 1}
    assert state["effects_by_document"] == [
        {"document_number": "一号", "subject_code": "", "effects": 2}
    ]
    assert state["doubled"] == [["一号", ""]]
    assert after["effects"] == {}


async def test_a_request_whose_sender_is_gone_before_its_end_has_no_effect(
    url: str, sandbox: Any, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = url.removeprefix("http://").split(":")
    _, half = await asyncio.open_connection(host, int(port))
    half.write(b"POST /credit/records HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n[")
    await half.drain()
    half.close()
    await half.wait_closed()

    async with httpx.AsyncClient(base_url=f"{url}/credit") as platform:
        whole = await platform.post("/records", json={"items": [ROW]})
    assert whole.is_success
    assert sandbox.books["credit"].calls == {"records": 1}
    assert [one.getMessage() for one in caplog.records if one.name == "uvicorn.error"] == []


async def test_a_dropped_answer_is_a_closed_connection_without_a_byte(
    url: str, sandbox: Any
) -> None:
    sandbox.order("credit", drop_answers=1)

    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            await client.post(f"{url}/credit/records", json={"items": [ROW]})

    assert sandbox.books["credit"].state()["effects"] == {"k": 1}


async def test_a_place_that_is_down_answers_again_at_the_set_time(
    url: str, sandbox: Any, clock: Any
) -> None:
    sandbox.order("credit", down="503", down_until=clock() + timedelta(hours=1))

    async with httpx.AsyncClient(base_url=f"{url}/credit") as client:
        before = await client.get("/health")
        clock.move(timedelta(hours=1))
        after = await client.get("/health")

    assert (before.status_code, after.status_code) == (503, 200)


async def test_the_root_lists_the_places_and_an_unknown_place_is_not_found(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        places = await client.get("/")
        nowhere = await client.get("/nowhere/health")

    assert places.json() == ["bank", "credit"]
    assert nowhere.status_code == 404


@pytest.mark.parametrize("name", ODDITIES)
async def test_each_odd_answer_is_read_or_told(
    name: str, url: str, sandbox: Any, clock: Any, item: ItemFactory
) -> None:
    odd = ODDITIES[name]
    sandbox.order("credit", odd=name)
    settings = {"url": f"{url}/credit", "allow_private": True}
    more = {"department_code": "410100"} if odd.interface == "soap" else {}
    connector = build(f"platform-{odd.interface}", settings | more, clock)
    try:
        outcomes = await connector.send([item(1), item(2)])
        told = ""
    except ConnectorError as error:
        outcomes, told = [], str(error)
    await connector.close()

    assert (len(outcomes) == 2) == odd.read
    assert {one.kind for one in outcomes} <= {OutcomeKind.ACCEPTED, OutcomeKind.ACCEPTED_BLIND}
    assert odd.read or any("\u4e00" <= letter <= "\u9fff" for letter in told)


def test_each_odd_answer_is_listed_for_engineers_of_platforms() -> None:
    text = Path("ARCHITECTURE.md").read_text(encoding="utf-8")

    assert [name for name in ODDITIES if f"`{name}`" not in text] == []


def test_a_place_that_begins_anew_gives_its_receipts_from_the_first() -> None:
    """A gateway that has read more of them before a restart of the sandbox would get none again."""
    book = create_sandbox(system_clock, {"p": PlatformPlace()}).books["p"]
    entry = Entry("key-1", "penalty", "new", 1, {}, "accepted", system_clock())
    book.schedule(entry, system_clock(), "accepted", [])

    page, cursor = book.receipts("30")

    assert ([one["key"] for one in page], cursor) == (["key-1"], "1")
