"""Faults of platforms, from the message to the last correction: nothing is lost or doubled."""

from datetime import timedelta
from typing import Any

from tests.acceptance.month import message
from tests.acceptance.town import BANK, CITY, NATION, Town, eventually
from tests.factories import licence, penalty


async def states(town: Town, place: str) -> list[tuple[str, str]]:
    """Return (document number, state) of a destination's deliveries, the oldest first."""
    query = """
        select d.document_number, l.state from delivery l join decision d on d.id = l.chain_id
        where l.item_kind = 'record_version' and l.destination = :place order by l.id
    """
    return [(row[0], row[1]) for row in await town.rows(query, place=place)]


def effects(town: Town, place: str) -> list[tuple[str, Any]]:
    """Return (document number, content) of everything that a platform stored, in order."""
    return [
        (entry["document_number"], entry["columns"].get("CF_NR") or entry["columns"]["XK_NR"])
        for entry in town.state(place)["entries"]
    ]


async def test_an_answer_dropped_after_storing_has_one_effect(town: Town) -> None:
    for place in (CITY, NATION, BANK):
        town.sandbox.order(place, drop_answers=1)
    gateway = town.start()

    await town.publish([message("penalty", penalty(1)), message("licence", licence(2))])
    await town.settle()
    await town.stop(gateway)

    for place in (CITY, NATION, BANK):
        state = town.state(place)
        assert state["doubled"] == []
        assert set(state["effects"].values()) == {1}
    assert town.state(CITY)["calls"]["lookup"] >= 1
    assert {state for _, state in await states(town, CITY)} == {"accepted"}
    assert len(effects(town, NATION)) == 2


async def test_a_correction_with_a_lost_answer_is_not_mistaken_for_a_repeat(
    town: Town,
) -> None:
    town.sandbox.order(NATION, receipt_after=timedelta(hours=1))
    gateway = town.start()
    await town.publish([message("penalty", penalty(1))])

    async def answered() -> bool:
        """Whether every version that the platform stored has its outcome written."""
        done = [state for _, state in await states(town, NATION)]
        return len(done) == len(effects(town, NATION)) and set(done) <= {"submitted", "rejected"}

    async def first_submitted() -> bool:
        return bool(effects(town, NATION)) and await answered()

    await eventually(first_submitted)
    town.sandbox.order(NATION, drop_answers=1)
    await town.publish([message("penalty", penalty(1, CF_NR="处罚款人民币20000元（更正）"))])

    async def twice() -> bool:
        return len(effects(town, NATION)) == 2 and await answered()

    await eventually(twice)
    await town.stop(gateway)

    assert [state for _, state in await states(town, NATION)] == ["submitted", "submitted"]


async def test_a_platform_that_is_down_gets_everything_later_and_blocks_no_other(
    town: Town,
) -> None:
    town.sandbox.order(CITY, down="503")
    gateway = town.start()
    await town.publish([message("penalty", penalty(number, number)) for number in range(1, 6)])

    async def others_are_served() -> bool:
        served = {state for _, state in await states(town, NATION)}
        return served == {"accepted"} and len(effects(town, NATION)) == 5

    await eventually(others_are_served)
    assert effects(town, CITY) == []
    town.sandbox.order(CITY, down="")
    await town.settle()
    await town.stop(gateway)

    assert len(effects(town, CITY)) == 5
    assert set(town.state(CITY)["effects"].values()) == {1}


async def test_a_decision_rejected_days_later_is_corrected_and_sent_again(
    town: Town,
) -> None:
    wrong, right = penalty(1), penalty(1, CF_NR="处罚款人民币20000元（更正）")
    town.sandbox.order(CITY, mode="submit", reject_later={wrong["CF_WSH"]: ["未查询到主体"]})
    gateway = town.start()
    await town.publish([message("penalty", wrong), message("licence", licence(2))])

    async def rejected() -> bool:
        return (wrong["CF_WSH"], "rejected") in await states(town, CITY)

    await eventually(rejected)
    town.sandbox.order(CITY, reject_later={})
    await town.publish([message("penalty", right)])
    await eventually_accepted(town, right["CF_WSH"])
    await town.settle()
    await town.stop(gateway)

    told = [content for document, content in effects(town, CITY) if document == wrong["CF_WSH"]]
    assert told == [wrong["CF_NR"], right["CF_NR"]]
    assert (await states(town, CITY)).count((wrong["CF_WSH"], "accepted")) == 1
    [(reasons,)] = await town.rows(
        "select reasons from delivery where destination = 'city' and reasons is not null"
    )
    assert reasons == ["未查询到主体"]


async def eventually_accepted(town: Town, document: str) -> None:
    async def accepted() -> bool:
        return (document, "accepted") in await states(town, CITY)

    await eventually(accepted)
