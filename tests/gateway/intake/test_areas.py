"""Merged cells, row by row, as strange as a file may name them."""

from gateway.intake.files.areas import Area, OpenAreas, seen

A = Area(top=2, bottom=4, left=1, right=2)


def test_an_area_that_is_named_very_often_counts_once() -> None:
    areas = OpenAreas([A] * 100_000)

    assert [list(areas.at(number, 9)) for number in range(1, 6)] == [[], [A], [A], [A], []]


def test_of_areas_that_share_a_cell_the_first_one_counts() -> None:
    beside, later = Area(2, 9, 3, 3), Area(5, 6, 2, 2)
    overlapping = [Area(2, 9, 2, 4), Area(3, 3, 1, 1), Area(4, 5, 1, 9)]

    areas = OpenAreas(sorted([A, beside, later, *overlapping]))

    assert [list(areas.at(number, 9)) for number in (2, 3, 4, 5, 7)] == [
        [A, beside], [A, beside], [A, beside], [later, beside], [beside],
    ]  # fmt: skip


def test_no_more_areas_are_open_than_a_row_has_cells() -> None:
    overlapping = [Area(2, 99_999, left, left + 1) for left in range(1, 16_384)] * 9
    areas = OpenAreas(sorted(overlapping))

    assert max(len(areas.at(number, 20)) for number in range(1, 1000)) == 10


def test_areas_between_two_rows_are_none_of_theirs() -> None:
    areas = OpenAreas([Area(2, 3, 1, 1), Area(3, 9, 1, 1)])

    assert list(areas.at(1, 1)) == []
    assert list(areas.at(5, 1)) == [Area(3, 9, 1, 1)]


def test_a_row_shows_only_the_first_cell_of_each_area() -> None:
    cells = ["a", "b", "c", "d"]

    assert seen(2, cells, [A, Area(2, 2, 4, 9)]) == ["a", "", "c", "d"]
    assert seen(3, cells, [A]) == ["", "", "c", "d"]
    assert cells == ["a", "b", "c", "d"]
