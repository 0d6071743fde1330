"""A value of a code list 代码表 is that value, also where it would stand for nothing elsewhere."""

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.check.changes import changes
from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.check.normalise import Candidate, Normalising
from gateway.config.keys import Keys
from schemas.configured import ConfiguredKind, adopt
from schemas.kinds import KINDS
from schemas.verdict import Verdict
from tests.factories import AUTHORITY, credit_code, raw
from tests.gateway.conftest import TODAY, Check

CODES = ("无", "/", "同上", "【待填】", "#N/A", "有")
PLACEHOLDERS = frozenset({"无", "/"})
ROW: dict[str, Any] = {
    "QR_WSH": "样确〔2026〕1号",
    "QR_XDR_MC": "样例1号有限公司",
    "QR_XDR_SHXYM": credit_code(1),
    "QR_JDRQ": "2026-10-09",
    "QR_JG": AUTHORITY,
}


@pytest.fixture(autouse=True)
def only_here() -> Iterator[None]:
    column = {"code": "QR_YY", "title": "有无异议", "type": "code", "codes": CODES}
    text = {"code": "QR_NR", "title": "确认内容"}
    kind = {"name": "confirmation", "title": "行政确认", "prefix": "QR_"}
    needed = [column | {"required": True}, text]
    adopt((ConfiguredKind.model_validate(kind | {"columns": needed}),))
    yield
    KINDS.adopt(())


@pytest.fixture
def checked(keys: Keys) -> Check:
    """Check the row with other values."""
    made = Checker(keys)  # of the kinds of this test
    return lambda **own: made.check(raw(ROW | own), TODAY)


def own(found: Checked, name: str) -> object:
    assert found.record is not None
    return found.record.model_dump()[name]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("form", ["{}", " {}", "\u200b{}"])
def test_a_code_is_its_value_and_stands_for_nothing_else(
    checked: Check, code: str, form: str
) -> None:
    found = checked(QR_YY=form.format(code), QR_NR="内容")

    assert (found.verdict, found.problems) == (Verdict.OK, ())
    assert own(found, "own_qr_yy") == code
    assert "placeholder" not in set(changes(found, PLACEHOLDERS))


def test_the_same_word_stands_for_nothing_in_another_column(checked: Check) -> None:
    found = checked(QR_YY="无", QR_NR="无")

    assert own(found, "own_qr_nr") is None
    assert set(changes(found, PLACEHOLDERS)) == {"placeholder"}


def test_a_word_that_is_no_code_is_still_an_empty_cell(checked: Check) -> None:
    found = checked(QR_YY="暂无", QR_NR="内容")

    assert found.verdict is Verdict.INCOMPLETE


def test_a_code_and_another_one_in_two_columns_are_a_conflict() -> None:
    normalise = Normalising(placeholders=PLACEHOLDERS)
    row = ROW | {"QR_YY": "无", "有无异议": "有", "kind": "confirmation"}

    found = normalise(raw(row))

    assert isinstance(found, Candidate)
    assert found.row["QR_YY"]["values"] == {"QR_YY": "无", "有无异议": "有"}
