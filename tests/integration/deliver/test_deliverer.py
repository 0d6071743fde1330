"""The way out, with the in-memory connector and its scripted answers."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from connectors.memory import Step
from gateway.deliver.forecast import predict
from gateway.deliver.receipts import receive
from gateway.schedule.numbering import publish
from gateway.schedule.tick import Schedule
from schemas.codes import Verb
from schemas.delivery import Item, Outcome
from tests.conftest import BANK, PLATFORM
from tests.factories import credit_code, event, penalty
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


# ---------------------------------------------------------------- verbs


async def test_a_correction_is_sent_as_one_if_the_destination_has_a_version(world: World) -> None:
    await world.take(penalty())
    await world.turn()

    await world.take(penalty(CF_NR="更正"))
    await world.turn()

    assert world.sent() == [("new", NUMBER), ("correct", NUMBER)]


async def test_a_correction_before_the_first_delivery_is_sent_as_new(world: World) -> None:
    await world.take(penalty())
    await world.take(penalty(CF_NR="更正"))

    await world.turn()

    assert world.sent() == [("new", NUMBER)]
    assert await world.states() == ["superseded", "accepted"]


async def test_a_withdrawal_is_sent_to_a_destination_that_has_the_decision(world: World) -> None:
    await world.take(penalty())
    await world.turn()

    await world.take(penalty(verb="withdraw"))
    await world.turn()

    assert world.sent() == [("new", NUMBER), ("withdraw", NUMBER)]
    assert await world.states() == ["accepted", "accepted"]


async def test_a_withdrawal_before_the_first_delivery_is_not_sent(world: World) -> None:
    await world.take(penalty())

    await world.take(penalty(verb="withdraw"))
    await world.turn()

    assert world.sent() == []
    assert await world.states() == ["superseded"]


async def test_a_withdrawal_waits_until_an_unknown_outcome_is_known(world: World) -> None:
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.turn()
    await world.take(penalty(verb="withdraw"))
    assert await world.states() == ["unknown", "waiting"]

    await world.pass_time(1)

    assert world.sent() == [("new", NUMBER), ("withdraw", NUMBER)]
    assert await world.states() == ["accepted", "accepted"]


async def test_a_revived_decision_is_sent_as_a_correction_to_past_recipients(world: World) -> None:
    await world.take(penalty())
    await world.turn()
    await world.take(penalty(verb="withdraw"))
    await world.turn()

    await world.take(penalty())
    await world.turn()

    assert [verb for verb, _ in world.sent()] == [Verb.NEW, Verb.WITHDRAW, Verb.CORRECT]


# ---------------------------------------------------------------- order and ownership


async def test_versions_of_a_decision_arrive_in_their_order(world: World) -> None:
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty(CF_NR="一"))
    await world.turn()

    await world.take(penalty(CF_NR="二"))
    await world.take(penalty(CF_NR="三"))
    await world.turn()
    await world.pass_time(2)

    texts = [item.columns["CF_NR"] for item in world.connector().stored.values()]
    assert texts == ["一", "三"]
    assert await world.states() == ["accepted", "superseded", "accepted"]


async def test_an_unknown_outcome_does_not_block_other_decisions(make_world: MakeWorld) -> None:
    world = await make_world(**platform(batch_size=1, concurrency=1))
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty(1), penalty(2))

    await world.turn()

    assert sorted(await world.states()) == ["accepted", "unknown"]


async def test_a_failing_destination_does_not_block_another(make_world: MakeWorld) -> None:
    sick = {**PLATFORM, "name": "sick", "settings": {"always": "call_rejected"}}
    world = await make_world(destinations=[sick, PLATFORM, BANK])
    await world.take(penalty())

    await world.turn()

    assert (await world.states("sick"), await world.states()) == (["deferred"], ["accepted"])


async def test_the_earliest_due_delivery_is_sent_first(make_world: MakeWorld) -> None:
    world = await make_world(**platform(batch_size=1, concurrency=1))
    await world.take(*[penalty(n, n, CF_JDRQ=f"2026-10-{day:02d}") for n, day in
                       enumerate((9, 7, 12, 8), 1)])  # fmt: skip

    await world.turn()

    items = world.connector().stored.values()
    assert [str(item.decision_date) for item in items] == [
        "2026-10-07", "2026-10-08", "2026-10-09", "2026-10-12",
    ]  # fmt: skip


async def test_a_destination_belongs_to_one_process_at_a_time(make_world: MakeWorld) -> None:
    one, other = await make_world(), await make_world()
    await one.take(penalty())
    await one.deliverer().round()

    refused = await other.deliverer().round()
    await one.deliverer().close()
    owned = await other.deliverer().round()

    assert (refused.owned, owned.owned) == (False, True)


async def test_a_change_of_owner_raises_the_fencing_number(make_world: MakeWorld) -> None:
    one, other = await make_world(), await make_world()
    await one.deliverer().round()
    await one.deliverer().round()
    await one.deliverer().close()
    await other.deliverer().round()

    assert await one.value("select fencing from destination where name = 'platform'") == 2


async def test_two_deliverers_at_once_send_everything_once(make_world: MakeWorld) -> None:
    one, other = await make_world(), await make_world()
    await one.take(*[penalty(n, n) for n in range(50)])

    await asyncio.gather(
        one.deliverer().drain(), other.deliverer().drain(), other.deliverer().drain()
    )

    sent = one.connector().effects + other.connector().effects
    assert len(sent) == 50
    assert set(sent.values()) == {1}


# ---------------------------------------------------------------- grade changes


async def test_grade_changes_are_sent_in_order_once_they_are_numbered(world: World) -> None:
    await world.take(penalty(1, CF_NR_FK="60", CF_CFLB="罚款、责令停产停业"))
    await world.take(event(2, type="criminal_suspicion"))
    await world.take(event(3, type="criminal_suspicion", suspected=False))
    await world.deliverer("bank").drain()
    assert world.sent("bank") == []

    await world.turn()

    items = list(world.connector("bank").stored.values())
    assert [item.columns["number"] for item in items] == [1, 2, 3]
    assert items[0].columns["subject_code"] == credit_code(1)
    assert [item.columns["to_grade"] for item in items][1] is None


async def test_grade_changes_are_numbered_without_gaps(world: World) -> None:
    await world.take(penalty(1, 1))
    await world.run("select nextval('gateway_id') from generate_series(1, 10)")
    await world.take(penalty(2, 2), penalty(3, 3))

    await publish(world.database)
    await publish(world.database)
    await world.take(penalty(4, 4))
    await publish(world.database)

    assert await world.column("select number from grade_change order by id") == [1, 2, 3, 4]


async def test_two_publishers_at_once_number_each_grade_change_once(make_world: MakeWorld) -> None:
    world, other = await make_world(), await make_world()
    await world.take(*[penalty(n, n) for n in range(20)])
    schedules: list[Schedule] = [world.schedule, other.schedule]

    counts = await asyncio.gather(*[publish(schedule.database) for schedule in schedules * 3])

    assert sum(counts) == 20
    numbers = await world.column("select number from grade_change order by number")
    assert numbers == list(range(1, 21))


async def test_a_bank_that_failed_gets_every_change_later_in_order(world: World) -> None:
    world.connector("bank").play(Step.CALL_REJECTED, Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.take(event(2, type="criminal_suspicion"))

    for _ in range(6):
        await world.pass_time(1)

    items = world.connector("bank").stored.values()
    assert [item.columns["number"] for item in items] == [1, 2]
    assert set(world.connector("bank").effects.values()) == {1}


# ---------------------------------------------------------------- time passes


async def test_a_subject_is_scored_again_on_the_day_its_result_changes(world: World) -> None:
    await world.take(event(1, type="commendation.honour"), penalty(1, CF_NR_FK="60"))
    changes_on = await world.value("select max(changes_on) from assessment")
    before = await world.value("select count(*) from assessment")

    world.clock.set(world.clock() + (changes_on - world.clock().date()) + timedelta(days=1))
    await world.schedule.tick()
    await world.schedule.tick()

    assert await world.value("select count(*) from assessment") == before + 1


async def test_breaches_are_marked_once(world: World) -> None:
    await world.take(penalty(CF_YXQ=None))
    world.clock.step(timedelta(days=10))
    await world.schedule.tick()
    first = await world.value("select breached_at from delivery where destination = 'platform'")

    world.clock.step(timedelta(days=1))
    await world.schedule.tick()

    assert first is not None
    assert (
        await world.value("select breached_at from delivery where destination = 'platform'")
        == first
    )


async def test_an_unknown_outcome_stays_unknown_if_the_breaker_opens_first(
    make_world: MakeWorld,
) -> None:
    world = await make_world(**platform(batch_size=1, concurrency=1, on_unknown="resend"))
    world.connector().play(Step.LOSE_ANSWER, Step.LOSE_ANSWER, Step.CALL_REJECTED)
    await world.take(penalty(1), penalty(2))
    await world.turn()

    await world.pass_time(1)

    assert await world.states() == ["unknown", "unknown"]


# ---------------------------------------------------------------- limits and silence


async def test_a_claim_is_limited_by_the_permitted_call_rate(
    make_world: MakeWorld,
) -> None:
    slow = {**PLATFORM, "settings": {"batch_size": 1}, "calls_per_second": 0.1}
    world = await make_world(destinations=[slow, BANK])
    await world.take(penalty(1), penalty(2), penalty(3))

    done = await world.deliverer().round()

    assert done.claimed == 1


async def test_a_missing_receipt_is_counted(make_world: MakeWorld) -> None:
    world = await make_world(**platform(always="submit"))
    await world.take(penalty())
    await world.turn()
    gauge = world.gateway.metrics.silent_receipts.labels("platform")

    await predict(world.deliverer())
    before = gauge._value.get()
    world.clock.step(timedelta(days=3))
    await predict(world.deliverer())

    assert (before, gauge._value.get()) == (0, 1)


async def test_deliveries_that_will_be_late_are_predicted(world: World) -> None:
    await world.take(*(penalty(number) for number in range(1, 6)))
    deliverer = world.deliverer()
    limits = deliverer.connector.limits
    day = 24 * 60 * 60 * limits.batch_size * limits.concurrency
    deliverer.caller._durations.append(2 * day)

    beside = await predict(deliverer)
    await deliverer.owns()
    late = await predict(deliverer)

    assert (beside, late) == (0, 3)


async def test_no_call_begins_in_quiet_hours_though_the_claim_came_before(
    make_world: MakeWorld,
) -> None:
    quiet = [{"starts": "09:05", "ends": "18:00"}]
    settings = {"batch_size": 1, "concurrency": 1}
    world = await make_world(
        destinations=[{**PLATFORM, "settings": settings, "quiet_hours": quiet}, BANK]
    )
    await world.take(*(penalty(n, n) for n in range(1, 9)))
    connector, send = world.connector(), world.connector().send

    async def slow(items: Sequence[Item]) -> list[Outcome]:
        world.clock.step(timedelta(minutes=1))
        return await send(items)

    connector.send = slow  # type: ignore[method-assign]
    await world.deliverer().drain()

    assert connector.calls == 5
    assert (await world.states()).count("ready") == 3
