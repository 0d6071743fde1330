"""What a message of the receipts topic says of our items."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from aiokafka import ConsumerRecord

from connectors.errors import OutcomeUnknown
from connectors.kafka_topic.settings import ReceiptStatus, TopicReceipts
from connectors.shared.http_read import read_json
from connectors.shared.lenient import in_china, key_text, texts, time_or_none
from connectors.shared.words import reason
from schemas.delivery import Receipt
from schemas.identifiers import visible

#: A message of the topic, of a library without types.
Message: TypeAlias = "ConsumerRecord[bytes, bytes]"
#: Bytes of a message that is read.
MOST = 2**20
#: What the names of headers begin with that are attributes of a CloudEvent.
_ATTRIBUTE = "ce_"
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
        content = _opened(read_json(message.value, _header(message, "content-type")))
    except OutcomeUnknown:
        yield "（不是 JSON）"
        return
    beside = _attributes(message)
    for row in content if isinstance(content, list) else [content]:
        if not isinstance(row, dict):
            yield "（不是对象）"
            continue
        data = _opened(row.get("data"))
        for inner in data if isinstance(data, list) else [data]:
            fields = beside | row | {"data": inner} | (inner if isinstance(inner, dict) else {})
            if (said := _said(fields, message, settings)) is not None:
                yield said


def _header(message: Message, name: str) -> str:
    """Return the first header of a name as text; empty without one."""
    found = [value for own, value in message.headers if own.lower() == name]
    return found[0].decode("latin-1") if found and found[0] else ""


def _attributes(message: Message) -> dict[str, Any]:
    """Return the attributes of a CloudEvent that are headers, as in its binary mode."""
    return {
        name.lower().removeprefix(_ATTRIBUTE): value.decode("utf-8", "replace")
        for name, value in message.headers
        if name.lower().startswith(_ATTRIBUTE) and value
    }


def _opened(value: Any) -> Any:
    """Return what a text of JSON has in it, an object or a list; anything else as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return read_json(value.encode("utf-8", "replace"), "")
    except OutcomeUnknown:
        return value


def _field(fields: Mapping[str, Any], name: str) -> Any:
    """Return a field by its name, or by its way through others, such as header.requestId."""
    if name in fields or "." not in name:
        return fields.get(name)
    value: Any = fields
    for step in name.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _said(
    fields: Mapping[str, Any], message: Message, settings: TopicReceipts
) -> Receipt | str | None:
    """Return what one row says; None if it says that there is no verdict yet."""
    key = key_text(_field(fields, settings.key_field))
    if not isinstance(key, str) or not (key := visible(key).strip()):
        return settings.key_field
    meaning = settings.meaning(_plain(_field(fields, settings.status_field)))
    if meaning is None:
        return settings.status_field
    if meaning is ReceiptStatus.PENDING:
        return None
    return _receipt(key, meaning is ReceiptStatus.ACCEPTED, fields, message, settings)


def _receipt(
    key: str,
    accepted: bool,
    fields: Mapping[str, Any],
    message: Message,
    settings: TopicReceipts,
) -> Receipt:
    told = texts(_field(fields, settings.reasons_field))
    reasons = [] if accepted else [*told] or [_WITHOUT_WORDS]
    at = _field(fields, settings.time_field)
    at = time_or_none(in_china(at) if settings.times_of_china else at)
    return Receipt(
        key=key,
        accepted=accepted,
        reasons=tuple(map(reason, reasons)),
        platform_at=at or _time(message.timestamp),
        reference=f"{message.topic}/{message.partition}/{message.offset}",
    )


def _plain(value: Any) -> str:
    """Return a status as text: also a number, and true or false as JSON writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, str | int) else ""


def _time(milliseconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds > 0 else None
    except (OverflowError, OSError, ValueError):
        return None
