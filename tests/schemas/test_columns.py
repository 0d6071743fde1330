"""The columns of the standard as said on the fields."""

import pytest

from schemas.columns import Column, ColumnType, Required, columns_of
from schemas.licence import AdministrativeLicence
from schemas.penalty import AdministrativePenalty
from tests.factories import licence, penalty

DECISIONS = (AdministrativePenalty, AdministrativeLicence)


def by_wire(model: type[AdministrativePenalty] | type[AdministrativeLicence]) -> dict[str, Column]:
    return {column.wire: column for column in columns_of(model)}


@pytest.mark.parametrize("model", DECISIONS)
def test_every_field_is_a_column(
    model: type[AdministrativePenalty] | type[AdministrativeLicence],
) -> None:
    assert [column.name for column in columns_of(model)] == list(model.model_fields)


@pytest.mark.parametrize("model", DECISIONS)
def test_every_column_has_a_chinese_name_of_its_own(
    model: type[AdministrativePenalty] | type[AdministrativeLicence],
) -> None:
    titles = [column.title for column in columns_of(model)]

    assert len(set(titles)) == len(titles)
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in title) for title in titles)


def test_the_layouts_have_as_many_columns_as_the_standard() -> None:
    assert len(columns_of(AdministrativePenalty)) == 30
    assert len(columns_of(AdministrativeLicence)) == 28


def test_the_document_number_of_a_penalty_is_required_and_bounded() -> None:
    column = by_wire(AdministrativePenalty)["CF_WSH"]

    assert (column.name, column.required, column.max_length) == (
        "document_number",
        Required.ALWAYS,
        128,
    )


def test_the_amount_is_required_for_a_fine_only() -> None:
    column = by_wire(AdministrativePenalty)["CF_NR_FK"]

    assert (column.type, column.required) == (ColumnType.AMOUNT, Required.FINE)


@pytest.mark.parametrize("model", DECISIONS)
def test_identity_numbers_are_marked_as_such(
    model: type[AdministrativePenalty] | type[AdministrativeLicence],
) -> None:
    marked = {c.name for c in columns_of(model) if c.type is ColumnType.IDENTITY}

    assert marked == {"identity_number", "representative_id"}


def test_the_builders_of_the_tests_fill_every_column_that_is_always_required() -> None:
    rows = {AdministrativePenalty: penalty(), AdministrativeLicence: licence()}

    for model, row in rows.items():
        always = {c.wire for c in columns_of(model) if c.required is Required.ALWAYS}
        assert always <= row.keys()


def test_penalty_kinds_are_one_text_on_the_wire() -> None:
    record = AdministrativePenalty(penalty_kinds=("罚款", "没收违法所得"))

    assert record.model_dump(by_alias=True)["CF_CFLB"] == "罚款、没收违法所得"
