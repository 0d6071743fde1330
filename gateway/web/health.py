"""Liveness and readiness 健康检查: each probe answers None, or what is wrong."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Response
from fastapi.responses import JSONResponse

LIVE, READY, METRICS = "/health/live", "/health/ready", "/metrics"
#: Asks a part of the service how it is: None if well, else what is wrong.
Probe = Callable[[], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class Probes:
    """What liveness (restart me) and readiness (send me nothing) rest on."""

    live: dict[str, Probe]
    ready: dict[str, Probe]


async def health_answer(probes: dict[str, Probe]) -> Response:
    """Ask every probe; 503 with what is wrong where one says so."""
    wrong = {name: found for name, probe in probes.items() if (found := await probe())}
    return JSONResponse(
        {"status": "unwell" if wrong else "well", "problems": wrong}, 503 if wrong else 200
    )
