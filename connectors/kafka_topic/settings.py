"""Configuration of `kafka-topic`. [B] marks what differs from receiver to receiver."""

import re
from datetime import timedelta
from enum import Enum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from connectors.shared.layout import RowLayout
from connectors.shared.layout_checks import fitting
from schemas.base import NonBlank, Schema
from schemas.connection import KafkaConnection
from schemas.destination import TakenTable
from schemas.identifiers import fold, fold_once

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


class ReceiptStatus(Enum):
    """What a receiver says of an item."""

    ACCEPTED = "accepted"  #: 入库
    REJECTED = "rejected"  #: 退回
    PENDING = "pending"  #: 还没有结果


#: The longest status that a receiver may have.
_LONGEST_STATUS = 64


def _topic(name: str) -> str:
    if not _TOPIC.fullmatch(name) or name in {".", ".."}:
        raise ValueError("Kafka 不收这样的主题名；只用字母、数字和 . _ -，最多249个字符")
    return name


#: The name of a topic that Kafka allows.
TopicName = Annotated[str, AfterValidator(_topic)]


class TopicReceipts(Schema):
    """The receipts 回执 of the receiver: JSON messages, plain or as CloudEvents [B].

    A field stands in the message or in its `data`; one within others has its way, with dots.
    """

    topic: TopicName = Field(title="回执主题")
    #: The receiver quotes the id of the event that it got from us.
    key_field: NonBlank = Field(default="id", title="本方事件 id 的字段，如 header.requestId")
    status_field: NonBlank = Field(default="status", title="结果的字段")
    #: Compared whatever their width and the case of their letters, as are the other two.
    accepted: frozenset[NonBlank] = Field(
        default=frozenset({"accepted"}), min_length=1, title="表示入库的值"
    )
    rejected: frozenset[NonBlank] = Field(default=frozenset({"rejected"}), title="表示退回的值")
    pending: frozenset[NonBlank] = Field(default=frozenset(), title="还没有结果的值，如 received")
    reasons_field: NonBlank = Field(default="reasons", title="原因的字段")
    #: Without one that can be read, the time of the message counts.
    time_field: NonBlank = Field(default="time", title="时间的字段")
    times_of_china: bool = Field(default=False, title="没有时区的时间是北京时间")

    @model_validator(mode="after")
    def _each_says_one_thing(self) -> Self:
        if self.key_field == self.status_field:
            raise ValueError("key_field 和 status_field 是同一个字段；各写各的")
        told = [*self.accepted], [*self.rejected], [*self.pending]
        known = [{fold(one) for one in words} for words in told]
        twice = sorted(
            word
            for number, words in enumerate(told)
            for word in words
            if any(fold(word) in other for at, other in enumerate(known) if at != number)
        )
        if twice:
            raise ValueError(f"{'、'.join(twice)} 只能写在 accepted、rejected、pending 中的一个")
        return self

    def meaning(self, status: str) -> ReceiptStatus | None:
        """Return what a status means; None if it is not known."""
        if len(status) > _LONGEST_STATUS:
            return None
        word = fold_once(status)
        for meaning, words in (
            (ReceiptStatus.ACCEPTED, self.accepted),
            (ReceiptStatus.REJECTED, self.rejected),
            (ReceiptStatus.PENDING, self.pending),
        ):
            if word in map(fold, words):
                return meaning
        return None


class KafkaTopicSettings(KafkaConnection):
    """Configuration of a `kafka-topic` destination."""

    bootstrap_servers: str = Field(min_length=1, title="Kafka 地址")
    topic: TopicName = Field(title="主题")
    source: str = Field(default="credit-gateway", title="事件来源")
    tables: Annotated[dict[TakenTable, RowLayout], AfterValidator(fitting)] = Field(
        default={}, title="接收方的列，按记录种类；不写的照标准"
    )
    receipts: TopicReceipts | None = Field(default=None, title="回执；不写则确认写入即算入库")
    batch_size: int = Field(default=500, ge=1, le=5000, title="每批条数")
    concurrency: int = Field(default=2, ge=1, le=64, title="并发数")
    call_timeout: timedelta = Field(
        default=timedelta(seconds=30), gt=timedelta(0), title="单次调用时限"
    )
    max_request_size: int = Field(default=1024 * 1024, ge=1024, title="单条上限（字节）")

    @model_validator(mode="after")
    def _receipts_apart(self) -> Self:
        if self.receipts is not None and self.receipts.topic == self.topic:
            raise ValueError("receipts 的 topic 应与报送的 topic 不同")
        return self
