"""What every connector promises, tested on all of them in the same words.

The promises that need nothing but the connector stand in `connectors.conformance`, so that other
packages and `connector test` use them too. Here they run on real servers; the tests after them see
what the destination has, or make it fail.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors import CONNECTORS, build
from connectors.conformance import PROMISES, Promise, PromiseVerdict, Trial, tried
from connectors.conformance.trial import TAKEN
from connectors.errors import ConnectorError, NotSent, OutcomeUnknown
from connectors.protocol import CarriedByPerson, OnUnknown
from schemas.delivery import HANDED_OVER, DeliveryState, Item, OutcomeKind
from tests.connectors.listed import listed

KAFKA = [
    pytest.param(name, marks=pytest.mark.integration)
    for name in ("kafka-topic", "kafka-topic@receipts")
]
#: The same kind on two servers.
DATABASES = [
    pytest.param(name, marks=pytest.mark.integration)
    for name in ("exchange-database", "exchange-database@postgresql")
]
LOSSY = ["bank-webhook", "memory", "platform-json", "platform-soap", *DATABASES]
LOSSY += ["file-drop@sftp", "file-drop@ftps", "mail-drop"]
REMOTE = ["bank-webhook", "platform-json", "platform-soap"]

every_kind = pytest.mark.parametrize("harness", [*LOSSY, *KAFKA], indirect=True)
lossy_kinds = pytest.mark.parametrize("harness", LOSSY, indirect=True)
remote_kinds = pytest.mark.parametrize("harness", REMOTE, indirect=True)
ItemFactory = Callable[..., Item]


def test_the_suite_runs_over_every_kind_in_the_registry() -> None:
    covered = {str(getattr(one, "values", (one,))[0]) for one in [*LOSSY, *KAFKA]}

    called = {name for name, kind in CONNECTORS.items() if not kind.by_person}
    assert {name.partition("@")[0] for name in covered} == called


@every_kind
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name)
async def test_a_connector_keeps_its_promise(
    harness: Any, item: ItemFactory, clock: Any, promise: Promise
) -> None:
    result = await tried(promise, Trial(harness.connector, [item], clock))

    assert result.verdict in {PromiseVerdict.HELD, PromiseVerdict.DOES_NOT_APPLY}, result.why


@every_kind
async def test_a_kind_says_what_its_connector_can_do(harness: Any) -> None:
    kind = CONNECTORS[harness.kind.partition("@")[0]]

    assert kind.abilities.agree_with(harness.connector.limits)
    assert kind.batch_size is not None


@every_kind
async def test_everything_that_is_sent_has_one_effect(harness: Any, item: ItemFactory) -> None:
    items = [item(n) for n in (3, 1, 2)]

    outcomes = await harness.connector.send(items)

    assert [outcome.kind in TAKEN for outcome in outcomes] == [True, True, True]
    assert [await harness.count(each.key) for each in items] == [1, 1, 1]


@every_kind
async def test_sending_the_same_delivery_again_has_one_effect(
    harness: Any, item: ItemFactory
) -> None:
    await harness.connector.send([item(1)])
    await harness.connector.send([item(1)])

    assert await harness.count("key-1") == 1


@lossy_kinds
async def test_a_lost_answer_is_an_unknown_outcome(harness: Any, item: ItemFactory) -> None:
    harness.lose_next_answer()

    with pytest.raises(OutcomeUnknown):
        await harness.connector.send([item(1)])

    assert await harness.count("key-1") == 1


@lossy_kinds
async def test_after_a_lost_answer_the_declared_method_leads_to_exactly_one_effect(
    harness: Any, item: ItemFactory
) -> None:
    harness.lose_next_answer()
    with pytest.raises(OutcomeUnknown):
        await harness.connector.send([item(1)])

    if harness.connector.limits.on_unknown is OnUnknown.LOOK_UP:
        [found] = await harness.connector.look_up([item(1)])
    else:
        [found] = await harness.connector.send([item(1)])

    assert found.kind in TAKEN
    assert await harness.count("key-1") == 1


@remote_kinds
@pytest.mark.parametrize("down", ["closed", "503"])
async def test_a_destination_that_is_down_raises_and_loses_nothing(
    harness: Any, item: ItemFactory, down: str
) -> None:
    harness.sandbox.order(harness.place, down=down, down_calls=1)

    with pytest.raises(ConnectorError):
        await harness.connector.send([item(1)])
    [later] = await harness.connector.send([item(1)])

    assert later.kind in TAKEN
    assert await harness.count("key-1") == 1


@remote_kinds
@pytest.mark.parametrize("status", [429, 503])
async def test_a_request_to_retry_later_is_a_pause_for_every_item(
    harness: Any, item: ItemFactory, status: int
) -> None:
    harness.sandbox.order(harness.place, refuse_calls=1, refuse_status=status, retry_after=90)

    outcomes = await harness.connector.send([item(1), item(2)])

    # What answers 503 may stand before the destination, which may have taken the items.
    assert outcomes[0].kind is (OutcomeKind.UNKNOWN if status == 503 else OutcomeKind.DEFERRED)
    assert outcomes[1].kind in {outcomes[0].kind, OutcomeKind.DEFERRED}
    assert [one.retry_after for one in outcomes] == [timedelta(seconds=90)] * 2


@remote_kinds
async def test_a_failure_after_storing_is_an_unknown_outcome(
    harness: Any, item: ItemFactory
) -> None:
    harness.sandbox.order(harness.place, fail_answers=1)

    with pytest.raises(OutcomeUnknown):
        await harness.connector.send([item(1)])


@every_kind
async def test_receipts_and_listing_are_empty_if_there_are_none(harness: Any, clock: Any) -> None:
    receipts, _ = await harness.connector.receipts("")

    rows = await listed(harness.connector, clock())

    assert receipts == []
    assert rows == []


def test_the_outcomes_of_delivery_match_the_handed_over_states() -> None:
    assert {DeliveryState(kind.value) for kind in TAKEN} == HANDED_OVER


#: Nobody calls these: a person carries a file there.
by_person_kinds = pytest.mark.parametrize(
    "kind", [name for name, one in CONNECTORS.items() if one.by_person]
)


@by_person_kinds
async def test_where_a_person_carries_files_nothing_is_sent(
    kind: str, item: ItemFactory, clock: Any
) -> None:
    connector = build(kind, {}, clock)

    with pytest.raises(NotSent):
        await connector.send([item(1)])
    [found] = await connector.look_up([item(1)])

    assert found.kind is OutcomeKind.UNKNOWN
    assert connector.limits.on_unknown is OnUnknown.PERSON


@by_person_kinds
async def test_a_file_for_a_person_says_where_each_item_is_and_is_the_same_every_time(
    kind: str, item: ItemFactory, clock: Any
) -> None:
    connector = build(kind, {}, clock)
    assert isinstance(connector, CarriedByPerson)
    items = [item(n) for n in (3, 1, 2)]

    filled = await connector.fill(items, clock())

    assert filled.content
    assert len(set(filled.places)) == len(items)
    assert await connector.fill(items, clock()) == filled
