"""The work list over HTTP 工作清单接口: `GET /v1/worklist`."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, HTTPException, Query, Response
from pydantic import BeforeValidator

from gateway.config.clock import Clock
from gateway.store.base.engine import Database
from gateway.store.deliver.worklist import Wanted
from gateway.web.invalid import only_known_names
from gateway.worklist.choice import UnknownName, chosen, state_value
from gateway.worklist.look import look
from gateway.worklist.rows import Grouping
from schemas.delivery import DeliveryState
from schemas.destination import Destination, TimeLimit

#: Rows of one answer at most.
MOST_ROWS = 10_000


def router(
    database: Database,
    destinations: tuple[Destination, ...],
    clocks: Mapping[str, TimeLimit],
    clock: Clock,
) -> APIRouter:
    """Return the route; the application checks the key."""
    routes = APIRouter()

    @routes.get("/v1/worklist", dependencies=[Depends(only_known_names)])
    async def worklist(
        destination: str | None = None,
        state: Annotated[DeliveryState | None, BeforeValidator(state_value)] = None,
        authority: str | None = None,
        within_hours: Annotated[float | None, Query(ge=0, le=100_000)] = None,
        by: Grouping = Grouping.DESTINATION,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 200,
    ) -> Response:
        """Return what is open, the earliest due first, and all of it by groups."""
        now = clock()
        before = None if within_hours is None else now + timedelta(hours=within_hours)
        asked = Wanted(destination, state, authority, before)
        async with database.transaction() as connection:
            try:
                wanted = await chosen(connection, destinations, asked)
            except UnknownName as error:
                raise HTTPException(422, str(error)) from error
            found = await look(connection, destinations, clocks, wanted, now, by, limit)
        return Response(orjson.dumps(found), media_type="application/json")

    return routes
