"""HTTP access: check the API key and the body size before the body is read."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from gateway.config.http_settings import HttpSettings
from gateway.web.health import LIVE, METRICS, READY

#: What only those who watch may read: it is about all senders.
OPERATOR_PATHS = ("/v1/worklist", "/v1/ledgers", "/v1/results", "/v1/sources")

Next = Callable[[Request], Awaitable[Response]]


#: Told of each request without a valid key: who asked, and for what.
Refuse = Callable[[str, str], None]


def key_guard(
    settings: HttpSettings, refuse: Refuse
) -> Callable[[Request, Next], Awaitable[Response]]:
    """Return the middleware that checks the API key and the body size."""
    senders, operators = (
        [key.get_secret_value().encode() for key in keys]
        for keys in (settings.api_keys, settings.operator_keys)
    )
    open_paths = {LIVE, READY} | (set() if settings.metrics_need_key else {METRICS})

    async def guard(request: Request, call_next: Next) -> Response:
        if request.url.path not in open_paths:
            given = _given_key(request)
            path = request.url.path
            keys = [*senders, *operators] if path == METRICS else senders
            if path.startswith(OPERATOR_PATHS):
                keys = operators
            if not any(hmac.compare_digest(given, key) for key in keys):
                refuse(request.client.host if request.client else "", path)
                return _refused(401, "需要有效的 API 密钥（请求头 X-Api-Key）")
            request.state.caller = hashlib.sha256(given).hexdigest()[:12]
        refused = await _too_large(request, settings.max_body_bytes)
        return refused or await call_next(request)

    return guard


def _given_key(request: Request) -> bytes:
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    return request.headers.get("x-api-key", bearer).encode()


async def _too_large(request: Request, limit: int) -> Response | None:
    """Refuse a body over the limit, and a chunked one, whose length is unknown."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > limit:
        return _refused(413, f"请求内容超过上限 {limit} 字节")
    if "chunked" in request.headers.get("transfer-encoding", ""):
        return _refused(411, "请在请求头写明 Content-Length")
    return None


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"detail": message}, status)
