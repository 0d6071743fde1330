"""The connector `bank-webhook`: pushes grade changes 等级变动 to a bank by Standard Webhooks.

The signature covers id, time and body. The id is our key and is the same in every resend, so the
receiver can recognise a repeat. While a secret is replaced, both old and new secret sign.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import orjson
from pydantic import Field, SecretStr, field_validator

from connectors.errors import CallRejected
from connectors.protocol import Limits, OnUnknown
from connectors.shared import Clock
from connectors.shared.http_client import HttpClient
from connectors.shared.http_read import Answer
from connectors.shared.http_settings import HttpClientSettings
from connectors.shared.login import is_page
from connectors.shared.one_way import OneWay
from connectors.shared.parts import send_parts
from connectors.shared.wrapper import JsonWrapper
from schemas.delivery import Health, Item, Outcome, OutcomeKind

_PREFIX = "whsec_"

#: The receiver will never accept this body.
_REFUSED = frozenset({400, 413, 415, 422})
#: Names under which `false` says that the event was not taken.
_REFUSALS = ("success", "ok", "succeeded", "accepted")
#: How a receiver says that it has the event already. A text must be that and nothing else: each
#: part of it is also in refusals (“account already closed”, “证件号码重复”).
_KNOWN = re.compile(
    r"""
    (?:(?:th(?:is|e)[\s_-]+)? (?:event|message|webhook|notification|delivery)
        (?:[\s_-]+id)? (?:\s+[\w.:-]*\d[\w.:-]*)? [\s_-]+)?
    (?:(?:is|was|has|have)[\s_-]+)? (?:an?[\s_-]+)?
    (?:already[\s_-]*(?:been[\s_-]*)?(?:exists?|received|processed|accepted)|duplicated?)
    (?:[\s_-]+(?:event|message|webhook|notification|delivery)(?:[\s_-]+id)?)?
    | (?:不接受[:：,，]?)? [该此本]?(?:事件|消息|报文|通知|推送)?(?:已经?(?:存在|接收|收到)|重复)
    | (?:不接受[:：,，]?)? 重复的?(?:事件|消息|报文|通知|推送|报送)
    """,
    re.IGNORECASE | re.VERBOSE,
)
#: The receiver is wrong, not the body; a person must check (410: it wants no more events).
_WHOLE_CALL = frozenset({401, 403, 404, 405, 410})


class BankWebhookSettings(HttpClientSettings):
    """Configuration of a `bank-webhook` destination."""

    batch_size: Literal[1] = Field(default=1, title="每批条数")
    secrets: tuple[SecretStr, ...] = Field(min_length=1, title="签名密钥，新旧可并用")
    payload: Literal["full", "thin"] = Field(default="full", title="完整或精简载荷")
    event_type: str = Field(default="", title="事件类型，缺省按记录种类")
    #: For receivers that answer 2xx with a page, or with a body that has `success: false`.
    only_status: bool = Field(default=False, title="只看状态码，不看应答内容")
    #: For receivers that answer 200 to everything and write in the body whether they took it.
    wrapper: JsonWrapper | None = Field(default=None, title="应答的外层")

    @field_validator("secrets")
    @classmethod
    def _readable(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for secret in value:
            secret_bytes(secret)
        return value


class BankWebhook(OneWay):
    """The webhook receiver of a bank; each call sends one event."""

    def __init__(self, settings: BankWebhookSettings, now: Clock) -> None:
        self.limits = Limits(
            batch_size=1,
            concurrency=settings.concurrency,
            on_unknown=OnUnknown.RESEND,
            call_timeout=settings.call_timeout,
        )
        self._settings = settings
        self._now = now
        self._keys = [secret_bytes(secret) for secret in settings.secrets]
        wrapper = settings.wrapper
        self._http = HttpClient(
            settings,
            now,
            {"Content-Type": "application/json"},
            wrapper.says_expired if wrapper else None,
            status_decides=wrapper is None,
            secrets=settings.secrets,
        )

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Post events one by one; a 2xx status means accepted."""
        return await send_parts([[item] for item in items], self._send, self.limits.call_timeout)

    async def _send(self, items: Sequence[Item]) -> list[Outcome]:
        return [self._outcome(await self._post(item), item) for item in items]

    async def _post(self, item: Item) -> Answer:
        body = event_body(item, self._settings)
        timestamp = int(self._now().timestamp())
        headers = {
            "webhook-id": item.key,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signatures(self._keys, item.key, timestamp, body),
        }
        return await self._http.call("POST", self._settings.url, body, headers, rows=1)

    def _outcome(self, answer: Answer, item: Item) -> Outcome:
        """Return the outcome of an answer by its status.

        400, 413, 415, 422: rejected. 401, 403, 404, 405, 410: raises CallRejected. 409, that the
        receiver knows the event: accepted if it may have arrived before, else unknown, to be sent
        again. Other 4xx except 429: deferred.
        Every other status as in `HttpClient.check`; 2xx: accepted, if a configured wrapper says so.
        """
        status = answer.status
        pause, words = self._http.retry_after(answer), self._http.words(answer)
        if status == 409:
            known = OutcomeKind.ACCEPTED if item.resend else OutcomeKind.UNKNOWN
            return Outcome(kind=known, reasons=() if item.resend else (words,))
        if status in _REFUSED:
            return Outcome(kind=OutcomeKind.REJECTED, reasons=(words,))
        if status in _WHOLE_CALL:
            raise CallRejected(words)
        if 400 <= status < 500 and status != 429:
            return Outcome(kind=OutcomeKind.DEFERRED, retry_after=pause, reasons=(words,))
        self._http.check(answer)
        if self._settings.wrapper is not None:
            self._settings.wrapper.opened(answer.json())
        elif not self._settings.only_status and (doubt := _doubt(answer, item)) is not None:
            return Outcome(kind=OutcomeKind.UNKNOWN, reasons=(doubt,))
        return Outcome(kind=OutcomeKind.ACCEPTED)

    async def health(self) -> Health:
        """Report health without a check: a receiver has no probe; its answers to events show it."""
        return Health(ok=True, detail="网络回调没有探测接口，以送达结果为准")

    async def close(self) -> None:
        """Close every connection."""
        await self._http.close()


