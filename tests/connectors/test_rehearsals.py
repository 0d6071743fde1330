"""Rehearsals of the sandbox: ordered by name over HTTP, or chosen by a mark in the data."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors import build
from connectors.errors import OutcomeUnknown
from connectors.protocol import Connector
from connectors.sandbox import PlatformPlace, Sandbox, create_sandbox, serve_sandbox
from connectors.sandbox.rehearsals import REHEARSALS
from schemas.delivery import Item, Outcome
from tests.connectors.conftest import CODE, settings_for

ItemFactory = Callable[..., Item]
BOTH = pytest.mark.parametrize("kind", ["platform-json", "platform-soap"])


@pytest.fixture
async def connector(kind: str, url: str, clock: Any) -> AsyncIterator[Connector]:
    made = build(kind, settings_for(kind, url)[1], clock)
    yield made
    await made.close()


def marked(item: ItemFactory, number: int, mark: str, **changes: Any) -> Item:
    """One record whose document number ends in a mark."""
    document = f"样环罚字〔2026〕{number}号{mark}"
    columns = {"CF_WSH": document, "CF_XDR_SHXYM": CODE, "CF_ZT": "0", **changes}
    return item(number, document_number=document, columns=columns)


def words(outcomes: list[Outcome]) -> list[str]:
    return ["；".join(one.reasons) for one in outcomes]


async def test_a_rehearsal_is_ordered_for_some_calls_or_until_it_is_ended(url: str) -> None:
    row = {"key": "k", "kind": "penalty", "verb": "new", "version": 1, "columns": {}}
    async with httpx.AsyncClient(base_url=f"{url}/credit") as platform:

        async def statuses(times: int) -> list[str]:
            found = []
            for _ in range(times):
                answer = await platform.post("/records", json={"items": [row]})
                found += [one["status"] for one in answer.json()["results"]]
            return found

        await platform.put("/control/rehearsal", json={"name": "reject", "calls": 2})
        assert await statuses(3) == ["rejected", "rejected", "accepted"]
        await platform.post("/control/reset")
        ordered = await platform.put("/control/rehearsal", json={"name": "reject"})
        assert ordered.json()["now"] == {"name": "reject", "calls": None}
        assert await statuses(3) == ["rejected"] * 3
        ended = await platform.delete("/control/rehearsal")
        assert ended.json()["now"] == {"name": None, "calls": None}
        assert await statuses(1) == ["accepted"]


async def test_only_what_hands_something_over_counts_as_a_call_but_a_stop_is_of_all(
    url: str,
) -> None:
    async with httpx.AsyncClient(base_url=f"{url}/credit") as platform:
        await platform.put("/control/rehearsal", json={"name": "429", "calls": 1})
        asked = [(await platform.get(path)).status_code for path in ("/receipts", "/health")]
        handed_over = await platform.post("/records", json={"items": []})
        await platform.put("/control/rehearsal", json={"name": "down"})
        down = [(await platform.get(path)).status_code for path in ("/receipts", "/health")]

    assert (asked, handed_over.status_code, down) == ([200, 200], 429, [503, 503])


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"name": "refuse"}, "没有演练 refuse；可用：accept、"),
        ({"name": "reject", "calls": 0}, "calls：不是约定的格式"),
        ({}, 'name：不是约定的格式；写成 {"name": "reject", "calls": 1}'),
    ],
)
async def test_an_order_that_is_wrong_is_told_and_changes_nothing(
    url: str, order: dict[str, Any], said: str
) -> None:
    async with httpx.AsyncClient(base_url=f"{url}/credit/control") as control:
        refused = await control.put("/rehearsal", json=order)
        shown = await control.get("/rehearsal")

    assert refused.status_code == 422
    assert said in refused.json()["problems"]
    assert shown.json()["now"]["name"] is None


async def test_a_place_shows_the_rehearsals_that_it_can_do(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        platform = (await client.get("/credit/control/rehearsal")).json()["rehearsals"]
        bank = (await client.get("/bank/control/rehearsal")).json()["rehearsals"]

    assert list(platform) == list(REHEARSALS)
    assert platform["reject"] == {"mark": "-演练-退回", "does": REHEARSALS["reject"].does}
    assert "reject" not in bank
    assert {"slow", "5xx", "429", "down", "drop_after_store"} <= set(bank)


@BOTH
@pytest.mark.parametrize("mark", ["-演练-退回", "－演练—退回", "- 演练 -退回", "-演练-reject"])
async def test_a_mark_answers_its_own_row_however_it_is_typed(
    connector: Connector, item: ItemFactory, mark: str
) -> None:
    found = await connector.send([item(1), marked(item, 2, mark), item(3)])

    assert [one.kind == "rejected" for one in found] == [False, True, False]
    assert "未查询到主体" in words(found)[1]


@BOTH
async def test_a_mark_that_is_not_known_is_told_with_those_that_are(
    connector: Connector, item: ItemFactory
) -> None:
    [found] = await connector.send([marked(item, 1, "-演练-拒收")])

    [said] = words([found])
    assert found.kind == "rejected"
    assert "演练词“拒收”" in said
    assert all(one.word in said for one in REHEARSALS.values())


@BOTH
async def test_what_corrects_a_marked_row_is_taken(connector: Connector, item: ItemFactory) -> None:
    first = marked(item, 1, "-演练-退回", CF_NR="一")
    second = marked(item, 1, "-演练-退回", CF_NR="二").model_copy(update={"key": "other"})

    found = await connector.send([first]) + await connector.send([first])
    [corrected] = await connector.send([second])

    assert [one.kind for one in found] == ["rejected", "rejected"]
    assert corrected.kind != "rejected"


@BOTH
async def test_a_mark_of_the_whole_call_answers_its_first_call_only(
    connector: Connector, item: ItemFactory, sandbox: Sandbox
) -> None:
    row = marked(item, 1, "-演练-断线")

    with pytest.raises(OutcomeUnknown):
        await connector.send([row])
    [again] = await connector.send([row.model_copy(update={"resend": True})])

    assert again.kind in {"accepted", "submitted"}
    assert list(sandbox.books["credit"].state()["effects"].values()) == [1]


@BOTH
async def test_of_several_marks_in_a_call_one_is_at_work_at_a_time(
    connector: Connector, item: ItemFactory
) -> None:
    rows = [marked(item, 1, "-演练-断线"), marked(item, 2, "-演练-限流"), item(3)]

    with pytest.raises(OutcomeUnknown):
        await connector.send(rows)
    second = await connector.send(rows)
    third = await connector.send([one.model_copy(update={"resend": True}) for one in rows])

    assert {one.kind for one in second} == {"deferred"}
    assert {one.kind for one in third} <= {"accepted", "submitted"}


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("slow", "unknown"),
        ("drop_after_store", "unknown"),
        ("5xx", "unknown"),
        ("429", "deferred"),
        ("down", "unknown"),
        ("html_200", "unknown"),
        ("garbage", "accepted"),
    ],
)
async def test_a_bank_is_rehearsed_too_and_gets_each_event_once(
    url: str, item: ItemFactory, sandbox: Sandbox, clock: Any, name: str, first: str
) -> None:
    settings = settings_for("bank-webhook", url)[1] | {"call_timeout": 2}
    connector = build("bank-webhook", settings, clock)
    sandbox.rehearse("bank", name, 1)

    try:
        [found] = await connector.send([item(1)])
        said = str(found.kind)
    except OutcomeUnknown:
        said = "unknown"
    [again] = await connector.send([item(1, resend=True)])
    await connector.close()

    assert (said, again.kind) == (first, "accepted")
    assert sandbox.books["bank"].state()["effects"] == {"key-1": 1}


async def test_a_place_without_marks_takes_the_number_as_any_other(
    item: ItemFactory, clock: Any
) -> None:
    sandbox = create_sandbox(clock, {"credit": PlatformPlace(marks=False)})
    async with serve_sandbox(sandbox) as url:
        connector = build("platform-json", settings_for("platform-json", url)[1], clock)
        found = await connector.send([marked(item, 1, "-演练-退回"), marked(item, 2, "-演练-断线")])
        await connector.close()

    assert [one.kind for one in found] == ["accepted", "accepted"]


async def test_a_mark_in_the_number_of_a_configured_kind_is_read(
    url: str, item: ItemFactory, clock: Any
) -> None:
    columns = {"QZ_WSH": "样环强字〔2026〕1号-演练-退回", "QZ_XDR_SHXYM": CODE}
    connector = build("platform-json", settings_for("platform-json", url)[1], clock)

    [found] = await connector.send([item(1, record_kind="coercion", columns=columns)])
    await connector.close()

    assert found.kind == "rejected"


async def test_a_verdict_that_comes_later_comes_as_a_receipt(
    url: str, item: ItemFactory, clock: Any
) -> None:
    connector = build("platform-json", settings_for("platform-json", url)[1], clock)
    rows = [
        marked(item, number, f"-演练-{word}")
        for number, word in enumerate(("稍后入库", "事后退回", "无回执"), start=1)
    ]

    found = await connector.send(rows)
    early, cursor = await connector.receipts("")
    clock.move(timedelta(days=3))
    late, _ = await connector.receipts(cursor)
    await connector.close()

    assert [one.kind for one in found] == ["submitted"] * 3
    assert early == []
    assert {one.key: one.accepted for one in late} == {rows[0].key: True, rows[1].key: False}
