"""A destination whose name or address cannot be resolved: our trouble, told in time."""

import socket
import time
from typing import Any

import pytest

from connectors.errors import NotSent
from tests.connectors.conftest import ItemFactory
from tests.connectors.test_hostile_http import bank


@pytest.mark.parametrize("silent", [True, False])
async def test_a_name_server_that_fails_or_is_silent_is_our_trouble_not_the_receivers(
    clock: Any, item: ItemFactory, monkeypatch: pytest.MonkeyPatch, *, silent: bool
) -> None:
    def resolve(*_: Any, **__: Any) -> None:
        if silent:
            time.sleep(4)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    connector = bank("http://bank.example.com/x", clock)
    with pytest.raises(NotSent) as caught:
        await connector.send([item(1)])
    await connector.close()

    assert not caught.value.theirs
    assert "解析不出来" in str(caught.value)
