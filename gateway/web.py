"""The HTTP side: intake, /metrics, liveness and readiness. Everything but health needs a key."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.intake import http
from gateway.metrics import Metrics
from gateway.pipeline import Pipeline
from gateway.settings import HttpSettings

LIVE, READY, METRICS = "/health/live", "/health/ready", "/metrics"
#: Asks a part of the service how it is: None if well, else what is wrong.
Probe = Callable[[], Awaitable[str | None]]
Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Probes:
    """What liveness (restart me) and readiness (send me nothing) rest on."""

    live: dict[str, Probe]
    ready: dict[str, Probe]


def create_web(
    settings: HttpSettings, pipeline: Pipeline, metrics: Metrics, probes: Probes
) -> FastAPI:
    """The ASGI application."""
    app = FastAPI(title="credit-gateway", docs_url=None, redoc_url=None)
    app.include_router(http.router(pipeline, pipeline.database, pipeline.clock))
    app.middleware("http")(_guard(settings))

    @app.get(LIVE, include_in_schema=False)
    async def live() -> Response:
        return await _health(probes.live)

    @app.get(READY, include_in_schema=False)
    async def ready() -> Response:
        return await _health(probes.live | probes.ready)

    @app.get(METRICS, include_in_schema=False)
    async def metrics_text() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return app


async def _health(probes: dict[str, Probe]) -> Response:
    wrong = {name: found for name, probe in probes.items() if (found := await probe())}
    return JSONResponse(
        {"status": "unwell" if wrong else "well", "problems": wrong}, 503 if wrong else 200
    )


def _guard(settings: HttpSettings) -> Callable[[Request, Answer], Awaitable[Response]]:
    """The API key and the size of the body, before anything is read."""
    keys = [key.get_secret_value().encode() for key in settings.api_keys]
    open_paths = {LIVE, READY} | (set() if settings.metrics_need_key else {METRICS})

    async def guard(request: Request, call_next: Answer) -> Response:
        if request.url.path not in open_paths:
            given = _given_key(request)
            if not any(hmac.compare_digest(given, key) for key in keys):
                return _refused(401, "需要有效的 API 密钥（请求头 X-Api-Key）")
            request.state.caller = hashlib.sha256(given).hexdigest()[:12]
        refused = await _too_large(request, settings.max_body_bytes)
        return refused or await call_next(request)

    return guard


def _given_key(request: Request) -> bytes:
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    return request.headers.get("x-api-key", bearer).encode()


async def _too_large(request: Request, limit: int) -> Response | None:
    """Refuse a body beyond the limit, whether it says its length or not."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > limit:
        return _refused(413, f"请求内容超过上限 {limit} 字节")
    if "chunked" in request.headers.get("transfer-encoding", ""):
        return _refused(411, "请在请求头写明 Content-Length")
    return None


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"detail": message}, status)
