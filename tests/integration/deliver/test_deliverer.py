"""The way out, with the in-memory connector and its scripted answers."""

import pytest

from connectors.memory import Step
from gateway.deliver.receipts import receive
from tests.conftest import BANK, PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

NUMBER = "样环罚字〔2026〕1号"
OUTCOMES = "select act, outcome from attempt order by started_at, delivery_id"


def platform(**settings: object) -> dict[str, object]:
    return {"destinations": [{**PLATFORM, "settings": settings}, BANK]}


# ---------------------------------------------------------------- outcomes


async def test_an_accepted_item_ends_accepted(world: World) -> None:
    await world.take(penalty())

    await world.turn()

    assert await world.states() == ["accepted"]
    assert await world.rows(OUTCOMES) == [("send", "accepted"), ("send", "accepted")]


async def test_a_lost_answer_has_one_effect(world: World) -> None:
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())

    await world.turn()
    assert await world.states() == ["unknown"]
    await world.pass_time(1)

    assert await world.states() == ["accepted"]
    assert list(world.connector().effects.values()) == [1]
    acts = await world.column("select act from attempt a join delivery d on d.id = a.delivery_id "
                              "where destination = 'platform' order by started_at")  # fmt: skip
    assert acts == ["send", "look_up"]


async def test_an_item_that_a_look_up_does_not_find_is_sent_again(world: World) -> None:
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.turn()
    world.connector().stored.clear()
    world.connector()._outcomes.clear()

    await world.pass_time(1)

    assert await world.states() == ["accepted"]


async def test_a_resend_has_the_same_key(
    make_world: MakeWorld,
) -> None:
    world = await make_world(**platform(on_unknown="resend"))
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())

    await world.turn()
    await world.pass_time(1)

    assert await world.states() == ["accepted"]
    assert list(world.connector().effects.values()) == [1]


async def test_an_unknown_outcome_stays_where_only_a_person_can_find_out(
    make_world: MakeWorld,
) -> None:
    world = await make_world(**platform(on_unknown="person"))
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())

    for _ in range(5):
        await world.pass_time(24)

    assert await world.states() == ["unknown"]
    assert list(world.connector().effects.values()) == [1]


async def test_a_rejected_row_waits_for_its_correction(world: World) -> None:
    world.connector().play(Step.REJECT)
    await world.take(penalty())
    await world.turn()
    await world.pass_time(24)
    assert await world.states() == ["rejected"]
    assert await world.column("select reasons from delivery where destination = 'platform'") == [
        ["样例退回"]
    ]

    await world.take(penalty(CF_NR="更正"))
    await world.turn()

    assert await world.states() == ["superseded", "accepted"]
    assert world.sent() == [("new", NUMBER)]


async def test_a_deferred_item_is_tried_again(world: World) -> None:
    world.connector().play(Step.DEFER, Step.DEFER)
    await world.take(penalty())

    await world.turn()
    assert await world.states() == ["deferred"]
    await world.pass_time(12)
    await world.pass_time(12)

    assert await world.states() == ["accepted"]


async def test_a_delivery_is_never_given_up(make_world: MakeWorld) -> None:
    world = await make_world(**platform(always="defer"))
    await world.take(penalty())

    for _ in range(20):
        await world.pass_time(24)
    [(state, attempts, breached)] = await world.rows(
        "select state, attempts, breached_at is not null from delivery "
        "where destination = 'platform'"
    )

    assert (state, breached) == ("deferred", True)
    assert attempts >= 20
    world.connector().play(*[Step.ACCEPT] * 3)
    await world.pass_time(24)
    assert await world.states() == ["accepted"]


async def test_a_refused_call_opens_the_breaker_at_once(world: World) -> None:
    world.connector().play(Step.CALL_REJECTED)
    await world.take(penalty())

    await world.turn()
    calls = world.connector().calls
    await world.turn()

    assert world.connector().calls == calls == 1
    assert await world.states() == ["deferred"]
    assert await world.events() == ["breaker_opened"]


async def test_a_breaker_is_audited_once_when_it_opens_and_once_when_it_closes(
    make_world: MakeWorld,
) -> None:
    world = await make_world(**platform(always="not_sent", batch_size=1, concurrency=1))
    for number in range(8):
        await world.take(penalty(number))
    for _ in range(4):
        await world.pass_time(1)
    assert await world.events() == ["breaker_opened"]

    world.connector().play(*[Step.ACCEPT] * 50)
    await world.pass_time(2)
    await world.pass_time(2)
    await world.pass_time(2)

    assert await world.events() == ["breaker_opened", "breaker_closed"]
    assert await world.states() == ["accepted"] * 8


async def test_an_open_breaker_skips_the_remaining_calls(make_world: MakeWorld) -> None:
    world = await make_world(**platform(always="call_rejected", batch_size=1, concurrency=1))
    await world.take(*[penalty(number) for number in range(30)])

    await world.turn()

    assert world.connector().calls < 5


# ---------------------------------------------------------------- receipts


async def test_a_receipt_accepts_a_submitted_delivery(world: World) -> None:
    world.connector().play(Step.SUBMIT)
    await world.take(penalty())
    await world.turn()
    assert await world.states() == ["submitted"]

    [key] = world.connector().stored
    world.connector().issue_receipt(key, accepted=True)
    await world.turn()

    assert await world.states() == ["accepted"]
    assert await world.value("select count(*) from receipt") == 1


async def test_a_later_receipt_can_reject_an_accepted_delivery(world: World) -> None:
    await world.take(penalty())
    await world.turn()
    [key] = world.connector().stored

    world.connector().issue_receipt(key, accepted=False, reasons=("未查询到主体",))
    await world.turn()

    assert await world.states() == ["rejected"]
    reasons = await world.column("select reasons from delivery where destination = 'platform'")
    assert reasons == [["未查询到主体"]]


async def test_a_receipt_is_read_once(world: World) -> None:
    await world.take(penalty())
    await world.turn()
    [key] = world.connector().stored
    world.connector().issue_receipt(key, accepted=False)

    moved = [await receive(world.deliverer()), await receive(world.deliverer())]

    assert moved == [1, 0]
    assert await world.value("select count(*) from receipt") == 1


async def test_receipts_with_foreign_keys_move_nothing(world: World) -> None:
    await world.take(penalty())
    await world.turn()
    world.connector().issue_receipt("other-1", accepted=False)
    world.connector().issue_receipt("nonsense", accepted=False)

    await world.turn()

    assert await world.states() == ["accepted"]


async def test_where_searches_are_slow_they_begin_behind_what_was_claimed(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What became ready before that has its turn at the next search from the first one."""
    monkeypatch.setattr("gateway.deliver.seldom.SLOW", 0.0)
    monkeypatch.setattr("gateway.deliver.seldom.SHARE", 1e-9)
    monkeypatch.setattr("gateway.deliver.seldom.LONGEST", 3600.0)
    world = await make_world(**platform(batch_size=1, concurrency=1))
    await world.take(*[penalty(n, n) for n in range(1, 61)])
    deliverer = world.deliverer()
    await deliverer.round()  # the first search is from the first one; a claim is of 25
    await world.take(penalty(99, 99, CF_JDRQ="2026/10/07"))
    await deliverer.drain()
    behind = [number for _, number in world.sent()]
    deliverer._searching.at_once()
    await deliverer.drain()

    assert len(behind) == 60
    assert "样环罚字〔2026〕99号" not in behind
    assert await world.states() == ["accepted"] * 61
