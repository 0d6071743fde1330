"""What comes late: words of people, receipts, and a platform that stores though it is busy."""

from collections.abc import Sequence
from datetime import timedelta

from connectors.errors import OutcomeUnknown
from connectors.memory import MemoryConnector
from gateway.deliver.manual import change_all
from gateway.store.deliver.by_hand import Order
from schemas.delivery import DeliveryState, Item, Outcome, OutcomeKind, Receipt
from tests.integration.world import World


async def say(world: World, id_: int, state: DeliveryState) -> bool:
    """Change one delivery by hand; return whether its state allowed it."""
    acted = await change_all(world.database, [id_], Order(state, "原因"), "me", world.clock())
    return id_ in acted.changed


async def ids(world: World) -> list[int]:
    return await world.column("select id from delivery where destination = 'platform' order by id")


async def days(world: World, count: int = 5) -> None:
    for _ in range(count):
        await world.pass_time(24)


async def with_receipt(world: World, hours: int, *, accepted: bool, key: str | None = None) -> None:
    """Let the platform give a receipt of its first delivery, dated so many hours from now."""
    named = key or next(iter(world.connector().stored))
    at = world.clock() + timedelta(hours=hours)
    world.connector()._receipts.append(Receipt(key=named, accepted=accepted, platform_at=at))


def busy_after_storing(world: World) -> MemoryConnector:
    """Let the platform store the next call, and a proxy before it answer that it is busy."""
    connector = world.connector()
    send = connector.send

    async def stored(items: Sequence[Item]) -> list[Outcome]:
        await send(items)
        connector.send = send  # type: ignore[method-assign]
        busy = Outcome(kind=OutcomeKind.DEFERRED, retry_after=timedelta(minutes=10))
        return [busy] * len(items)

    connector.send = stored  # type: ignore[method-assign]
    return connector


def lost_on_the_way(world: World) -> None:
    """Let the next call be lost before it reaches the platform, which nobody can tell."""
    connector = world.connector()
    send = connector.send

    async def lost(items: Sequence[Item]) -> list[Outcome]:
        connector.send = send  # type: ignore[method-assign]
        raise OutcomeUnknown(f"{len(items)}")

    connector.send = lost  # type: ignore[method-assign]
