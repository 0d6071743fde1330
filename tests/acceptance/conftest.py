"""A town for each test: its own topics, database, platforms and bank."""

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from connectors.sandbox import serve_sandbox
from gateway.store.base.engine import Database
from tests.acceptance.command import Command, commanding
from tests.acceptance.town import Town
from tests.conftest import SETTINGS

pytest.register_assert_rewrite("tests.acceptance.month", "tests.acceptance.chaos.checks")
_numbers = count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.acceptance)


@pytest.fixture
async def town(database: Database, kafka_bootstrap: str, tmp_path: Path) -> AsyncIterator[Town]:
    """A town in which no gateway runs yet."""
    made = Town(f"town-{next(_numbers)}", database, kafka_bootstrap, tmp_path)
    async with serve_sandbox(made.sandbox) as url:
        made.url = url
        await made.make_topics()
        yield made
        await made.close()


@pytest.fixture
def command(database: Database, tmp_path: Path) -> Command:
    """The command with the database of the test and a configuration file."""
    return commanding(database, tmp_path, SETTINGS)
