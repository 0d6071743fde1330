"""Receipts of `kafka-topic` as receivers really write them, without a broker."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from connectors import BadSettings, build
from connectors.kafka_topic.messages import said_in
from connectors.kafka_topic.settings import TopicReceipts
from gateway.config.clock import system_clock
from schemas.delivery import Receipt

KEY = "604ecdd8-11"
DONE = {"id": KEY, "status": "accepted"}
JSON_TYPE = ("content-type", b"application/json")
#: The time of the messages, 2026-10-12T02:00:00Z.
WRITTEN_AT = 1_791_770_400_000


def read(
    value: Any, headers: Sequence[tuple[str, bytes]] = (), **settings: Any
) -> list[Receipt | str]:
    content = json.dumps(value, ensure_ascii=False).encode()
    message = ConsumerRecord(
        topic="r", partition=0, offset=1, timestamp=WRITTEN_AT, timestamp_type=0, key=b"k",
        value=content, checksum=None, serialized_key_size=1, serialized_value_size=len(content),
        headers=tuple(headers),
    )  # fmt: skip
    return list(said_in(message, TopicReceipts(topic="r", **settings)))


def only(found: list[Receipt | str]) -> Receipt:
    [one] = found
    assert isinstance(one, Receipt), one
    return one


@pytest.mark.parametrize(
    ("value", "settings"),
    [
        (
            {"header": {"requestId": KEY}, "body": {"code": "0"}},
            {"key_field": "header.requestId", "status_field": "body.code", "accepted": ["0"]},
        ),
        ({"header.requestId": KEY, "status": "accepted"}, {"key_field": "header.requestId"}),
        ({"data": {"a": {"b": KEY}, "status": "accepted"}}, {"key_field": "data.a.b"}),
        ({"id": "their-1", "data": json.dumps(DONE)}, {}),
        ({"id": "their-1", "data": [DONE]}, {}),
        (json.dumps(DONE), {}),
        (DONE | {"id": f"\ufeff {KEY} "}, {}),
    ],
    ids=["within", "dots in a name", "within data", "text", "list", "text of all", "blanks"],
)
def test_a_field_is_found_where_receivers_have_it(value: Any, settings: dict[str, Any]) -> None:
    assert only(read(value, **settings)).key == KEY


def test_each_row_in_the_data_of_an_event_is_a_receipt() -> None:
    rows = [DONE, {"id": "k2", "status": "rejected", "reasons": ["重复"]}, 5]

    found = read({"specversion": "1.0", "id": "their-1", "data": rows})

    assert [isinstance(one, Receipt) and (one.key, one.accepted) for one in found] == [
        (KEY, True),
        ("k2", False),
        False,
    ]


def test_attributes_of_an_event_may_be_headers() -> None:
    at = ("ce_time", b"2026-10-11T00:00:00Z")

    quoted = only(read(DONE, [("ce_id", b"their-1"), at, JSON_TYPE]))
    theirs = only(read({"status": "accepted"}, [("CE_ID", KEY.encode()), JSON_TYPE]))

    assert (quoted.key, quoted.platform_at) == (KEY, datetime.fromisoformat("2026-10-11T00:00Z"))
    assert theirs.key == KEY


@pytest.mark.parametrize(
    ("status", "accepted"),
    [
        ("ACCEPTED", "accepted"), ("ＯＫ", "ok"), ("　入库成功 ", "入库成功"),
        (200.0, "200"), (0, "0"), (True, "true"), ("0", " 0 "),
    ],
)  # fmt: skip
def test_a_status_counts_whatever_its_width_and_letters(status: Any, accepted: str) -> None:
    assert only(read({"id": KEY, "status": status}, accepted=[accepted])).accepted


@pytest.mark.parametrize("status", [None, "", 200.5, "x" * 100_000, ["accepted"], {}])
def test_any_other_status_is_told_by_its_field(status: Any) -> None:
    assert read({"id": KEY, "status": status}, accepted=["200", "accepted"]) == ["status"]


def test_a_time_without_a_zone_is_one_of_china_where_that_is_configured() -> None:
    told = DONE | {"time": "2026-10-11 09:00:00"}

    local, written = (only(read(told, times_of_china=one)).platform_at for one in (True, False))

    assert local == datetime.fromisoformat("2026-10-11T09:00+08:00")
    assert written == datetime.fromisoformat("2026-10-12T02:00Z")


@pytest.mark.parametrize(
    ("receipts", "said"),
    [
        ({"accepted": [""]}, "accepted"),
        ({"pending": ["  "]}, "pending"),
        ({"accepted": ["ok"], "rejected": ["ＯＫ"]}, "只能写在"),
        ({"key_field": "status"}, "key_field 和 status_field 是同一个字段"),
        ({"time_field": " "}, "time_field"),
        ({"topic": "bad topic!"}, "主题名"),
        ({"topic": " r"}, "主题名"),
        ({"topic": "x" * 250}, "主题名"),
        ({"topic": ".."}, "主题名"),
    ],
)
def test_settings_that_nothing_would_ever_fit_are_refused(
    receipts: dict[str, Any], said: str
) -> None:
    given = {"bootstrap_servers": "x:1", "topic": "t", "receipts": {"topic": "r", **receipts}}

    with pytest.raises(BadSettings, match=said):
        build("kafka-topic", given, system_clock)


def test_a_topic_that_kafka_does_not_allow_is_refused() -> None:
    with pytest.raises(BadSettings, match="主题名"):
        build("kafka-topic", {"bootstrap_servers": "x:1", "topic": "环保"}, system_clock)
