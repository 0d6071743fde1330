"""The facts that records make, after they are written to the store and read again."""

from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.check.checker import Checker
from gateway.config.keys import Keys, Master
from gateway.record.content import FACTS, content, fact_body
from gateway.score.stored_result import fact_of, facts_of
from schemas.codes import Verb
from schemas.kinds import KINDS
from scoring.facts import Fact
from tests.factories import event, penalty, raw

CHECKER = Checker(Keys(Master(b"a master key for tests only")))


def made(row: dict[str, Any]) -> Fact:
    """Return the fact of a row after it was written and read, alone and with another."""
    body = fact_body(CHECKER.check(raw(row), date(2026, 11, 1)), Verb.NEW)
    assert body is not None
    one, next_ = (orjson.dumps({**body, "id": id_}) for id_ in ("7", "8"))
    found, other = facts_of(b"[%b, %b]" % (one, next_))
    assert found == fact_of(orjson.loads(one)) == replace(other, id="7")
    return found


def test_the_department_of_a_penalty_fact_is_its_authority() -> None:
    row = penalty()

    assert made(row).department == row["CF_CFJG"]


def test_an_event_fact_has_its_creation_date_codes_points_and_site() -> None:
    row = event(
        type=None,
        item="J04",
        created_on="2026-03-02",
        codes=["1234"],
        stated_points="1.50",
        details={"site": " X1 ", "department": "某局"},
    )

    found = made(row)

    assert (found.created_on, found.codes) == (date(2026, 3, 2), ("1234",))
    assert (found.stated_points, found.site) == (Decimal("1.50"), "X1")
    assert found.department == "某局"


def test_the_department_of_an_event_fact_is_the_authority_of_its_decision() -> None:
    about = {"kind": "penalty", "document_number": "1号", "authority": "甲局"}

    assert made(event(decision=about)).department == "甲局"


def test_an_event_without_details_makes_a_fact_without_them() -> None:
    found = made(event(details={"site": 3}))

    assert (found.department, found.site, found.codes) == (None, None, ())


def test_each_kind_that_makes_facts_says_how() -> None:
    assert set(FACTS) == {kind.model for kind in KINDS.values() if kind.makes_fact}


@pytest.mark.parametrize(
    ("words", "permit", "kinds"),
    [
        ("吊销排污许可证", None, ("吊销许可证",)),
        ("责令改正", "暂扣排污许可证91样", ("暂扣许可证",)),
        ("暂扣或吊销许可证", None, ("暂扣或吊销许可证",)),
        ("责令改正", None, ("暂扣或吊销许可证",)),
    ],
)
def test_what_the_list_of_2018_joins_is_told_apart_by_the_words_of_the_decision(
    words: str, permit: str | None, kinds: tuple[str, ...]
) -> None:
    row = penalty(CF_CFLB="暂扣或吊销许可证", CF_NR=words, CF_NR_ZKDX=permit, CF_NR_FK=None)

    found = made(row)

    assert found.penalty is not None
    assert found.penalty.types == kinds


def hashed(row: dict[str, Any]) -> bytes:
    return content(CHECKER.check(raw(row), date(2026, 11, 1))).hashed


@given(st.decimals(0, 1000, places=6), st.integers(0, 6))
def test_the_content_is_the_same_for_each_way_to_write_an_amount(
    amount: Decimal, digits: int
) -> None:
    written = f"{amount:.{digits}f}"
    plain = format(Decimal(written).normalize(), "f")

    assert hashed(penalty(CF_NR_FK=written)) == hashed(penalty(CF_NR_FK=plain))
    assert hashed(event(stated_points=written)) == hashed(event(stated_points=plain))
    assert hashed(penalty(CF_NR_FK=written)) != hashed(penalty(CF_NR_FK="1000.000001"))


@pytest.mark.parametrize("written", ["1E+1", "10.0", 10, "1e1"])
def test_points_with_an_exponent_are_the_same_content(written: object) -> None:
    assert hashed(event(stated_points=written)) == hashed(event(stated_points="10"))


def test_zeros_within_a_text_are_content() -> None:
    long, short = (penalty(BZ=f'原文为"CF_NR_FK":"{n}"') for n in ("2.50", "2.5"))

    assert hashed(long) != hashed(short)


CODE = penalty()["CF_XDR_SHXYM"]


@pytest.mark.parametrize(
    ("words", "site"),
    [
        ({"CF_SY": f"该厂（排污许可证编号：{CODE}001P）超标排放"}, f"{CODE}001P"),
        ({"CF_NR": f"罚款；许可证号 {CODE} 002V", "BZ": f"见许可证{CODE}002V"}, f"{CODE}002V"),
        ({"CF_NR_ZKDX": f"排污许可证{CODE.lower()}003u"}, f"{CODE}003U"),
        ({"CF_SY": f"许可证{CODE}001P及{CODE}002P"}, None),
        ({"CF_SY": f"无排污许可证，统一社会信用代码{CODE}"}, None),
        ({"CF_SY": "受托方许可证91110000000000000X001P"}, None),
    ],
)
def test_a_penalty_is_of_the_site_whose_permit_its_words_name(
    words: dict[str, str], site: str | None
) -> None:
    assert made(penalty(**words)).site == site


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"CF_CFLB": "警告", "CF_NR": "警告，并处罚款60万元", "CF_NR_FK": None}, ("警告", "罚款")),
        ({"CF_CFLB": "警告", "CF_NR": "处2万元罚款", "CF_NR_FK": "0"}, ("警告", "罚款")),
        ({"CF_CFLB": "警告", "CF_NR": "警告", "CF_NR_FK": None}, ("警告",)),
        ({"CF_CFLB": "警告", "CF_NR": "警告，并处罚款60万元", "CF_NR_FK": "60"}, ("警告",)),
        ({"CF_CFLB": "罚款", "CF_NR": "罚款60万元", "CF_NR_FK": "60"}, ("罚款",)),
    ],
)
def test_a_fine_without_an_amount_that_only_the_words_name_is_one(
    changes: dict[str, Any], kinds: tuple[str, ...]
) -> None:
    found = made(penalty(**changes)).penalty

    assert found is not None
    assert found.types == kinds
