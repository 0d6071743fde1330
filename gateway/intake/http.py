"""The HTTP door: `POST /v1/intake/{kind}` with one record or a list; one result per record."""

import hashlib
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, HTTPException, Request, Response

from gateway.clock import Clock
from gateway.normalise import Raw
from gateway.pipeline import Pipeline
from gateway.results import Result
from gateway.store import inbox
from gateway.store.engine import Database, DatabaseAway
from schemas.codes import RecordKind

#: Records in one request; more belong into a file.
MAX_RECORDS = 10_000


def router(pipeline: Pipeline, database: Database, clock: Clock) -> APIRouter:
    """The intake routes; the API key is checked by the application."""
    routes = APIRouter()

    @routes.post("/v1/intake/{kind}")
    async def intake(
        kind: RecordKind,
        request: Request,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Response:
        """Take in records of one kind; 422 where the key came with another body before."""
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
    digest = hashlib.sha256(body).digest()
    if key is None:
        return f"http:{digest.hex()}"
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
    """The records of a body as bytes; what does not parse is one item, and gets refused."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return [body]
    if not isinstance(content, list):
        return [body]
    if len(content) > MAX_RECORDS:
        raise HTTPException(413, f"一次最多{MAX_RECORDS}条，现有{len(content)}条")
    return [orjson.dumps(one) for one in content]


def as_json(result: Result) -> dict[str, Any]:
    """A result for programs."""
    return {
        "index": result.position,
        "verdict": result.verdict,
        "repeat": result.repeat,
        "key": result.key,
        "excluded": result.excluded,
        "problems": [problem.model_dump() for problem in result.problems],
        "quarantine_id": result.quarantine_id,
    }
