"""A calendar as an office publishes it, read from a file, and what it changes."""

from datetime import date

import orjson
import pytest

from gateway.due.calendars import load_workdays
from gateway.due.import_year import changes, doubt, ignored, read_year
from gateway.due.workdays import BadCalendar

#: Invented: nobody knows the notice for 2027 yet.
ROWS = {
    "2027-01-01": ("休", "元旦"),
    "2026-12-31": ("休", "元旦"),
    "2026-12-26": ("班", "元旦调休"),
    "2027-02-05": ("休", "春节"),
    "2027-02-06": ("休", "春节"),
    "2027-02-08": ("休", "春节"),
    "2027-02-09": ("休", "春节"),
    "2027-02-14": ("班", "春节调休"),
    "2027-10-01": ("休", "国庆节"),
}
NOTICE = "样例发〔2026〕1号"


def table(rows: dict[str, tuple[str, str]], head: str = "日期,类型,名称") -> str:
    return "\n".join([head, *(f"{day},{kind},{name}" for day, (kind, name) in rows.items())])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_is_read_with_the_december_before_it(encoding: str) -> None:
    year, names = read_year(table(ROWS).encode(encoding), NOTICE)

    assert (year.year, year.notices[0].number) == (2027, NOTICE)
    assert date(2026, 12, 26) in year.workdays
    assert date(2027, 2, 6) not in year.days  # a Saturday anyway
    assert names[date(2027, 2, 5)] == "春节"


@pytest.mark.parametrize("head", ["date,kind,name", "日期, 类别 ,节日", "DATE,isOffDay,name"])
def test_columns_may_have_other_names(head: str) -> None:
    rows = {day: ((kind == "休" and "true") or "false", name) for day, (kind, name) in ROWS.items()}

    year, _ = read_year(table(rows, head).encode(), NOTICE)

    assert year == read_year(table(ROWS).encode(), NOTICE)[0]


def test_our_own_form_is_read() -> None:
    year, _ = read_year(table(ROWS).encode(), NOTICE)

    again, names = read_year(year.model_dump_json().encode(), None)

    assert (again, again.hash, names) == (year, year.hash, {})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"2027-10-01": ("班", "")}, "2027-10-01 是法定节假日，没有写放假"),
        ({day: ("班", "") for day in ROWS if day.startswith("2027-02")}, "没有春节的放假日"),
        ({"2027-03-32": ("休", "")}, "第11行“2027-03-32”不是日期"),
        ({"2027-03-01": ("调休", "")}, "第11行 2027-03-01 的“调休”不认识"),
        ({"2027/1/1": ("班", "")}, "2027-01-01 又休又班"),
        ({"2026-12-20": ("班", "")}, "2026-12-20 不在 2027 年"),
        ({"2027-05-01": ("班", "")}, "2027-05-01 是法定节假日，不能写上班"),
        ({"2027-10-02": ("班", "")}, "2027-10-02 是法定节假日，不能写上班"),
    ],
)
def test_a_table_that_is_wrong_or_cut_off_is_refused(
    changed: dict[str, tuple[str, str]], words: str
) -> None:
    with pytest.raises(BadCalendar, match=words):
        read_year(table({**ROWS, **changed}).encode(), NOTICE)


@pytest.mark.parametrize(
    ("data", "notice", "words"),
    [
        (table(ROWS).encode(), None, "--notice"),
        (b"", NOTICE, "没有“日期”列"),
        (b"\xff\xff\xff", NOTICE, "不是 UTF-8 或 GB18030"),
        ("日期,类型".encode(), NOTICE, "没有日子"),
        ("日期,名称\n2027-01-01,元旦".encode(), NOTICE, "没有“类型”列"),
        (b"{", NOTICE, "JSON"),
        (orjson.dumps({"year": 2027}), NOTICE, "notices：没有写"),
    ],
)
def test_a_file_that_is_no_calendar_is_refused(data: bytes, notice: str | None, words: str) -> None:
    with pytest.raises(BadCalendar, match=words):
        read_year(data, notice)


def test_days_that_move_nothing_are_told() -> None:
    rows = {**ROWS, "2027-03-10": ("班", "样例"), "2027-03-13": ("休", "")}

    found = ignored(*read_year(table(rows).encode(), NOTICE))

    assert found == [date(2027, 2, 6), date(2027, 3, 10), date(2027, 3, 13)]


def test_only_days_that_become_others_are_told() -> None:
    known = load_workdays()
    year, names = read_year(table(ROWS).encode(), NOTICE)

    found = changes(known, year, names)

    assert [(str(one.day), one.is_working) for one in found][:3] == [
        ("2026-12-26", True),
        ("2026-12-31", False),
        ("2027-01-01", False),
    ]
    assert found[0].name == "元旦调休"
    known.take([year])
    assert changes(known, year, names) == []


def test_a_calendar_behind_a_missing_year_is_refused() -> None:
    year, names = read_year(table(ROWS).encode(), NOTICE)
    later = year.model_copy(update={"year": 2028})

    with pytest.raises(BadCalendar, match="缺 2027 年"):
        changes(load_workdays(), later, names)


def test_the_shipped_calendars_are_whole() -> None:
    for year in load_workdays().years.values():
        assert read_year(year.model_dump_json().encode(), None)[0] == year


def test_a_file_that_lost_its_last_rows_is_doubted() -> None:
    shipped = load_workdays().years
    whole = shipped[2026]
    days = {**dict.fromkeys(whole.holidays, "休"), **dict.fromkeys(whole.workdays, "班")}
    rows = {str(day): (days[day], "") for day in sorted(days)}
    kept = [day for day in rows if day <= "2026-10-02"]
    cut = {day: rows[day] for day in kept}
    unpaid = {day: row for day, row in rows.items() if row[0] == "休"}

    read = [read_year(table(some).encode(), NOTICE)[0] for some in (rows, cut, unpaid)]

    assert [doubt(year) is None for year in read] == [True, False, False]
    assert doubt(read[2]) == (
        "放假的工作日 19 天，调休上班的周末 0 天，相差 19 天，法定节假日是 13 天："
        "可能漏了或多了行，核对通知"
    )
    assert [number for number, year in sorted(shipped.items()) if doubt(year)] == [2020]


def test_our_own_form_may_have_a_byte_order_mark() -> None:
    data = load_workdays().years[2026].model_dump_json().encode("utf-8-sig")

    assert read_year(data, None)[0] == load_workdays().years[2026]
