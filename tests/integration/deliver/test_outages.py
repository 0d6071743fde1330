"""The register of receivers' outages: from the first failed call to the first answer."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from connectors.errors import NotSent
from connectors.memory import Step
from connectors.shared.parts import outcome_of
from gateway.deliver.caller import QUICK_TRIES
from gateway.deliver.register import Times, close_outage, open_outage, void_outage
from gateway.store.account import evidence, outages
from gateway.store.account.evidence import About, Evidence, Statement
from gateway.store.account.outages import Outage
from schemas.delivery import Item, Outcome, OutcomeKind
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def entered(world: World) -> list[tuple[Outage, list[Evidence]]]:
    async with world.database.transaction() as connection:
        found = await outages.listed(connection)
        said = await evidence.of(connection, About.OUTAGE, [one.id for one in found])
    return [(one, said.get(one.id, [])) for one in found]


async def quarters(world: World, count: int) -> None:
    for _ in range(count):
        world.clock.step(timedelta(minutes=15))
        await world.deliverer().drain()


async def test_an_outage_goes_from_the_first_failed_call_to_the_first_answer(world: World) -> None:
    world.connector().play(*[Step.NOT_SENT] * 30)  # each call tries three times
    await world.take(penalty())
    first = world.clock()
    await world.deliverer().drain()
    await quarters(world, 8)
    [(one, during)] = await entered(world)

    await quarters(world, 24)
    [(after, said)] = await entered(world)

    assert (one.since, one.until, one.opened_by) == (first, None, "credit-gateway")
    assert 5 <= len(during) < len(said) == 11
    assert after.until is not None
    assert one.since < during[-1].at < after.until < world.clock()
    assert [each.at for each in said] == sorted(each.at for each in said)
    assert said[-1].words == "恢复应答"


async def test_a_refused_call_is_no_outage(world: World) -> None:
    world.connector().play(*[Step.CALL_REJECTED] * 300)
    await world.take(penalty())

    await quarters(world, 12)

    assert await entered(world) == []


async def test_a_later_owner_goes_on_with_the_outage_and_ends_it(make_world: MakeWorld) -> None:
    before = await make_world()
    before.connector().play(*[Step.NOT_SENT] * 300)
    await before.take(penalty())
    await quarters(before, 12)
    await before.deliverer().close()

    after = await make_world()
    after.clock.step(timedelta(hours=3))
    after.connector().play(*[Step.NOT_SENT] * 3)
    await quarters(after, 24)

    [(one, said)] = await entered(after)
    assert one.until is not None
    assert said[-1].words == "恢复应答"


async def test_a_fault_of_ours_and_calling_too_often_are_no_outages(world: World) -> None:
    answers: list[Exception | None] = [KeyError("a bug"), None]

    async def send(items: Sequence[Item]) -> list[Outcome]:
        if (fault := answers[0]) is not None:
            raise fault
        wait = timedelta(minutes=5)
        return [Outcome(kind=OutcomeKind.DEFERRED, retry_after=wait)] * len(items)

    world.connector().send = send  # type: ignore[method-assign]
    await world.take(penalty())
    await quarters(world, 12)
    answers.pop(0)
    await quarters(world, 12)

    assert await entered(world) == []


def throttled(*, theirs: bool) -> Outcome:
    """Return the outcome of a call of several parts that was answered by 429, or by 503."""
    error = NotSent("wait", timedelta(seconds=30))
    error.theirs = theirs
    return outcome_of(error)


@pytest.mark.parametrize("theirs", [True, False])
async def test_a_destination_that_asks_us_to_wait_is_no_outage_unless_it_is_in_trouble(
    world: World, *, theirs: bool
) -> None:
    async def send(items: Sequence[Item]) -> list[Outcome]:
        return [throttled(theirs=theirs)] * len(items)

    world.connector().send = send  # type: ignore[method-assign]
    await world.take(penalty())

    await quarters(world, 12)

    assert bool(await entered(world)) is theirs


async def test_an_outage_ends_with_the_first_request_to_wait(world: World) -> None:
    answers = [throttled(theirs=True)]

    async def send(items: Sequence[Item]) -> list[Outcome]:
        return answers[-1:] * len(items)

    world.connector().send = send  # type: ignore[method-assign]
    await world.take(penalty())
    await quarters(world, 12)
    answers.append(throttled(theirs=False))
    back = world.clock()
    await quarters(world, 12)

    [(one, said)] = await entered(world)
    assert one.until is not None
    assert back < one.until <= world.clock()
    assert said[-1].words == "恢复应答"


async def test_what_a_person_voids_stays_void_until_the_destination_answers(world: World) -> None:
    world.connector().play(*[Step.NOT_SENT] * 30)
    await world.take(penalty())
    await quarters(world, 6)
    [(one, _)] = await entered(world)
    said = Statement("张三", "是我方防火墙")
    assert await void_outage(world.database, one.id, said, world.clock())

    await quarters(world, 24)

    [(after, evidence_)] = await entered(world)
    assert after.void_by == "张三"
    assert after.until is not None
    assert len(evidence_) > 6


async def test_what_a_person_has_ended_begins_anew_only_from_then(world: World) -> None:
    world.connector().play(*[Step.NOT_SENT] * 60)
    await world.take(penalty())
    await quarters(world, 6)
    [(one, _)] = await entered(world)
    end = world.clock()
    assert await close_outage(world.database, one.id, end, Statement("张三", "恢复了"), end)

    await quarters(world, 6)

    first, second = (found for found, _ in await entered(world))
    assert (first.until, second.since) == (end, end)


async def test_what_a_person_entered_beside_it_cuts_nothing_off(world: World) -> None:
    world.connector().play(*[Step.NOT_SENT] * 60)
    await world.take(penalty())
    first = world.clock()
    await world.deliverer().drain()
    await quarters(world, 1)
    times = Times(first, world.clock())
    said = Statement("张三", "登错了")
    number = await open_outage(world.database, "platform", times, said, world.clock())
    assert number is not None
    await void_outage(world.database, number, said, world.clock())

    await quarters(world, 6)

    [found] = [one for one, _ in await entered(world) if one.opened_by == "credit-gateway"]
    assert found.since == first


async def test_one_failure_of_theirs_before_a_trouble_of_ours_is_no_outage(world: World) -> None:
    calls = 0

    async def send(items: Sequence[Item]) -> list[Outcome]:
        nonlocal calls
        calls += 1
        error = NotSent("连接断开" if calls <= QUICK_TRIES else "主机名解析不出来")
        error.theirs = calls <= QUICK_TRIES
        raise error

    world.connector().send = send  # type: ignore[method-assign]
    await world.take(penalty())
    await world.deliverer().drain()
    await quarters(world, 12)

    assert await entered(world) == []
