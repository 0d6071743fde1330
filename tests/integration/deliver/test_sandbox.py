"""The way out to the sandbox platform over HTTP, with faults on order."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from connectors.sandbox import PlatformPlace, Sandbox, create_sandbox, serve_sandbox
from gateway.config.clock import SteppedClock
from tests.conftest import PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

NUMBER = "样环罚字〔2026〕1号"
BOTH = pytest.mark.parametrize("kind", ["platform-json", "platform-soap"])


@pytest.fixture
def sandbox(clock: SteppedClock) -> Sandbox:
    return create_sandbox(clock, {"credit": PlatformPlace()})


@pytest.fixture
async def place(kind: str, sandbox: Sandbox, make_world: MakeWorld) -> AsyncIterator[World]:
    """A world whose only destination is the sandbox, over JSON or SOAP."""
    async with serve_sandbox(sandbox) as url:
        settings: dict[str, Any] = {"url": f"{url}/credit", "allow_private": True}
        settings |= {"call_timeout": 5}
        if kind == "platform-soap":
            settings |= {
                "department_code": "159900",
                "key_column": "CG_KEY",
                "receipts_url": f"{url}/credit/receipts",
            }
        yield await make_world(
            destinations=[{**PLATFORM, "connector": kind, "settings": settings}], scoring={}
        )


def effects(sandbox: Sandbox) -> dict[str, int]:
    found = sandbox.books["credit"].state()["effects_by_document"]
    return {one["document_number"]: one["effects"] for one in found}


async def settle(world: World) -> None:
    """Let a day pass in steps of two hours, and run everything after each."""
    for _ in range(12):
        await world.pass_time(2)


@BOTH
async def test_an_answer_dropped_after_storing_has_one_effect(
    place: World, sandbox: Sandbox
) -> None:
    sandbox.order("credit", drop_answers=1)
    await place.take(penalty())

    await place.turn()
    assert await place.states() == ["unknown"]
    await settle(place)

    assert await place.states() == ["accepted"]
    assert effects(sandbox) == {NUMBER: 1}


@BOTH
async def test_an_error_after_storing_has_one_effect(place: World, sandbox: Sandbox) -> None:
    sandbox.order("credit", fail_answers=1)
    await place.take(penalty())

    await place.turn()
    await settle(place)

    assert await place.states() == ["accepted"]
    assert effects(sandbox) == {NUMBER: 1}


@BOTH
@pytest.mark.parametrize("down", ["closed", "503"])
async def test_deliveries_are_sent_after_a_platform_was_down(
    place: World, sandbox: Sandbox, clock: SteppedClock, down: str
) -> None:
    sandbox.order("credit", down=down, down_until=clock() + timedelta(hours=20))
    await place.take(*[penalty(n, n) for n in range(5)])

    await settle(place)

    assert await place.states() == ["accepted"] * 5
    assert set(effects(sandbox).values()) == {1}


@BOTH
async def test_a_temporarily_refused_call_is_repeated(place: World, sandbox: Sandbox) -> None:
    sandbox.order("credit", refuse_calls=2, retry_after=60)
    await place.take(penalty())

    await settle(place)

    assert await place.states() == ["accepted"]
    assert effects(sandbox) == {NUMBER: 1}


@BOTH
async def test_a_row_rejected_later_is_sent_again_after_its_correction(
    place: World, sandbox: Sandbox
) -> None:
    sandbox.order("credit", mode="submit", reject_later={NUMBER: ["未查询到主体"]})
    await place.take(penalty())
    await settle(place)
    assert await place.states() == ["rejected"]

    sandbox.order("credit", reject_later={})
    await place.take(penalty(CF_XDR_MC="改正后的名称"))
    await settle(place)

    assert await place.states() == ["superseded", "accepted"]


@BOTH
async def test_a_correction_and_a_withdrawal_arrive_in_their_order(
    place: World, sandbox: Sandbox
) -> None:
    for changes in ({}, {"CF_NR": "更正"}, {"verb": "withdraw"}):
        await place.take(penalty(**changes))
        await place.turn()
    await settle(place)

    assert await place.states() == ["accepted"] * 3
    assert len(sandbox.books["credit"].log) == 3


@BOTH
async def test_a_deferred_resend_is_still_sent_as_a_resend(place: World, sandbox: Sandbox) -> None:
    await place.take(penalty())
    await settle(place)
    sandbox.order("credit", drop_answers=1)
    await place.take(penalty(CF_NR="更正"))
    await place.turn()
    sandbox.order("credit", refuse_calls=2)  # the receipts are asked for first

    await settle(place)

    assert "rejected" not in await place.column("select outcome from attempt")
    assert await place.states() == ["accepted"] * 2
    assert len(sandbox.books["credit"].log) == 2


@BOTH
async def test_several_faults_leave_a_batch_delivered_once(place: World, sandbox: Sandbox) -> None:
    sandbox.order("credit", drop_answers=2, wrong_counts=1, fail_answers=1)
    await place.take(*[penalty(n, n) for n in range(30)])

    await settle(place)

    assert await place.states() == ["accepted"] * 30
    assert effects(sandbox) == {f"样环罚字〔2026〕{n}号": 1 for n in range(30)}
