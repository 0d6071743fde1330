"""A neighbour whose answers a test writes, and the connector that calls it."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from connectors import build
from connectors.protocol import Connector
from connectors.shared import Clock
from tests.connectors.raw_server import answer, raw_server, request_of

Respond = Callable[[str, str], Awaitable[bytes] | bytes]


def connector(kind: str, url: str, clock: Clock, **more: Any) -> Connector:
    settings = {"url": url, "allow_private": True, "call_timeout": 2, **more}
    if kind == "platform-soap":
        settings["department_code"] = "1"
    return build(kind, settings, clock)


def serving(respond: Respond) -> Any:
    """Serve with a function of path and request, on every connection."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = (await request_of(reader)).decode()
            told = respond(request.split()[1], request)
            writer.write(told if isinstance(told, bytes) else await told)
            await writer.drain()

    return raw_server(handler)


def results(keys: list[str], **more: Any) -> bytes:
    rows = [{"key": key, "status": "accepted", **more} for key in keys]
    return answer(json.dumps({"results": rows}).encode())


def keys_of(request: str) -> list[str]:
    found = re.findall(r'"key":"([^"]*)"', request)
    return found or json.loads(request.partition("\r\n\r\n")[2])["keys"]


def login_at(url: str) -> dict[str, Any]:
    """Return the settings of a login at /login."""
    return {"url": f"{url}/login", "body": {"u": "u"}}
