"""Configuration of `kafka-topic`. [B] marks what differs from receiver to receiver."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from connectors.shared.layout import RowLayout
from connectors.shared.layout_checks import fitting
from schemas.base import Schema
from schemas.connection import KafkaConnection
from schemas.destination import TakenTable


class TopicReceipts(Schema):
    """The receipts 回执 of the receiver: JSON messages, plain or as CloudEvents with `data` [B]."""

    topic: str = Field(min_length=1, title="回执主题")
    #: The receiver quotes the id of the event that it got from us.
    key_field: str = Field(default="id", min_length=1, title="本方事件 id 的字段")
    status_field: str = Field(default="status", min_length=1, title="结果的字段")
    accepted: frozenset[str] = Field(
        default=frozenset({"accepted"}), min_length=1, title="表示入库的值"
    )
    rejected: frozenset[str] = Field(default=frozenset({"rejected"}), title="表示退回的值")
    pending: frozenset[str] = Field(default=frozenset(), title="还没有结果的值，如 received")
    reasons_field: str = Field(default="reasons", min_length=1, title="原因的字段")
    #: Without one that can be read, the time of the message counts.
    time_field: str = Field(default="time", min_length=1, title="时间的字段")

    @model_validator(mode="after")
    def _each_says_one_thing(self) -> Self:
        if twice := sorted(
            (self.accepted & self.rejected) | (self.pending & (self.accepted | self.rejected))
        ):
            raise ValueError(f"{'、'.join(twice)} 只能写在 accepted、rejected、pending 中的一个")
        return self


class KafkaTopicSettings(KafkaConnection):
    """Configuration of a `kafka-topic` destination."""

    bootstrap_servers: str = Field(min_length=1, title="Kafka 地址")
    topic: str = Field(min_length=1, title="主题")
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
