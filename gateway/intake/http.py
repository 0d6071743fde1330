"""HTTP intake: records by `POST /v1/intake/{kind}`, files by `POST /v1/intake/files`.

Records come as one or as a list, with one result for each. A file comes as it is, as the body; the
answer says what was recognised, and counts.
"""

import hashlib
import tempfile
from itertools import islice
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import orjson
from fastapi import APIRouter, Header, HTTPException, Query, Request, Response

from gateway.check.checked import Checked
from gateway.check.raw import Raw
from gateway.config.clock import Clock
from gateway.config.settings import FileLimits
from gateway.intake.files.json_file import written
from gateway.intake.files.reading import Reading
from gateway.intake.files.taking import LONGEST_NAME, take
from gateway.pipeline import Pipeline
from gateway.record.result import Result
from gateway.store.base.engine import Database, DatabaseAway
from gateway.store.record import inbox
from schemas.codes import RecordKind

#: Records in one request at most; send more as a file.
MAX_RECORDS = 10_000


def router(pipeline: Pipeline, database: Database, clock: Clock, limits: FileLimits) -> APIRouter:
    """Return the intake routes; the application checks the API key."""
    routes = APIRouter()

    @routes.post("/v1/intake/files")
    async def file_intake(
        request: Request,
        kind: RecordKind | None = None,
        whole: bool = False,
        rows: bool = False,
        name: Annotated[str | None, Query(max_length=LONGEST_NAME)] = None,
    ) -> Response:
        """Take in a file; 422 if nothing of it was taken, with the reason in `stopped`."""
        if request.headers.get("content-type", "").lower().startswith("multipart/"):
            raise HTTPException(415, _AS_A_FORM)
        body = await request.body()
        return await _file(pipeline, body, limits, kind, whole=whole, rows=rows, name=name)

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


async def _file(  # noqa: PLR0913  what a request says of a file
    pipeline: Pipeline,
    body: bytes,
    limits: FileLimits,
    kind: RecordKind | None,
    *,
    whole: bool,
    rows: bool,
    name: str | None,
) -> Response:
    told: list[dict[str, Any]] = []

    def each(place: str, checked: Checked, result: Result | None) -> None:
        if rows:
            told.append({"place": place, **as_json(result or Result(checked))})

    with tempfile.NamedTemporaryFile() as spool:
        spool.write(body)
        spool.flush()
        reading = Reading(Path(spool.name), limits, kind, pipeline.checker.names)
        try:
            taken = await take(pipeline, reading, each, whole=whole, name=name)
        except DatabaseAway as error:
            raise HTTPException(503, _AWAY_IN_FILE) from error
    answer = taken.as_json() | ({"rows": told} if rows else {})
    refused = taken.stopped and (whole or not taken.tally.verdicts)
    return Response(orjson.dumps(answer), 422 if refused else 200, None, _JSON)


_AS_A_FORM = (
    "文件要直接作为请求内容，不能用表单（multipart）上传："
    "如 curl --data-binary @file -H 'X-Api-Key: …'，不用 -F"
)
_AWAY_IN_FILE = "数据库暂时不可用，文件没有接收完：稍后原样再传一次，已接收的不会重复"


async def _origin(
    database: Database, clock: Clock, request: Request, key: str | None, body: bytes
) -> str:
    key = (key or "").strip()
    caller = getattr(request.state, "caller", "")
    if not key:  # the request is new to us; its content says whether a record is a repeat
        return f"http:{caller}/{uuid4().hex}"
    digest = hashlib.sha256(body).digest()
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
        text = body.decode("utf-8-sig").strip()
        found = list(islice(written(text), MAX_RECORDS + 1)) if text[:1] == "[" else [body]
    except (ValueError, RecursionError):
        return [body]
    if len(found) > MAX_RECORDS:
        raise HTTPException(413, f"一次最多{MAX_RECORDS}条，这里更多：分几次发送")
    return found


def as_json(result: Result) -> dict[str, Any]:
    """Return a result as JSON values for programs."""
    return {
        "index": result.position,
        "verdict": result.verdict,
        "repeat": result.repeat,
        "key": result.key,
        "excluded": result.excluded,
        "problems": [problem.model_dump() for problem in result.problems],
        "warnings": [problem.model_dump() for problem in result.checked.warnings],
        "quarantine_id": result.quarantine_id,
    }
