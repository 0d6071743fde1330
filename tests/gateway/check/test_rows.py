"""Reading a whole row gives the same as reading its columns, in any order."""

import tracemalloc
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.check.rows import read_row
from gateway.check.values import read
from schemas.codes import RecordKind
from schemas.columns import columns_of
from schemas.kinds import KINDS
from tests.factories import licence, penalty

TEXTS = st.sampled_from(
    ["", " ", "罚款、警告", "罚款;其他-限产", "2026/10/09", "2026-10-9", "长期", "1.50", "1.5万元",
     "91410100MA00000001", "法人及非法人组织", "自然人", "x" * 5000, "2026年", "-1"]
)  # fmt: skip
VALUES = TEXTS | st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False)


@st.composite
def rows(draw: st.DrawFn) -> tuple[RecordKind, dict[str, Any]]:
    kind, whole = draw(
        st.sampled_from([(RecordKind.PENALTY, penalty()), (RecordKind.LICENCE, licence())])
    )
    wires = [column.wire for column in columns_of(KINDS[kind].model)]
    changed = draw(st.dictionaries(st.sampled_from(wires), VALUES, max_size=8))
    whole |= changed
    return kind, {wire: whole[wire] for wire in draw(st.permutations(list(whole)))}


@given(rows())
def test_a_row_gives_the_same_values_as_its_columns_read_one_by_one(
    given_: tuple[RecordKind, dict[str, Any]],
) -> None:
    kind, row = given_

    found = read_row(kind, row)

    columns = columns_of(KINDS[kind].model)
    alone = [(column.name, *read(column, row.get(column.wire))) for column in columns]
    assert found.values == {name: value for name, value, _ in alone if value is not None}
    assert {name: str(value) for name, value in found.values.items()} == {
        name: str(value) for name, value, _ in alone if value is not None
    }
    assert found.problems == [problem for *_, problem in alone if problem is not None]


@given(rows())
def test_a_record_made_without_validation_equals_the_validated_one(
    given_: tuple[RecordKind, dict[str, Any]],
) -> None:
    kind, row = given_
    values = read_row(kind, row).values
    model = KINDS[kind].model

    made, validated = model.trusted(values), model.model_validate(values)

    assert made == validated
    assert made.model_dump_json(by_alias=True) == validated.model_dump_json(by_alias=True)


def test_long_texts_are_not_cached() -> None:
    tracemalloc.start()

    for n in range(20):
        read_row(RecordKind.PENALTY, penalty(CF_XDR_LB=f"{n}" + "长" * 100_000))

    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1_000_000
