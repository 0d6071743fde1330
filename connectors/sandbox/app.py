"""The sandbox as an ASGI application: `/{name}/…` is one place, `/{name}/control/…` controls it.

control/rehearsal: GET shows the rehearsals 演练 and what is ordered, PUT orders one by its name,
for so many calls or until DELETE ends it (`rehearsals.py`).
control/faults: GET shows the faults, POST changes the given fields, DELETE clears all faults.
control/state: GET shows everything stored and counted. control/reset: POST empties the place.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import ValidationError

from connectors.sandbox import bank_side, control, json_side, soap_side
from connectors.sandbox.book import Book
from connectors.sandbox.faults import Faults
from connectors.sandbox.odd import ODDITIES
from connectors.sandbox.places import (
    Asked,
    BankPlace,
    Place,
    PlatformPlace,
    Reply,
    json_reply,
)
from connectors.sandbox.rehearsals import SIGN, Interface
from connectors.shared import Clock

AsgiScope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Handler = Callable[[Book, Asked], Reply]
P = TypeVar("P", bound=Place)

_MISSING = Reply(404)
_UPLOAD = "services/InterfaceUploadService"
#: The calls that hand something over.
_HANDS_OVER: dict[tuple[str, str], Interface] = {
    ("POST", "records"): "json",
    ("POST", _UPLOAD): "soap",
    ("POST", "webhook"): "bank",
}
_INTERFACES: dict[str, frozenset[Interface]] = {
    "platform": frozenset({"json", "soap"}),
    "bank": frozenset({"bank"}),
    "files": frozenset({"files"}),
    "exchange": frozenset({"database"}),
    "mailbox": frozenset({"mail"}),
    "topic": frozenset({"kafka"}),
}
_DOCUMENTS: dict[Interface | None, Callable[[Asked], list[str]]] = {
    "json": json_side.documents,
    "soap": soap_side.documents,
}
#: What the body of a call with a mark has in it, in plain text or escaped.
_SIGNS = (SIGN.encode(), SIGN.encode("unicode_escape"))


def create_sandbox(now: Clock, places: Mapping[str, Place]) -> "Sandbox":
    """Make a sandbox of named platforms and bank receivers; `now` is its clock."""
    return Sandbox(now, places)


class Sandbox:
    """The application; `books` has the data of each place, `order` sets its faults."""

    def __init__(self, now: Clock, places: Mapping[str, Place]) -> None:
        self._now = now
        self._places = dict(places)
        self._routes = {name: _routes(place) for name, place in self._places.items()}
        self.books: dict[str, Book] = {name: self._new(name) for name in self._places}

    def order(self, name: str, **faults: Any) -> None:
        """Change the given faults of a place and leave the others."""
        known = self.books[name].faults.model_dump()
        self.books[name].faults = Faults.model_validate({**known, **faults})

    def rehearse(self, name: str, rehearsal: str, calls: int | None = None) -> None:
        """Let a place answer its next calls by a rehearsal; without a number, all of them."""
        self.books[name].rehearsing.order(rehearsal, calls)

    def forget(self, name: str) -> None:
        """Empty a place and clear its faults."""
        self.books[name] = self._new(name)

    def _new(self, name: str) -> Book:
        place = self._places[name]
        return Book(self._now, marks=not isinstance(place, BankPlace) and place.marks)

    def places_of(self, kind: type[P]) -> dict[str, P]:
        """Return the places of a kind, by name; of those without HTTP, for the server they have."""
        found = self._places.items()
        return {name: place for name, place in found if isinstance(place, kind)}

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        asked = await _asked(scope, receive)
        if asked is None:
            return
        _, name, path = [*asked.path.split("/", 2), ""][:3]
        if name not in self._places:
            await _answer(send, _MISSING if name else json_reply(sorted(self._places)))
        elif path.startswith("control/"):
            await _answer(send, self._control(name, path, asked))
        elif (reply := await self._misbehave(name, path, asked)) is None:
            await _vanish(scope, receive, send)
        elif reply.wire is not None:
            await _on_the_wire(scope, receive, reply)
        else:
            await _answer(send, reply)

    async def _misbehave(self, name: str, path: str, asked: Asked) -> Reply | None:
        """Handle a request with the current faults; None: close the connection, do not answer."""
        book = self.books[name]
        book.calls[path] += 1
        faults = self._faults_of(book, path, asked)
        if faults.is_down(self._now()):
            return None if faults.down == "closed" else _paused(503, faults)
        if faults.takes("refuse_calls"):
            return _paused(faults.refuse_status, faults)
        book.acting = faults
        reply = self._handle(name, path, asked)
        if faults.slow:
            await asyncio.sleep(faults.slow)
        if reply.handed_over and faults.takes("drop_answers"):
            return None
        if reply.handed_over and faults.takes("fail_answers"):
            return Reply(500)
        if reply.handed_over and faults.odd:
            return ODDITIES[faults.odd].change(reply)
        return reply

    def _faults_of(self, book: Book, path: str, asked: Asked) -> Faults:
        """Return the faults of a call: those of a rehearsal go before those of the place."""
        interface = _HANDS_OVER.get((asked.method, path))
        read = _DOCUMENTS.get(interface) if any(sign in asked.body for sign in _SIGNS) else None
        return book.faults_of_call(interface, read(asked) if read else ())

    def _handle(self, name: str, path: str, asked: Asked) -> Reply:
        handler = self._routes[name].get((asked.method, path))
        if handler is None:
            return _MISSING
        if not _permitted(self._places[name], asked):
            return Reply(401)
        return handler(self.books[name], asked)

    def _control(self, name: str, path: str, asked: Asked) -> Reply:
        if (asked.method, path) == ("GET", "control/state"):
            return json_reply(self.books[name].state())
        if (asked.method, path) == ("POST", "control/reset"):
            self.forget(name)
            return json_reply({})
        if path == "control/rehearsal":
            return control.rehearsal(self.books[name], asked, self._interfaces(name))
        if path != "control/faults":
            return _MISSING
        return self._set_faults(name, asked)

    def _interfaces(self, name: str) -> frozenset[Interface]:
        return _INTERFACES[self._places[name].role]

    def _set_faults(self, name: str, asked: Asked) -> Reply:
        book = self.books[name]
        if asked.method == "DELETE":
            book.faults = Faults()
        elif asked.method == "POST":
            try:
                given = Faults.model_validate_json(asked.body)
            except ValidationError as exc:
                return json_reply({"problems": str(exc)}, 422)
            self.order(name, **given.model_dump(exclude_unset=True))
        return json_reply(self.books[name].faults.model_dump(mode="json"))


def _routes(place: Place) -> dict[tuple[str, str], Handler]:
    if isinstance(place, BankPlace):
        return {("POST", "webhook"): partial(bank_side.webhook, place=place)}
    if not isinstance(place, PlatformPlace):
        return {}
    upload: Handler = partial(soap_side.upload, place=place)
    return {
        ("POST", "records"): json_side.records,
        ("POST", "lookup"): json_side.look_up,
        ("GET", "receipts"): json_side.receipts,
        ("GET", "listing"): json_side.listing,
        ("GET", "health"): json_side.health,
        ("POST", _UPLOAD): upload,
        ("GET", _UPLOAD): upload,
    }


def _permitted(place: Place, asked: Asked) -> bool:
    if not isinstance(place, PlatformPlace) or place.api_key is None:
        return True
    given = asked.headers.get(place.api_key_header.lower(), "")
    return given == place.api_key.get_secret_value()


def _paused(status: int, faults: Faults) -> Reply:
    pause = faults.retry_after
    return Reply(status, headers={} if pause is None else {"retry-after": str(pause)})


async def _asked(scope: AsgiScope, receive: Receive) -> Asked | None:
    """Return the whole request; None if its sender is gone before the end of it."""
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    return Asked(scope["method"], scope["path"], query, headers, body)


async def _answer(send: Send, reply: Reply) -> None:
    headers = [
        (b"content-type", reply.content_type.encode()),
        (b"content-length", str(len(reply.body)).encode()),
        *((name.encode(), value.encode()) for name, value in reply.headers.items()),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


#: Seconds in which what was written before a reset goes out.
_BEFORE_RESET = 0.05


async def _vanish(scope: AsgiScope, receive: Receive, send: Send) -> None:
    """Close the connection without any answer; only the server in `server.py` supports this.

    With another server an answer is started but not finished; the outcome is unknown as well.
    """
    transport = scope.get("state", {}).get("transport")
    if transport is not None:
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]}
    )


async def _on_the_wire(scope: AsgiScope, receive: Receive, reply: Reply) -> None:
    """Write the bytes of a reply as they are, and close the connection."""
    transport = scope["state"]["transport"]
    transport.write(reply.wire)
    if reply.reset:
        await asyncio.sleep(_BEFORE_RESET)
        transport.abort()
    else:
        transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass
