"""Every line of `deploy/REHEARSALS.md` is rehearsed by a whole gateway, and ends as it says."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from ruamel.yaml import YAML

from connectors.sandbox import (
    ExchangePlace,
    FilesPlace,
    MailPlace,
    Place,
    PlatformPlace,
    TopicPlace,
    create_sandbox,
    serve_exchange,
    serve_files,
    serve_mail,
    serve_sandbox,
    serve_topics,
)
from connectors.sandbox.mail_keys import keys_in
from connectors.sandbox.rehearsals import REHEARSALS, Interface
from gateway.config.clock import SteppedClock
from gateway.config.settings import load_settings
from gateway.embedded.postgres import EmbeddedPostgres
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
#: The heading of the second table, and a line of either.
SECOND, ROW = "### Over a database and as mail", r'^\| `\{"name": .*$'
#: The connectors of the second table.
OTHERS: dict[str, Interface] = {"exchange-database": "database", "mail-drop": "mail"}
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

    order: dict[str, str]  #: by connector
    mark: str
    does: str
    seen: dict[str, list[str]]  #: words on the screen, one of which is there, by connector
    states: dict[str, list[str]]  #: by connector; none where it cannot be rehearsed
    rows: int


def lines() -> dict[str, Line]:
    """Return the table of the page by the names of the rehearsals."""
    found = {}
    first, second = (re.findall(ROW, part, re.MULTILINE) for part in PAGE.split(SECOND))
    for row in first:
        order, mark, does, _, see, *states_of, rows = row.strip("| ").split(" | ")
        states = dict(zip(INTERFACES, map(words, states_of), strict=True))
        found[json.loads(words(order)[0])["name"]] = Line(
            dict.fromkeys(INTERFACES, words(order)[0]),
            words(mark)[0],
            does,
            dict.fromkeys(INTERFACES, quoted(see)),
            states | {key: [] for key in OTHERS},
            int(rows),
        )
    for row in second:
        order, *cells = (cell.strip() for cell in row.strip("|").split("|"))
        line = found[json.loads(words(order)[0])["name"]]
        line.order.update(dict.fromkeys(OTHERS, words(order)[0]))
        line.states.update(zip(OTHERS, map(words, cells[::2]), strict=True))
        line.seen.update(zip(OTHERS, map(quoted, cells[1::2]), strict=True))
    return found


def quoted(cell: str) -> list[str]:
    return re.findall("“(.+?)”", cell)


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


def place_for(connector: str, folder: Path, server: str, topic: str) -> Place:
    match connector:
        case "file-drop":
            return FilesPlace.model_validate({"folder": folder, "password": "s3cret-word"})
        case "exchange-database":
            return ExchangePlace.model_validate({"server": server, "password": "s3cret-word"})
        case "mail-drop":
            return MailPlace(folder=folder)
        case "kafka-topic":
            return TopicPlace(topic=topic, receipts_topic=f"{topic}.receipts")
        case _:
            return PlatformPlace()


@pytest.fixture
async def rehearsed(
    place: str,
    make_world: MakeWorld,
    clock: SteppedClock,
    tmp_path: Path,
    postgres: EmbeddedPostgres,
    kafka_bootstrap: str,
) -> AsyncIterator[Rehearsed]:
    """The sandbox, and the gateway that the page configures for it."""
    folder = tmp_path / "place"
    topic = f"rehearsed-{next(_topics)}"
    made = place_for(DESTINATIONS[place]["connector"], folder, postgres.url, topic)
    sandbox = create_sandbox(clock, {place: made})
    async with (
        serve_sandbox(sandbox) as url,
        serve_files(sandbox, tmp_path / "key") as address,
        serve_exchange(sandbox) as databases,
        serve_mail(sandbox) as mail,
        serve_topics(sandbox, kafka_bootstrap),
    ):
        given = DESTINATIONS[place]
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
        elif given["connector"] == "exchange-database":
            settings |= {"url": databases[place].render_as_string(hide_password=False)}
        elif given["connector"] == "mail-drop":
            settings |= {"port": mail.port, **files_of(given["settings"], folder)}
        # The database's own clock, which cannot be moved, counts the time before a look-up.
        destination = {**given, "settings": settings, "settle": "PT0S"}
        world = await make_world(destinations=[destination], scoring={})
        yield Rehearsed(world, f"{url}/{place}", given["connector"])


def files_of(settings: dict[str, Any], folder: Path) -> dict[str, str]:
    """Return the settings that name certificates and keys, in the folder of the test."""
    written = {name: str(value) for name, value in settings.items()}
    return {
        name: str(folder / Path(value).name)
        for name, value in written.items()
        if value.startswith("mailbox/")
    }


def test_the_page_has_every_rehearsal_as_the_sandbox_has_it() -> None:
    table = lines()

    assert list(table) == list(REHEARSALS)
    for name, one in REHEARSALS.items():
        assert (table[name].mark, table[name].does) == (f"-演练-{one.word}", one.does)
        kinds = INTERFACES | OTHERS
        able = {kinds[kind] for kind, said in table[name].states.items() if said}
        assert able == one.at - {"bank"}
    states = {state for line in table.values() for each in line.states.values() for state in each}
    assert states <= set(DeliveryState)


def test_the_configuration_of_the_page_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("sandbox/password", "exchange/url"):
        (tmp_path / file).parent.mkdir()
    (tmp_path / "sandbox" / "password").write_text("s3cret-word")
    (tmp_path / "exchange" / "url").write_text("postgresql+psycopg://a:b@127.0.0.1:8054/a")
    keys_in(tmp_path / "mailbox", datetime(2026, 10, 12, tzinfo=UTC))
    (tmp_path / "rehearse.yaml").write_text(CONFIGURATION, encoding="utf-8")

    loaded = load_settings(tmp_path / "rehearse.yaml")

    assert {one.connector for one in loaded.destinations} == {*INTERFACES, *OTHERS}


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
        order = line.order[rehearsed.connector]
        async with httpx.AsyncClient() as client:
            ordered = await client.put(f"{rehearsed.place}/control/rehearsal", content=order)
            assert ordered.is_success

    await world.take(penalty(CF_WSH=number))
    [due] = await world.column("select due_at from delivery")
    await world.turn()
    first = await rehearsed.state()
    said = line.states[rehearsed.connector]
    await rehearsed.settle(said[-1])

    assert [first, await rehearsed.state()] == [said[0], said[-1]]
    seen = line.seen[rehearsed.connector]
    if seen and (name, rehearsed.connector) not in WITHOUT_WORDS:
        assert await rehearsed.says(seen)
    platform = await rehearsed.platform()
    assert [one["effects"] for one in platform["effects_by_document"]] == [1] * line.rows
    assert platform["doubled"] == []
    assert await world.column("select due_at from delivery") == [due]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        (name, place)
        for name, line in lines().items()
        for place, one in DESTINATIONS.items()
        if "rejected" in line.states[one["connector"]]
    ],
)
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
