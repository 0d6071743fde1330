"""HTTP intake: `POST /v1/intake/{kind}` with one record or a list; one result per record."""

import hashlib
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any
from uuid import uuid4

import orjson
from fastapi import APIRouter, Header, HTTPException, Request, Response

from gateway.check.raw import Raw
from gateway.config.clock import Clock
from gateway.pipeline import Pipeline
from gateway.record.result import Result
from gateway.store.base.engine import Database, DatabaseAway
from gateway.store.record import inbox
from schemas.codes import RecordKind

#: Records in one request at most; send more as a file.
MAX_RECORDS = 10_000


def router(pipeline: Pipeline, database: Database, clock: Clock) -> APIRouter:
    """Return the intake routes; the application checks the API key."""
    routes = APIRouter()

    @routes.post("/v1/intake/{kind}")
    async def intake(
        kind: RecordKind,
        request: Request,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Response:
        """Take in records of one kind; 422 if the Idempotency-Key came before with another body."""
        body = await request.body()
        origin = await _origin(database, clock, request, idempotency_key, body)
        items = [Raw(origin, i, text, kind) for i, text in enumerate(_records(body))]
        try:
            results = await pipeline.process(items)
        except DatabaseAway as error:
            raise HTTPException(503, "数据库暂时不可用，未接收，请稍后重试") from error
        return Response(orjson.dumps([as_json(one) for one in results]), 200, None, _JSON)

    return routes


_JSON = "application/json"


async def _origin(
    database: Database, clock: Clock, request: Request, key: str | None, body: bytes
) -> str:
    if key is None:  # the request is new to us; its content says whether a record is a repeat
        return f"http:{uuid4().hex}"
    digest = hashlib.sha256(body).digest()
    caller = getattr(request.state, "caller", "")
    named = f"http:{caller}/{key}"
    try:
        async with database.transaction() as connection:
            first = await inbox.request_hash(connection, named, digest, clock())
    except DatabaseAway as error:
        raise HTTPException(503, "数据库暂时不可用，未接收，请稍后重试") from error
    if first != digest:
        raise HTTPException(422, f"Idempotency-Key “{key}” 已用于另一份内容，请换一个")
    return named


def _records(body: bytes) -> list[bytes]:
    """Return the records of a body as bytes; a body that is not JSON is one item, refused later."""
    try:
        elements = _elements(body.decode("utf-8-sig").strip())
        found = list(islice(elements, MAX_RECORDS + 1))
    except (ValueError, RecursionError):
        return [body]
    if len(found) > MAX_RECORDS:
        raise HTTPException(413, f"一次最多{MAX_RECORDS}条，这里更多：分几次发送")
    return found


_DECODER = json.JSONDecoder(parse_float=str, parse_int=str)
_BETWEEN = re.compile(r"[\s]*")


def _elements(text: str) -> Iterator[bytes]:
    """Yield the elements of a JSON list as they were written, so that each is checked by itself."""
    if not text.startswith("["):
        yield text.encode()
        return
    position = _skip(text, 1)
    while text[position : position + 1] != "]":
        start = position
        _, position = _DECODER.raw_decode(text, start)
        yield text[start:position].encode()
        position = _skip(text, position)
        if text[position : position + 1] == ",":
            position = _skip(text, position + 1)
        elif text[position : position + 1] != "]":
            raise ValueError(text[position : position + 1])
    if position != len(text) - 1:
        raise ValueError(text[position:])


def _skip(text: str, position: int) -> int:
    match = _BETWEEN.match(text, position)
    return match.end() if match else position


def as_json(result: Result) -> dict[str, Any]:
    """Return a result as JSON values for programs."""
    return {
        "index": result.position,
        "verdict": result.verdict,
        "repeat": result.repeat,
        "key": result.key,
        "excluded": result.excluded,
        "problems": [problem.model_dump() for problem in result.problems],
        "quarantine_id": result.quarantine_id,
    }
