"""One delivery is one mail."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import PLATFORM
from tests.connectors.scripted_mail import scripted_mail
from tests.factories import penalty
from tests.integration.conftest import MakeWorld

pytestmark = pytest.mark.integration


async def test_a_delivery_is_one_mail_whatever_the_server_says_to_the_farewell(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    async with scripted_mail(tmp_path, QUIT="421 4.4.2 closing") as server:
        by_mail = {**PLATFORM, "connector": "mail-drop", "settings": server.settings}
        world = await make_world(destinations=[by_mail])
        await world.take(penalty(1))
        for _ in range(5):
            await world.deliverer().round()
            world.clock.step(timedelta(minutes=20))

        assert (server.taken, await world.states()) == (1, ["accepted_blind"])
