"""An embedded server that ends is started again, whatever the tries before met."""

import asyncio
import subprocess
from pathlib import Path
from typing import cast

import pytest

from gateway.embedded.kafka import JarsMissing
from gateway.embedded.server import EmbeddedServer, ServerDidNotStart
from gateway.service.servers import started


class Ending:
    """A server that has ended; the first try to start it again meets an error."""

    name = "Kafka"

    def __init__(self, error: Exception, *, looking: bool) -> None:
        self.errors = [error]
        self.looking = looking  #: whether the error comes already while it is looked at
        self.up = True
        self.again = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    def _fail(self) -> None:
        if not self.up and self.errors:
            raise self.errors.pop()

    def runs(self) -> bool:
        if self.looking:
            self._fail()
        return self.up

    def start(self) -> None:
        if self.up:
            return
        self._fail()
        self.up = True
        self.loop.call_soon_threadsafe(self.again.set)

    def stop(self) -> bool:
        return True


@pytest.mark.parametrize("looking", [True, False])
@pytest.mark.parametrize(
    "error",
    [
        ServerDidNotStart("Kafka", Path("nowhere")),
        JarsMissing("no network"),
        subprocess.TimeoutExpired("java", 30),
        RuntimeError("whatever"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_the_watch_over_a_server_goes_on_after_any_error(
    error: Exception, looking: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.service.servers.LOOK_PAUSE", 0.01)
    server = Ending(error, looking=looking)

    async with started(cast("EmbeddedServer", server)):
        server.up = False
        await asyncio.wait_for(server.again.wait(), 10)

    assert server.up
    assert server.errors == []
