"""A platform to which a person carries files, and what clerks do there."""

from collections.abc import Sequence
from typing import Any

from connectors.excel_template import ExcelTemplate
from gateway.deliver.hand_answered import Answered, answered
from gateway.deliver.hand_answers import RowAnswer
from gateway.deliver.hand_upload import HandedOut, HandOut
from gateway.deliver.hand_uploaded import UploadSaid, UploadTold, done, undone
from gateway.store.deliver.worklist import Wanted
from gateway.worklist.look import look
from gateway.worklist.rows import Grouping, WorkRow
from schemas.identifiers import document_number_key
from tests.conftest import PLATFORM
from tests.integration.world import World

PAGE: dict[str, Any] = {**PLATFORM, "name": "page", "connector": "excel-template", "settings": {}}


def page(world: World) -> ExcelTemplate:
    connector = world.deliverer("page").connector
    assert isinstance(connector, ExcelTemplate)
    return connector


async def make(world: World, by: str = "李四", most: int = 1000) -> HandedOut | None:
    built = world.gateway
    handing = HandOut(built.database, built.keys, built.installation, built.clock)
    return await handing.make(world.deliverer("page").destination, page(world), by, most)


async def made(world: World, by: str = "李四", most: int = 1000) -> HandedOut:
    found = await make(world, by, most)
    assert found is not None
    return found


async def again(world: World, id_: int) -> HandedOut:
    built = world.gateway
    handing = HandOut(built.database, built.keys, built.installation, built.clock)
    return await handing.again(id_, world.deliverer("page").destination, page(world), "王五")


async def say_done(world: World, id_: int, by: str = "李四", **more: Any) -> UploadTold:
    said = UploadSaid(by, **{"at": world.clock(), **more})
    return await done(world.database, world.gateway.keys, id_, said, world.clock())


async def say_undone(world: World, id_: int, by: str = "李四") -> UploadTold:
    return await undone(world.database, id_, by, "页面打不开", world.clock())


async def list_of_results(world: World, id_: int, *answers: RowAnswer) -> Answered:
    file = ("结果.xlsx", b"the list")
    keys = world.gateway.keys
    return await answered(world.database, keys, id_, answers, file, "李四", world.clock())


def result(number: int, accepted: bool | None, *reasons: str) -> RowAnswer:
    key = document_number_key(f"样环罚字〔2026〕{number}号")
    return RowAnswer("penalty", key, accepted, "", reasons)


async def work_rows(world: World) -> Sequence[WorkRow]:
    settings = world.gateway.settings
    async with world.database.transaction() as connection:
        found = await look(
            connection,
            settings.destinations,
            settings.all_clocks,
            Wanted("page"),
            world.clock(),
            Grouping.ACTOR,
            10,
        )
    return found.rows


def numbers(handed: HandedOut) -> list[str | None]:
    return [one.document_number for one, _ in handed.items]
