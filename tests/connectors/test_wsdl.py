"""The SOAP interface as another client reads it, zeep, by the description of the sandbox."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import zeep
from defusedxml.ElementTree import fromstring
from lxml import etree

from connectors.platform_api.soap_envelope import envelope
from connectors.sandbox import PlatformPlace, create_sandbox, serve_sandbox
from gateway.config.clock import system_clock

SERVICE = "services/InterfaceUploadService"
CALL = {
    "tableCode": "XZCF",
    "departmentCode": "410100",
    "tableVersionId": "1",
    "body": [{"CF_WSH": "样环罚字〔2026〕1号", "CF_NR": "罚款<2万元>&没收", "CF_XDR_SHXYM": "X"}],
}


@pytest.fixture
async def place() -> AsyncIterator[tuple[Any, str]]:
    sandbox = create_sandbox(system_clock, {"p": PlatformPlace()})
    async with serve_sandbox(sandbox) as url:
        yield sandbox.books["p"], f"{url}/p/{SERVICE}"


def client_of(url: str) -> Any:
    """Return a client that has read the description; the library has no types."""
    made: Any = zeep.Client
    return made(f"{url}?wsdl")


async def test_another_client_uploads_by_the_description(place: tuple[Any, str]) -> None:
    book, url = place

    def upload() -> dict[str, Any]:
        client = client_of(url)
        answer = client.service.execute(json.dumps(CALL))
        found: dict[str, Any] = json.loads(answer)
        return found

    answer = await asyncio.to_thread(upload)

    assert (answer["errorCode"], answer["successSize"]) == ("200", 1)
    [entry] = book.entries.values()
    assert entry.columns["CF_NR"] == CALL["body"][0]["CF_NR"]  # type: ignore[index]


async def test_our_envelope_is_what_the_description_asks_for(place: tuple[Any, str]) -> None:
    _, url = place

    def theirs() -> bytes:
        client = client_of(url)
        text = json.dumps(CALL, ensure_ascii=False, separators=(",", ":"))
        made = client.create_message(client.service, "repairData", text)
        return bytes(etree.tostring(made))

    ours = envelope("repairData", CALL, "http://service.upload.interfaces/", "arg0")

    assert _body(ours) == _body(await asyncio.to_thread(theirs))


def _body(text: bytes) -> list[tuple[str, str | None]]:
    """Return names and texts of the elements in the body of an envelope."""
    root = fromstring(text)
    body = next(one for one in root.iter() if one.tag.endswith("}Body"))
    return [(one.tag, one.text) for one in body.iter()]
