"""What became of what was sent, over HTTP 来件去向: `GET /v1/results` and `GET /v1/sources`."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import date
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, HTTPException, Query, Response

from gateway.config.clock import Clock
from gateway.intake.results import ItemResult, results, results_of_number
from gateway.intake.sources import SourceGrouping, report
from gateway.store.base.engine import Database
from gateway.web.invalid import only_known_names

#: Items of one answer at most.
MOST_ITEMS = 10_000
_JSON = "application/json"


def router(database: Database, clock: Clock) -> APIRouter:
    """Return the routes; the application checks the key, which is one of those who watch."""
    routes = APIRouter()

    @routes.get("/v1/results", dependencies=[Depends(only_known_names)])
    async def of_items(
        origin: str | None = None,
        number: str | None = None,
        position: Annotated[int | None, Query(ge=0)] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_ITEMS)] = 1000,
    ) -> Response:
        """Return what became of the items of an origin, or of all that came for a decision."""
        if (origin is None) == (number is None):
            raise HTTPException(422, "写 origin（如 file:SHA-256）或 number（文书号），只写一种")
        if number is not None:
            found = results_of_number(database, number)
        else:
            found = results(database, str(origin), position)
        told = [asdict(one) async for one in _first(found, limit)]
        if not told:
            raise HTTPException(404, "没有收到过这样的来件")
        return Response(orjson.dumps(told), media_type=_JSON)

    @routes.get("/v1/sources", dependencies=[Depends(only_known_names)])
    async def of_sources(
        since: date, until: date, by: SourceGrouping = SourceGrouping.SOURCE
    ) -> Response:
        """Return what came from each source from `since` to `until`, and where it stands."""
        if until < since:
            raise HTTPException(422, "until 早于 since")
        end = date.fromordinal(until.toordinal() + 1)
        found = await report(database, by, since, end, clock())
        told = [asdict(one) for one in found]
        return Response(orjson.dumps(told, default=str), media_type=_JSON)

    return routes


async def _first(found: AsyncIterator[ItemResult], limit: int) -> AsyncIterator[ItemResult]:
    count = 0
    async for one in found:
        yield one
        count += 1
        if count == limit:
            return
