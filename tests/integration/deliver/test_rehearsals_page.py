"""Every line of `deploy/REHEARSALS.md` is rehearsed by a whole gateway, and ends as it says."""

import asyncio
import re
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from ruamel.yaml import YAML

from connectors.sandbox import (
    FilesPlace,
    Place,
    PlatformPlace,
    TopicPlace,
    create_sandbox,
    serve_files,
    serve_sandbox,
    serve_topics,
)
from connectors.sandbox.rehearsals import REHEARSALS, Interface
from gateway.config.clock import SteppedClock
from gateway.config.settings import load_settings
from schemas.delivery import DeliveryState
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

PAGE = (Path(__file__).parents[3] / "deploy" / "REHEARSALS.md").read_text(encoding="utf-8")
[CONFIGURATION] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
#: The address of the sandbox on the page.
ADDRESS = "http://127.0.0.1:8090"
DESTINATIONS = {one["name"]: one for one in YAML(typ="safe").load(CONFIGURATION)["destinations"]}
#: The connectors of the columns of the table, with what the sandbox calls them.
INTERFACES: dict[str, Interface] = {
    "platform-json": "json",
    "platform-soap": "soap",
    "file-drop": "files",
    "kafka-topic": "kafka",
}
#: Here the page has the states only: an odd row says nothing, and neither files nor messages have
#: an answer to the call.
WITHOUT_WORDS = {
    ("wrong_count", "platform-json"),
    *((name, "file-drop") for name in ("slow", "drop_after_store", "wrong_count", "down")),
    *(("garbage", kind) for kind in ("file-drop", "kafka-topic")),
    ("wrong_count", "kafka-topic"),
}
NUMBER = "样环罚字〔2026〕1号"
#: Real seconds in which a platform on a topic has read what was sent and written its receipt.
PATIENCE = 20.0
_topics = count()


class Line(NamedTuple):
    """One line of the table; states are those after the first call and in the end."""

    order: str
    mark: str
    does: str
    seen: list[str]  #: words on the screen, one of which each platform over HTTP leads to
    states: dict[str, list[str]]  #: by connector; none where it cannot be rehearsed
    rows: int


def lines() -> dict[str, Line]:
    """Return the table of the page by the names of the rehearsals."""
    found = {}
    for row in re.findall(r'^\| `\{"name": .*$', PAGE, re.MULTILINE):
        order, mark, does, _, see, *states_of, rows = row.strip("| ").split(" | ")
        states = dict(zip(INTERFACES, map(words, states_of), strict=True))
        name = re.findall(r'"name": "(\w+)"', order)[0]
        found[name] = Line(
            words(order)[0], words(mark)[0], does, re.findall("“(.+?)”", see), states, int(rows)
        )
    return found


def words(cell: str) -> list[str]:
    return re.findall("`([^`]+)`", cell)


class Rehearsed(NamedTuple):
    """A world whose only destination is that of the page, and its place in the sandbox."""

    world: World
    place: str
    connector: str

    async def state(self) -> str:
        query = "select state from delivery order by id desc limit 1"
        return str(await self.world.value(query))

    async def says(self, words: list[str]) -> bool:
        """Whether an attempt or a receipt has one of these words, for people to read."""
        query = "select reasons::text from attempt union all select reasons::text from receipt"
        said = "".join(filter(None, await self.world.column(query)))
        return any(word in said for word in words)

    async def settle(self, until: str) -> None:
        """Let a day pass in steps of two hours; a platform on a topic answers in its own time."""
        for _ in range(12):
            await self.world.pass_time(2)
        if self.connector == "kafka-topic":
            async with asyncio.timeout(PATIENCE):
                while await self.state() != until or not (await self.platform())["received"]:
                    await self.world.pass_time(0.01)

    async def platform(self) -> dict[str, Any]:
        async with httpx.AsyncClient() as client:
            found: dict[str, Any] = (await client.get(f"{self.place}/control/state")).json()
            return found


