"""A small gateway on a real database, with an in-memory connector for each destination."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from connectors.memory import MemoryConnector, MemorySettings
from gateway.check.raw import Raw
from gateway.config.clock import SteppedClock
from gateway.config.settings import make_settings
from gateway.deliver.deliverer import Deliverer
from gateway.deliver.receipts import receive
from gateway.ledger import month as ledgers
from gateway.ledger.month import Ledger
from gateway.service.app import Gateway, build
from gateway.store.base.engine import Database
from schemas.identifiers import (
    IDENTITY_CHECKS,
    IDENTITY_WEIGHTS,
    USCC_ALPHABET,
    USCC_WEIGHTS,
)

START = datetime(2026, 10, 11, 1, tzinfo=UTC)
PLATFORM = {
    "name": "platform",
    "title": "信用郑州",
    "connector": "memory",
    "takes": ["penalty", "licence"],
    "clocks": ["calendar-7", "working-7"],
    "headline": True,
}


def credit_code(number: int) -> str:
    body = f"91410100MA{number:07d}"
    total = sum(USCC_ALPHABET.index(c) * w for c, w in zip(body, USCC_WEIGHTS, strict=True))
    return body + USCC_ALPHABET[(31 - total) % 31]


def identity(number: int) -> str:
    body = f"41010119900101{number:03d}"
    total = sum(int(d) * w for d, w in zip(body, IDENTITY_WEIGHTS, strict=True))
    return body + IDENTITY_CHECKS[total % 11]


def penalty(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "CF_XDR_MC": f"样例公司{number}",
        "CF_XDR_LB": "法人及非法人组织",
        "CF_XDR_SHXYM": credit_code(number),
        "CF_WSH": f"样环罚〔2026〕{number}号",
        "CF_WFXW": "大气污染",
        "CF_SY": "超标排放",
        "CF_YJ": "《大气污染防治法》第99条",
        "CF_CFLB": "罚款",
        "CF_NR": "罚款人民币二万元整",
        "CF_NR_FK": 2.0,
        "CF_JDRQ": "2026-10-10",
        "CF_YXQ": "2027-10-10",
        "CF_CFJG": "样例市生态环境局",
        "CF_CFJGDM": credit_code(1),
        "CF_SJLY": "样例市生态环境局",
        "CF_SJLYDM": credit_code(1),
        **changes,
    }


def licence(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "XK_XDR_MC": f"样例公司{number}",
        "XK_XDR_LB": "法人及非法人组织",
        "XK_XDR_SHXYM": credit_code(number),
        "XK_XKWS": "排污许可决定书",
        "XK_WSH": f"样环许〔2026〕{number}号",
        "XK_XKLB": "普通",
        "XK_NR": "准予排污许可",
        "XK_JDRQ": "2026-10-10",
        "XK_YXQZ": "2026-10-10",
        "XK_YXQZI": "2031-10-09",
        "XK_XKJG": "样例市生态环境局",
        "XK_XKJGDM": credit_code(1),
        "XK_LYDW": "样例市生态环境局",
        "XK_LYDWDM": credit_code(1),
        **changes,
    }


def person(number: int, **changes: Any) -> dict[str, Any]:
    row = penalty(number, CF_XDR_MC="张三丰", CF_XDR_LB="自然人", CF_XDR_ZJLX="身份证")
    del row["CF_XDR_SHXYM"]
    return row | {"CF_XDR_ZJHM": identity(number)} | changes


class World:
    """A gateway on a fresh database, with an in-memory connector for each destination."""

    def __init__(self, gateway: Gateway, clock: SteppedClock) -> None:
        self.gateway = gateway
        self.clock = clock
        self.sent = 0
        self.connectors = {
            destination.name: MemoryConnector(MemorySettings(batch_size=1), clock)
            for destination in gateway.settings.destinations
        }

        self.deliverers = {
            destination.name: Deliverer(
                destination,
                self.connectors[destination.name],
                gateway.database,
                gateway.keys,
                gateway.installation,
                clock,
                gateway.metrics,
            )
            for destination in gateway.settings.destinations
        }

    async def take_in(self, rows: Iterable[dict[str, Any]]) -> None:
        items = []
        for row in rows:
            self.sent += 1
            items.append(Raw("test", self.sent, orjson.dumps(row), None))
        await self.gateway.pipeline.process(items)

    async def deliver(self, name: str = "platform") -> None:
        await self.deliverers[name].drain()
        await receive(self.deliverers[name])

    async def ledger(self, month: str = "2026-10") -> Ledger:
        gateway = self.gateway
        scope = replace(gateway.ledger_scope, pseudonym=gateway.keys.published)
        return await ledgers.month(gateway.database, scope, month, self.clock())


async def world(
    database: Database,
    state: Path,
    *destinations: dict[str, Any],
    start: datetime = START,
    **settings: Any,
) -> World:
    content = {"state": str(state), "destinations": list(destinations or (PLATFORM,)), **settings}
    clock = SteppedClock(start)
    return World(await build(make_settings(content, "test"), database, clock), clock)
