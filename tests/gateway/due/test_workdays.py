"""What a calendar file 工作日历 must contain, and which is refused."""

from datetime import date
from importlib.resources import files
from typing import Any

import orjson
import pytest

from gateway.due.calendars import load_workdays
from gateway.due.workdays import BadCalendar, Workdays, parse_year

YEAR: dict[str, Any] = {
    "year": 2026,
    "notices": ["国办发明电〔2025〕7号"],
    "holidays": ["2026-01-01"],
    "workdays": ["2026-01-04"],
}


def test_holidays_and_moved_working_days_count_as_the_notice_says() -> None:
    year = parse_year(YEAR)

    assert not year.is_working(date(2026, 1, 1))
    assert year.is_working(date(2026, 1, 4))
    assert not year.is_working(date(2026, 1, 3))
    assert year.is_working(date(2026, 1, 5))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"notices": []}, "no notice"),
        ({"holidays": []}, "no days"),
        ({"workdays": ["2026-01-01"]}, "at once"),
        ({"holidays": ["2025-12-31"]}, "another year"),
        ({"holidays": ["2026-02-30"]}, "day"),
    ],
)
def test_an_inconsistent_calendar_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_year({**YEAR, **changes})


def test_a_missing_year_between_the_years_is_refused() -> None:
    years = [parse_year({**YEAR, "holidays": [f"{y}-01-01"], "workdays": [], "year": y})
             for y in (2024, 2026)]  # fmt: skip

    with pytest.raises(BadCalendar, match="2025"):
        Workdays(years)


def test_ten_years_are_shipped() -> None:
    assert sorted(load_workdays().years) == list(range(2017, 2027))


def test_every_shipped_year_names_an_official_notice() -> None:
    for file in (files("gateway") / "calendars").iterdir():
        data = orjson.loads(file.read_bytes())

        assert all(".gov.cn/" in notice for notice in data["notices"]), file.name
