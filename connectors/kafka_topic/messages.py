"""What a message of the receipts topic says of our items."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from aiokafka import ConsumerRecord

from connectors.errors import OutcomeUnknown
from connectors.kafka_topic.settings import TopicReceipts
from connectors.shared.http_read import read_json
from connectors.shared.lenient import key_text, texts, time_or_none
from connectors.shared.words import reason
from schemas.delivery import Receipt

#: A message of the topic, of a library without types.
Message: TypeAlias = "ConsumerRecord[bytes, bytes]"
#: Bytes of a message that is read.
MOST = 2**20
_WITHOUT_WORDS = "没有写原因"


def said_in(message: Message, settings: TopicReceipts) -> Iterator[Receipt | str]:
    """Yield the receipts of a message; in place of one that cannot be read, the field at fault.

    A message is one receipt or a list of them. One without a value deletes another one from the
    topic, and says nothing.
    """
    if message.value is None:
        return
    if len(message.value) > MOST:
        yield "（过大）"
        return
    try:
        content = read_json(message.value, _content_type(message))
    except OutcomeUnknown:
        yield "（不是 JSON）"
        return
    for row in content if isinstance(content, list) else [content]:
        if (said := _said(row, message, settings)) is not None:
            yield said


def _content_type(message: Message) -> str:
    found = [value for name, value in message.headers if name.lower() == "content-type"]
    return found[0].decode("latin-1") if found and found[0] else ""


def _said(row: Any, message: Message, settings: TopicReceipts) -> Receipt | str | None:
    """Return what one row says; None if it says that there is no verdict yet."""
    if not isinstance(row, dict):
        return "（不是对象）"
    data = row.get("data")
    fields = {**row, **data} if isinstance(data, dict) else row
    key = key_text(fields.get(settings.key_field))
    if not isinstance(key, str) or not key:
        return settings.key_field
    status = _plain(fields.get(settings.status_field))
    if status in settings.pending:
        return None
    if status not in settings.accepted | settings.rejected:
        return settings.status_field
    return _receipt(key, status in settings.accepted, fields, message, settings)


def _receipt(
    key: str,
    accepted: bool,
    fields: Mapping[str, Any],
    message: Message,
    settings: TopicReceipts,
) -> Receipt:
    reasons = [] if accepted else [*texts(fields.get(settings.reasons_field))] or [_WITHOUT_WORDS]
    return Receipt(
        key=key,
        accepted=accepted,
        reasons=tuple(map(reason, reasons)),
        platform_at=time_or_none(fields.get(settings.time_field)) or _time(message.timestamp),
        reference=f"{message.topic}/{message.partition}/{message.offset}",
    )


def _plain(value: Any) -> str:
    """Return a status as text: also a number, and true or false as JSON writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, str | int) else ""


def _time(milliseconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds > 0 else None
    except (OverflowError, OSError, ValueError):
        return None
