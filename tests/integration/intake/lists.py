"""Whole lists 名单: kinds of them, their entries, and the taking of an edition."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from gateway.intake.editions import AskedEdition, TakenEdition, edition_of, take_edition
from gateway.intake.files.reading import Reading
from tests.factories import credit_code
from tests.integration.world import World

CITY, COUNTY = "样例市生态环境局", "样例县生态环境局"
RISK: dict[str, Any] = {
    "name": "risk_class",
    "title": "环境风险等级",
    "prefix": "FX_",
    "keys": ["FX_XDR_SHXYM"],
    "whole_list": True,
    "columns": [{"code": "FX_DJ", "title": "风险等级", "required": True}],
}
GROUP: dict[str, Any] = {
    "name": "special_group",
    "title": "重点群体",
    "prefix": "QT_",
    "keys": ["QT_LB"],
    "whole_list": True,
    "persons": True,
    "columns": [{"code": "QT_LB", "title": "群体类别"}],
}
#: Another identity number with a right check digit, of nobody.
OTHER = "110105194912310038"


def entry(n: int, risk: str = "一般", authority: str = CITY) -> dict[str, str]:
    return {
        "FX_XDR_MC": f"样例{n}号有限公司",
        "FX_XDR_SHXYM": credit_code(n),
        "FX_DJ": risk,
        "FX_JDRQ": "2026-10-09",
        "FX_JG": authority,
    }


def person(number: str) -> dict[str, str]:
    return {
        "QT_XDR_MC": "某人",
        "QT_XDR_LB": "自然人",
        "QT_XDR_ZJLX": "身份证",
        "QT_XDR_ZJHM": number,
        "QT_LB": "从业人员",
        "QT_JDRQ": "2026-10-09",
        "QT_JG": CITY,
    }


async def take(world: World, folder: Path, name: str, rows: list[dict[str, str]]) -> TakenEdition:
    file = folder / f"{name}.csv"
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return await take_file(world, file, name)


async def take_file(world: World, file: Path, name: str) -> TakenEdition:
    gateway = world.gateway
    asked = AskedEdition(name, "张三", file.name)
    names = gateway.pipeline.checker.names
    reading = Reading(file, gateway.settings.files, None, names, edition=edition_of(asked))
    world.clock.step(timedelta(minutes=1))
    done = await take_edition(gateway.pipeline, gateway.keys, reading, lambda *_: None, asked)
    await world.turn()
    return done


async def standing(world: World) -> list[int]:
    """Return which entries stand, of the first few."""
    found = await world.column("select document_number from decision where verb <> 'withdraw'")
    return [n for n in range(1, 50) if credit_code(n) in found]


def counts(done: TakenEdition) -> tuple[int, int, int]:
    assert done.edition is not None, (done.stopped, done.taken.stopped)
    return done.edition.entries, done.edition.added, done.edition.removed
