"""Liveness and readiness 健康检查: each probe returns None, or what is wrong."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Response
from fastapi.responses import JSONResponse

LIVE, READY, METRICS = "/health/live", "/health/ready", "/metrics"
#: Checks one part of the service: None, or what is wrong.
Probe = Callable[[], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class Probes:
    """The probes of liveness (restart the process) and readiness (send no requests)."""

    live: dict[str, Probe]
    ready: dict[str, Probe]


async def health_answer(probes: dict[str, Probe]) -> Response:
    """Run every probe; answer 503 with the findings if something is wrong."""
    wrong = {name: found for name, probe in probes.items() if (found := await probe())}
    return JSONResponse(
        {"status": "unwell" if wrong else "well", "problems": wrong}, 503 if wrong else 200
    )
