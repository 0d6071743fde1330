"""The connector `bank-webhook`: signatures against the oracle, and what statuses mean."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from connectors import BadSettings, build
from connectors.bank_webhook import BankWebhookSettings, event_body, secret_bytes, signatures
from connectors.errors import CallRejected
from schemas.delivery import Item

ItemFactory = Callable[..., Item]
SECRET = "whsec_" + base64.b64encode(b"sandbox-secret-01").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"sandbox-secret-00").decode()


def _settings(**changes: Any) -> BankWebhookSettings:
    given = {"url": "https://bank.example/hook", "secrets": [SECRET], **changes}
    return BankWebhookSettings.model_validate(given)


@pytest.mark.parametrize("event_id", ["key-1", "键.含点"])
def test_the_signature_equals_that_of_the_reference_library(event_id: str) -> None:
    moment = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
    body = '{"等级":"蓝"}'

    ours = signatures([b"sandbox-secret-01"], event_id, int(moment.timestamp()), body.encode())

    assert ours == Webhook(SECRET).sign(event_id, moment, body)


def test_every_configured_secret_signs() -> None:
    keys = [secret_bytes(s) for s in _settings(secrets=[SECRET, OLD_SECRET]).secrets]

    both = signatures(keys, "id", 1, b"{}")

    assert both.split(" ") == [signatures([key], "id", 1, b"{}") for key in keys]


async def test_a_receiver_with_one_of_the_secrets_accepts_the_event(
    url: str, sandbox: Any, clock: Any, item: ItemFactory
) -> None:
    settings = {"url": f"{url}/bank/webhook", "secrets": [OLD_SECRET, SECRET]}
    bank = build("bank-webhook", {**settings, "allow_private": True}, clock)

    [outcome] = await bank.send([item(1, record_kind="grade_change")])

    assert outcome.kind.value == "accepted"
    assert sandbox.books["bank"].bad_signatures == 0
    await bank.close()


async def test_an_invalid_signature_rejects_the_call(
    url: str, sandbox: Any, clock: Any, item: ItemFactory
) -> None:
    settings = {"url": f"{url}/bank/webhook", "secrets": [OLD_SECRET], "allow_private": True}
    bank = build("bank-webhook", settings, clock)

    with pytest.raises(CallRejected):
        await bank.send([item(1)])

    assert sandbox.books["bank"].state()["effects"] == {}
    await bank.close()


async def test_a_signature_with_a_wrong_time_is_refused_by_the_receiver(
    url: str, sandbox: Any, clock: Any, item: ItemFactory
) -> None:
    slow = clock() - timedelta(hours=1)
    settings = {"url": f"{url}/bank/webhook", "secrets": [SECRET], "allow_private": True}
    bank = build("bank-webhook", settings, lambda: slow)

    with pytest.raises(CallRejected):
        await bank.send([item(1)])

    assert sandbox.books["bank"].bad_signatures == 1
    await bank.close()


@pytest.mark.parametrize(
    ("status", "expected"), [(400, "rejected"), (413, "rejected"), (422, "rejected"),
                             (408, "deferred"), (409, "unknown"), (425, "deferred")],
)  # fmt: skip
async def test_a_status_rejects_the_body_or_defers_it(
    url: str, sandbox: Any, clock: Any, item: ItemFactory, status: int, expected: str
) -> None:
    sandbox.order("bank", refuse_calls=1, refuse_status=status)
    settings = {"url": f"{url}/bank/webhook", "secrets": [SECRET], "allow_private": True}
    bank = build("bank-webhook", settings, clock)

    [outcome] = await bank.send([item(1)])

    assert outcome.kind.value == expected
    await bank.close()


async def test_a_receiver_that_is_gone_rejects_the_call(
    url: str, sandbox: Any, clock: Any, item: ItemFactory
) -> None:
    sandbox.order("bank", refuse_calls=1, refuse_status=410)
    settings = {"url": f"{url}/bank/webhook", "secrets": [SECRET], "allow_private": True}
    bank = build("bank-webhook", settings, clock)

    with pytest.raises(CallRejected):
        await bank.send([item(1)])

    await bank.close()


def test_the_body_is_the_same_for_every_resend(item: ItemFactory) -> None:
    assert event_body(item(1), _settings()) == event_body(item(1), _settings())


def test_a_thin_payload_carries_no_columns(item: ItemFactory) -> None:
    thin = event_body(item(1), _settings(payload="thin"))

    assert b"columns" not in thin
    assert b"key-1" in thin


@pytest.mark.parametrize("secret", ["whsec_", "whsec_***not-base64***"])
def test_a_secret_that_cannot_be_read_is_refused_without_showing_it(
    secret: str, clock: Any
) -> None:
    settings = {"url": "https://bank.example", "secrets": [secret]}

    with pytest.raises(BadSettings, match="secrets") as caught:
        build("bank-webhook", settings, clock)

    assert "not-base64" not in str(caught.value)
