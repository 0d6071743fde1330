"""Bytes → candidate: every malformed input gives a problem and never an exception."""

import json
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.check.normalise import Candidate, Normalising
from gateway.check.raw import Raw
from schemas.codes import RecordKind
from schemas.column_names import standard_names
from schemas.kinds import KINDS
from schemas.problem import Problem, Rule
from tests.factories import licence, penalty, raw
from tests.gateway.conftest import Check

normalise = Normalising()


def problem(body: bytes | None) -> Problem:
    found = normalise(raw(body))
    assert isinstance(found, Problem)
    return found


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, "墓碑消息"),
        (b"", "不是有效的 JSON"),
        (b"\xff\xfe{}", "不是有效的"),
        ('{"CF_WSH": "豫环罚"}'.encode("gb18030"), "不是有效的 UTF-8"),
        (b'{"CF_WSH": ', "不是有效的 JSON"),
        (b'{"CF_NR_FK": NaN}', "NaN 不是数字"),
        (b'{"CF_NR_FK": -Infinity}', "-Infinity 不是数字"),
        (b"[1, 2]", "应为 JSON 对象"),
        (b'"text"', "应为 JSON 对象"),
        (b"null", "应为 JSON 对象"),
        (b"[" * 100_000, "不是有效的 JSON"),
        (b'{"a":' * 100_000, "不是有效的 JSON"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "嵌套超过64层"),
        (b'{"a": 1e9999999999999999999999}', "不是有效的 JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "不是有效的 JSON"),
        (b'{"a": 1, "a": 2' + b', "b": 1' * 499 + b"}", "字段多于500个"),
        (b'{"CF_SY": "\xed\xa0\x80"}', "不是有效的 UTF-8"),
        (b'{"specversion": "1.0", "data": "text"}', "data 应为 JSON 对象"),
    ],
)
def test_unreadable_bytes_give_a_problem_with_the_reason(body: bytes | None, words: str) -> None:
    found = problem(body)

    assert found.rule is Rule.BYTES
    assert words in found.message


@pytest.mark.parametrize("body", [b'{"CF_SY": "a\\u0000b"}', b'{"CF_SY": "a\x00b"}'])
def test_the_null_character_is_refused(body: bytes) -> None:
    assert problem(body).rule is Rule.STORABLE


@pytest.mark.parametrize(
    "body", [b'{"CF_SY": "\\ud800"}', b'{"CF_SY": ["x", "\\uDC00\\ud83d"]}', b'{"\\udfff": 1}']
)
def test_a_lone_surrogate_is_refused(body: bytes) -> None:
    assert problem(body).rule is Rule.STORABLE


def test_a_surrogate_pair_is_read_as_one_character() -> None:
    found = normalise(raw(b'{"CF_SY": "\\ud83d\\ude00"}'))

    assert isinstance(found, Candidate)
    assert found.row["CF_SY"] == "😀"


def test_a_byte_order_mark_is_skipped() -> None:
    assert isinstance(normalise(raw(b"\xef\xbb\xbf" + b'{"CF_WSH": "1"}')), Candidate)


def test_decimals_are_read_exactly() -> None:
    found = normalise(raw(b'{"CF_NR_FK": 0.1}'))

    assert isinstance(found, Candidate)
    assert str(found.row["CF_NR_FK"]) == "0.1"


def test_the_row_of_a_cloud_event_is_its_data() -> None:
    envelope = {"specversion": "1.0", "type": "any.penalty", "id": "1", "data": penalty()}

    found = normalise(raw(orjson.dumps(envelope)))

    beside = {"specversion": "1.0", "type": "any.penalty", "id": "1"}
    assert found == Candidate(RecordKind.PENALTY, penalty(), penalty(), beside)


def test_the_kind_of_the_topic_overrides_the_kind_in_the_row() -> None:
    body = orjson.dumps({"kind": "event", **penalty()})

    found = normalise(Raw("topic", 0, body, RecordKind.LICENCE))

    assert isinstance(found, Candidate)
    assert found.kind is RecordKind.LICENCE


def test_a_row_may_name_its_kind() -> None:
    found = normalise(raw(b'{"kind": "event", "id": "1"}'))

    assert isinstance(found, Candidate)
    assert found.kind is RecordKind.EVENT


def test_the_kind_of_a_decision_is_found_from_its_columns() -> None:
    kinds = [normalise(raw(row)) for row in (penalty(), licence())]

    assert [one.kind for one in kinds if isinstance(one, Candidate)] == [
        RecordKind.PENALTY,
        RecordKind.LICENCE,
    ]


def test_a_row_of_unknown_kind_is_a_problem() -> None:
    assert problem(b'{"name": "?"}').rule is Rule.KIND


@given(st.binary(max_size=200))
def test_no_bytes_raise(body: bytes) -> None:
    assert isinstance(normalise(raw(body)), Candidate | Problem)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
#: No longer than a name of a field may be.
NAMES = TEXTS.filter(lambda text: len(text) < 100).map("CF_".__add__)
NUMBERS = st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, JSON, max_size=4), st.booleans())
def test_a_row_equals_its_parsed_json(row: dict[str, Any], escaped: bool) -> None:
    text = _written(row, escaped=escaped)

    found = normalise(Raw("topic", 0, text.encode(), RecordKind.EVENT))

    assert isinstance(found, Candidate)
    assert repr(found.row) == repr(json.loads(text, parse_float=Decimal))


def _written(value: Any, *, escaped: bool) -> str:
    """Return JSON that keeps the digits of each number: 2.50 is not 2.5."""
    match value:
        case Decimal():
            return format(value, "e")
        case dict():
            pairs = (
                f"{json.dumps(name, ensure_ascii=escaped)}: {_written(one, escaped=escaped)}"
                for name, one in value.items()
            )
            return f"{{{', '.join(pairs)}}}"
        case list():
            return f"[{', '.join(_written(one, escaped=escaped) for one in value)}]"
        case _:
            return json.dumps(value, ensure_ascii=escaped)


@pytest.mark.parametrize("value", ["{}", "[]", "0.1", '{"a":1}'])
def test_an_item_of_very_many_values_is_refused_before_it_is_decoded(
    check: Check, value: str
) -> None:
    body = "".join(['{"CF_WSH":"1","x":[', f"{value}," * 100_000, "1]}"])

    found = check(body.encode())

    assert "内容多于100000个值" in found.problems[0].message


def test_json_that_is_too_deep_is_told_in_chinese(check: Check) -> None:
    [problem] = check(b'{"a":' * 100_000).problems

    assert problem.message == "内容不是有效的 JSON：括号套得太深"


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize(
    "mark", ["payload", "after", "before", "op", "op_type", "database", "__op", "__deleted", "原文"]
)
def test_no_column_has_the_name_of_an_envelope(kind: RecordKind, mark: str) -> None:
    """A row that has columns of its kind only is not opened."""
    assert mark not in standard_names().exact(kind)
