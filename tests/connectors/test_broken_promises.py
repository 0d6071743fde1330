"""A connector that breaks a promise is found, and by that promise."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta

import pytest

from connectors.conformance import PROMISES, PromiseVerdict, Trial, examine, made_up
from connectors.conformance import trial as trials
from connectors.errors import CallRejected
from connectors.memory import MemoryConnector, MemorySettings, Step
from connectors.protocol import OnUnknown
from connectors.shared import Clock
from schemas.codes import Verb
from schemas.delivery import Health, Item, Listed, ListingMark, Outcome, OutcomeKind, Receipt
from schemas.identifiers import credit_code_problem, fold
from tests.connectors.conftest import SteppedClock

ABSENT = Outcome(kind=OutcomeKind.DEFERRED, absent=True)


class Forgetful(MemoryConnector):
    """It takes everything and can look up nothing."""

    async def look_up(self, items: Sequence[Item]) -> list[Outcome]:
        return [ABSENT] * len(items)


class Sure(MemoryConnector):
    """It says that it has everything."""

    async def look_up(self, items: Sequence[Item]) -> list[Outcome]:
        return [Outcome(kind=OutcomeKind.ACCEPTED)] * len(items)


class Backwards(MemoryConnector):
    """It answers look-ups in the order of its keys."""

    async def look_up(self, items: Sequence[Item]) -> list[Outcome]:
        return await super().look_up(sorted(items, key=lambda item: item.key))


class Short(MemoryConnector):
    """It leaves the outcome of the last item out."""

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        return (await super().send(items))[: max(1, len(items) - 1)] if items else []


class Unwilling(MemoryConnector):
    """It refuses what it has already."""

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        known = [item.key in self.stored for item in items]
        outcomes = await super().send(items)
        refused = Outcome(kind=OutcomeKind.REJECTED, reasons=("重复数据",))
        return [refused if had else one for had, one in zip(known, outcomes, strict=True)]


class Careless(MemoryConnector):
    """It cannot write what stands in some decisions."""

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        for item in items:
            str(item.columns["CF_NR"]).encode("gb2312")
        return await super().send(items)


class Choking(MemoryConnector):
    """Its destination refuses the whole call for one column."""

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        if any("]]>" in str(item.columns["CF_NR"]) for item in items):
            raise CallRejected
        return await super().send(items)


class OnlyNew(MemoryConnector):
    """It knows no corrections."""

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        if any(item.verb is not Verb.NEW for item in items):
            raise KeyError("correct")
        return await super().send(items)


class Nothing(MemoryConnector):
    """It calls the destination for nothing at all."""

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        if not items:
            raise ValueError("no rows")
        return await super().send(items)


class Silent(MemoryConnector):
    """It has a listing and says that it has none."""

    def __init__(self, settings: MemorySettings, now: Clock) -> None:
        super().__init__(settings, now)
        self.limits = self.limits.model_copy(update={"has_listing": False, "has_receipts": False})

    async def receipts(self, cursor: str) -> tuple[list[Receipt], str]:
        return [], f"{cursor}7"


class Unlisted(MemoryConnector):
    """It finds out by a listing that it does not have."""

    def __init__(self, settings: MemorySettings, now: Clock) -> None:
        super().__init__(settings, now)
        changes = {"has_listing": False, "on_unknown": OnUnknown.LISTING}
        self.limits = self.limits.model_copy(update=changes)

    async def listing(self, since: datetime) -> AsyncIterator[Listed | ListingMark]:
        async for row in super().listing(since + timedelta(days=1)):
            yield row


class Slow(MemoryConnector):
    """It waits for ever."""

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        if items:
            await asyncio.Event().wait()
        return []


class OnceOnly(MemoryConnector):
    """It cannot be closed twice."""

    async def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed")
        await super().close()


async def examined(
    make: Callable[[MemorySettings, Clock], MemoryConnector], clock: SteppedClock
) -> dict[str, tuple[PromiseVerdict, str]]:
    connector = make(MemorySettings(call_timeout=timedelta(seconds=0.1)), clock)
    trial = Trial(connector, [made_up("penalty", clock())], clock)
    return {one.promise.name: (one.verdict, one.why) async for one in examine(trial)}


@pytest.mark.parametrize(
    ("make", "broken", "why"),
    [
        (Forgetful, "looked-up-in-order", "查询说没有"),
        (Forgetful, "found-out", "look_up"),
        (Sure, "unsent", "应为 absent"),
        (Backwards, "looked-up-in-order", "一一对应"),
        (Short, "one-outcome-each", "给了 3 条，返回 2 个"),
        (Unwilling, "again", "重复数据"),
        (Careless, "odd-content", "UnicodeEncodeError"),
        (Choking, "odd-content", "CF_NR 是尖括号和＆的一条使整次调用失败"),
        (OnlyNew, "follow-ups", "动作“correct”使 send 抛出 KeyError"),
        (Nothing, "nothing", "只能抛出 NotSent"),
        (Silent, "listing", "has_listing 是 False"),
        (Silent, "receipts", "has_receipts 是 False"),
        (Unlisted, "limits", "has_listing 却是 False"),
        (Slow, "one-outcome-each", "超过自己声明的时限"),
        (OnceOnly, "closed-twice", "RuntimeError"),
    ],
)
async def test_a_broken_promise_is_found_with_the_reason(
    make: Callable[[MemorySettings, Clock], MemoryConnector],
    broken: str,
    why: str,
    clock: SteppedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trials, "PATIENCE", timedelta(0))

    found = await examined(make, clock)

    assert found[broken][0] is PromiseVerdict.BROKEN, found[broken]
    assert why in found[broken][1]


@pytest.mark.parametrize("seconds", [0, 161])
async def test_a_call_that_no_stop_waits_for_is_found(seconds: int, clock: SteppedClock) -> None:
    connector = MemoryConnector(MemorySettings(), clock)
    longer = {"call_timeout": timedelta(seconds=seconds)}
    connector.limits = connector.limits.model_copy(update=longer)
    trial = Trial(connector, [made_up("penalty", clock())], clock)

    results = {one.promise.name: one.verdict async for one in examine(trial)}

    assert results["limits"] is PromiseVerdict.BROKEN


class Away(MemoryConnector):
    """Nobody answers."""

    async def health(self) -> Health:
        return Health(ok=False, detail="没有回音")


@pytest.mark.parametrize("step", [Step.NOT_SENT, Step.LOSE_ANSWER, Step.CALL_REJECTED])
async def test_what_gets_no_answer_breaks_nothing_and_is_not_sent_again(
    step: Step, clock: SteppedClock
) -> None:
    connector = MemoryConnector(MemorySettings(always=step), clock)
    trial = Trial(connector, [made_up("penalty", clock())], clock)

    results = [one async for one in examine(trial)]

    sending = [one for one in results if one.promise.calls and one.promise.name != "health"]
    assert {one.verdict for one in sending} == {PromiseVerdict.UNTRIED}
    assert connector.calls == 1


async def test_where_nobody_answers_nothing_is_sent(clock: SteppedClock) -> None:
    made: list[MemoryConnector] = []

    def make(settings: MemorySettings, now: Clock) -> MemoryConnector:
        made.append(Away(settings, now))
        return made[0]

    found = await examined(make, clock)

    assert found["health"] == (PromiseVerdict.UNTRIED, "没有回音")
    assert (made[0].calls, made[0].closed) == (0, True)


async def test_items_that_are_refused_leave_open_what_needs_one_that_is_taken(
    clock: SteppedClock,
) -> None:
    found = await examined(
        lambda _, now: MemoryConnector(MemorySettings(always=Step.REJECT), now), clock
    )

    assert found["one-outcome-each"][0] is PromiseVerdict.HELD
    assert found["again"] == (
        PromiseVerdict.UNTRIED,
        "对方没有收下测试条目（rejected）：样例退回",
    )


@pytest.mark.parametrize("way", [OnUnknown.LISTING, OnUnknown.RESEND, OnUnknown.PERSON])
async def test_each_way_of_finding_out_is_tried_by_itself(
    way: OnUnknown, clock: SteppedClock
) -> None:
    found = await examined(
        lambda _, now: MemoryConnector(MemorySettings(on_unknown=way), now), clock
    )

    by_person = PromiseVerdict.DOES_NOT_APPLY
    assert found["found-out"][0] is (by_person if way is OnUnknown.PERSON else PromiseVerdict.HELD)


@pytest.mark.parametrize("kind", ["penalty", "licence", "grade_change"])
async def test_what_is_sent_is_plainly_a_test_and_about_nobody(
    kind: str, clock: SteppedClock
) -> None:
    maker = made_up(kind, clock())
    item = maker(1)
    later = made_up(kind, clock() + timedelta(seconds=1))(1)

    assert "测试" in (item.document_number or str(item.columns))
    assert credit_code_problem(item.subject_code) is None
    assert item.subject_code[2:8] == "159900"
    assert item.key == maker(1).key != later.key
    assert fold(item.document_number or "1") == (item.document_number or "1")


def test_every_promise_has_its_own_name() -> None:
    assert len({promise.name for promise in PROMISES}) == len(PROMISES)
