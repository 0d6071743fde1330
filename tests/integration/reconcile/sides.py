"""How the tests compare a side of their small gateway."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from gateway.reconcile.keep import Reconciled
from gateway.reconcile.run import ReconciledDays, begin, reconcile_platform
from gateway.service.reconciling import Compared, compare_register
from gateway.store.account import differences as store
from gateway.store.account.differences import StoredDifference
from schemas.register import Register
from tests.integration.ledger_world import World

OCTOBER = ReconciledDays(date(2026, 10, 1), date(2026, 11, 1))


async def reconcile(here: World, span: ReconciledDays = OCTOBER) -> Reconciled:
    return await reconcile_platform(
        here.gateway.database,
        here.gateway.reconcile_scope,
        here.gateway.settings.destinations[0],
        here.connectors["platform"],
        await begin(here.gateway.database, "platform", span, here.clock()),
    )


async def compare(here: World, **source: Any) -> Compared:
    register = Register.model_validate({"name": "cases", "title": "案件系统", **source})
    run = await begin(here.gateway.database, register.name, OCTOBER, here.clock())
    return await compare_register(here.gateway, register, run)


def kinds(flags: Sequence[Mapping[str, Any]]) -> str:
    return ",".join(flag["kind"] for flag in flags)


def found(done: Reconciled) -> dict[str, str]:
    return {one.key.split("|")[1]: kinds(one.flags) for one in done.differences}


async def kept(here: World, *, every: bool = False) -> list[StoredDifference]:
    async with here.gateway.database.transaction() as connection:
        return await store.listed(connection, every=every)