def _doubt(answer: Answer, item: Item) -> str | None:
    """Return why a 2xx is not believed: a page, such as that of a login, or a refusal in words.

    A refusal of what was sent again, since it is there already, is none.
    """
    if is_page(answer):
        return f"状态 {answer.status}，应答却是网页，像登录页：不算收到（确已收到，设 only_status）"
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    if isinstance(said, dict) and any(said.get(name) is False for name in _REFUSALS):
        if item.resend and _is_known(said):
            return None
        words = answer.body[:200].decode(errors="replace")
        return f"状态 {answer.status}，应答却说没有成功：{words}"
    return None


def _is_known(said: Mapping[str, Any]) -> bool:
    """Whether an answer says that the event is there already, and nothing else."""
    return any(_KNOWN.fullmatch(text.strip(" .!。！")) for text in _texts(said))


def _texts(said: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of an answer, and the names of what it says is true.

    Only its own and those of its `error`: what stands deeper may be our event.
    """
    error = said.get("error")
    for place in (said, error if isinstance(error, Mapping) else {}):
        for name, value in place.items():
            if value is True:
                yield name
            elif isinstance(value, str):
                yield value


def event_body(item: Item, settings: BankWebhookSettings) -> bytes:
    """Return the event body; a resend has the same bytes. A `thin` payload has no columns."""
    data: dict[str, Any] = {
        "id": item.key,
        "subject_code": item.subject_code,
        "verb": item.verb.value,
        "version": item.version,
    }
    if settings.payload == "full":
        data["columns"] = item.columns
    event = {
        "type": settings.event_type or f"environmental-credit.{item.record_kind}",
        "timestamp": item.occurred_at.isoformat(),
        "data": data,
    }
    return orjson.dumps(event, default=str, option=orjson.OPT_SORT_KEYS)


def secret_bytes(secret: SecretStr) -> bytes:
    """Decode a secret `whsec_<base64>`; raises ValueError, without the secret, if invalid."""
    text = secret.get_secret_value().removeprefix(_PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise ValueError("密钥应写成 whsec_ 加 Base64")
    return key


def signatures(keys: Sequence[bytes], event_id: str, timestamp: int, body: bytes) -> str:
    """Return one signature `v1,<base64 HMAC-SHA256>` per key, separated by spaces."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    digests = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
