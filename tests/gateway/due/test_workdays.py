"""What a calendar file 工作日历 must contain, and which is refused."""

from datetime import date
from importlib.resources import files
from typing import Any

import orjson
import pytest

from gateway.due.calendars import load_workdays
from gateway.due.workdays import BadCalendar, Workdays, Year, parse_year

YEAR: dict[str, Any] = {
    "year": 2026,
    "notices": [{"number": "国办发明电〔2025〕7号"}],
    "holidays": ["2026-01-01"],
    "workdays": ["2026-01-04"],
}


def parsed(data: dict[str, Any]) -> Year:
    return parse_year(orjson.dumps(data))


def test_holidays_and_moved_working_days_count_as_the_notice_says() -> None:
    days = Workdays([parsed(YEAR)])

    assert not days.is_working(date(2026, 1, 1))
    assert days.is_working(date(2026, 1, 4))
    assert not days.is_working(date(2026, 1, 3))
    assert days.is_working(date(2026, 1, 5))


def test_a_notice_moves_days_of_the_december_before() -> None:
    after = {
        "year": 2027,
        "notices": [{"number": "国办发明电〔2026〕1号"}],
        "holidays": ["2026-12-31", "2027-01-01"],
        "workdays": ["2026-12-26"],
    }
    days = Workdays([parsed(YEAR)])
    before = days.name

    days.take([parsed(after)])

    assert not days.is_working(date(2026, 12, 31))
    assert days.is_working(date(2026, 12, 26))
    assert days.nth_after(date(2026, 12, 24), 3) == date(2026, 12, 28)
    assert days.name != before


def test_the_notice_of_the_next_year_is_lacking_from_november_on() -> None:
    days = Workdays([parsed(YEAR)])

    assert [days.lacking(day) for day in (date(2026, 10, 31), date(2026, 11, 1))] == [None, 2027]


def test_what_a_year_says_has_one_hash() -> None:
    other = {**YEAR, "holidays": ["2026-01-01", "2026-01-02"]}

    assert parsed(YEAR).hash == parsed({**YEAR, "workdays": ["2026-01-04"]}).hash
    assert parsed(YEAR).hash != parsed(other).hash


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"notices": []}, "没有写通知文号"),
        ({"holidays": []}, "没有写通知文号或放假的日子"),
        ({"workdays": ["2026-01-01"]}, "又放假又上班"),
        ({"holidays": ["2025-12-20"]}, "不在 2026 年"),
        ({"holidays": ["2026-02-30"]}, "应为日期"),
        ({"holiday": []}, "不认识的键"),
    ],
)
def test_an_inconsistent_calendar_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BadCalendar, match=words):
        parsed({**YEAR, **changes})


def test_a_missing_year_between_the_years_is_refused() -> None:
    years = [parsed({**YEAR, "holidays": [f"{y}-01-01"], "workdays": [], "year": y})
             for y in (2024, 2026)]  # fmt: skip

    with pytest.raises(BadCalendar, match="2025"):
        Workdays(years)


def test_ten_years_are_shipped() -> None:
    assert sorted(load_workdays().years) == list(range(2017, 2027))


def test_every_shipped_year_names_an_official_notice() -> None:
    for file in (files("gateway") / "calendars").iterdir():
        year = parse_year(file.read_bytes())

        assert all(".gov.cn/" in str(notice.url) for notice in year.notices), file.name
        assert all("国办发明电〔" in notice.number for notice in year.notices), file.name
