"""The HTTP application: intake, metrics, health checks. Everything but health needs a key."""

from collections.abc import Iterable

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.config.http_settings import HttpSettings
from gateway.store.base.engine import BadData, DatabaseAway
from gateway.telemetry.metrics import Metrics
from gateway.web.access import Refuse, key_guard
from gateway.web.health import LIVE, METRICS, READY, Probes, health_answer
from gateway.web.invalid import told_in_chinese


async def _away(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"detail": "数据库暂时不可用，请稍后重试"}, 503)


async def _unstorable(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"detail": "请求里有数据库存不下的字符（空字符或半个字符），去掉再发"}, 422)


def create_web(
    settings: HttpSettings,
    routers: Iterable[APIRouter],
    metrics: Metrics,
    probes: Probes,
    refuse: Refuse,
) -> FastAPI:
    """Return the ASGI application; `routers` are added to health checks and metrics.

    `refuse` is told of each request without a valid key.
    """
    app = FastAPI(title="credit-gateway", docs_url=None, redoc_url=None)
    for router in routers:
        app.include_router(router)
    app.exception_handler(RequestValidationError)(told_in_chinese)
    app.exception_handler(DatabaseAway)(_away)
    app.exception_handler(BadData)(_unstorable)
    app.middleware("http")(key_guard(settings, refuse))

    @app.get(LIVE, include_in_schema=False)
    async def live() -> Response:
        return await health_answer(probes.live)

    @app.get(READY, include_in_schema=False)
    async def ready() -> Response:
        return await health_answer(probes.live | probes.ready)

    @app.get(METRICS, include_in_schema=False)
    async def metrics_text() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return app