@pytest.fixture
async def rehearsed(
    place: str,
    make_world: MakeWorld,
    clock: SteppedClock,
    tmp_path: Path,
    kafka_bootstrap: str,
) -> AsyncIterator[Rehearsed]:
    """The sandbox, and the gateway that the page configures for it."""
    given, topic = DESTINATIONS[place], f"rehearsed-{next(_topics)}"
    other: dict[str, Place] = {
        "file-drop": FilesPlace.model_validate({"folder": tmp_path, "password": "s3cret-word"}),
        "kafka-topic": TopicPlace(topic=topic, receipts_topic=f"{topic}.receipts"),
    }
    sandbox = create_sandbox(clock, {place: other.get(given["connector"], PlatformPlace())})
    async with (
        serve_sandbox(sandbox) as url,
        serve_files(sandbox, tmp_path / "key") as address,
        serve_topics(sandbox, kafka_bootstrap),
    ):
        settings = {
            name: value.replace(ADDRESS, url) if isinstance(value, str) else value
            for name, value in given["settings"].items()
        }
        if given["connector"] == "file-drop":
            settings |= {"port": address.port, "host_key": address.host_key}
            settings |= {"password": "s3cret-word"}
        elif given["connector"] == "kafka-topic":
            settings |= {"bootstrap_servers": kafka_bootstrap, "topic": topic}
            settings |= {"receipts": {"topic": f"{topic}.receipts"}}
        # The database's own clock, which cannot be moved, counts the time before a look-up.
        destination = {**given, "settings": settings, "settle": "PT0S"}
        world = await make_world(destinations=[destination], scoring={})
        yield Rehearsed(world, f"{url}/{place}", given["connector"])


def test_the_page_has_every_rehearsal_as_the_sandbox_has_it() -> None:
    table = lines()

    assert list(table) == list(REHEARSALS)
    for name, one in REHEARSALS.items():
        assert (table[name].mark, table[name].does) == (f"-演练-{one.word}", one.does)
        able = {INTERFACES[kind] for kind, said in table[name].states.items() if said}
        assert able == one.at - {"bank"}
    states = {state for line in table.values() for each in line.states.values() for state in each}
    assert states <= set(DeliveryState)


def test_the_configuration_of_the_page_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "password").write_text("s3cret-word")
    (tmp_path / "rehearse.yaml").write_text(CONFIGURATION, encoding="utf-8")

    loaded = load_settings(tmp_path / "rehearse.yaml")

    assert {one.connector for one in loaded.destinations} == set(INTERFACES)


@pytest.mark.parametrize("way", ["order", "mark"])
@pytest.mark.parametrize(
    ("name", "place"),
    [
        (name, place)
        for name, line in lines().items()
        for place, one in DESTINATIONS.items()
        if line.states[one["connector"]]
    ],
)
async def test_a_rehearsal_ends_as_the_page_says(rehearsed: Rehearsed, name: str, way: str) -> None:
    line, world = lines()[name], rehearsed.world
    number = NUMBER + (line.mark if way == "mark" else "")
    if way == "order":
        async with httpx.AsyncClient() as client:
            ordered = await client.put(f"{rehearsed.place}/control/rehearsal", content=line.order)
            assert ordered.is_success

    await world.take(penalty(CF_WSH=number))
    [due] = await world.column("select due_at from delivery")
    await world.turn()
    first = await rehearsed.state()
    said = line.states[rehearsed.connector]
    await rehearsed.settle(said[-1])

    assert [first, await rehearsed.state()] == [said[0], said[-1]]
    if line.seen and (name, rehearsed.connector) not in WITHOUT_WORDS:
        assert await rehearsed.says(line.seen)
    platform = await rehearsed.platform()
    assert [one["effects"] for one in platform["effects_by_document"]] == [1] * line.rows
    assert platform["doubled"] == []
    assert await world.column("select due_at from delivery") == [due]


@pytest.mark.parametrize("place", DESTINATIONS)
@pytest.mark.parametrize("name", ["reject", "reject_later"])
async def test_what_was_rejected_is_taken_once_it_is_corrected(
    rehearsed: Rehearsed, name: str
) -> None:
    number = NUMBER + lines()[name].mark
    await rehearsed.world.take(penalty(CF_WSH=number))
    await rehearsed.settle("rejected")
    assert await rehearsed.state() == "rejected"

    await rehearsed.world.take(penalty(CF_WSH=number, CF_SY="更正后的事由"))
    await rehearsed.settle("accepted")

    assert await rehearsed.state() == "accepted"
