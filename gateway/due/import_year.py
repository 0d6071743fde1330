"""Read the calendar of a year from a file 导入放假安排, and tell what it changes (pure).

The file is one of ours (`gateway/calendars/2026.json`), or a table in CSV as offices publish it:
date, kind (休 or 班) and name of the holiday.
"""

import codecs
import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

from pydantic import ValidationError

from gateway.check.dates import parse_date
from gateway.due.workdays import FIXED_HOLIDAYS, SATURDAY, BadCalendar, Notice, Workdays, Year
from gateway.due.workdays import parse_year as parse_json
from schemas.identifiers import half_width

_NAMES: Mapping[str, frozenset[str]] = {
    "date": frozenset({"日期", "date", "day"}),
    "kind": frozenset({"类型", "类别", "安排", "kind", "type", "isoffday"}),
    "name": frozenset({"名称", "节日", "节日名称", "备注", "name", "holiday"}),
}
_OFF = frozenset({"休", "放假", "休息", "调休放假", "节假日", "holiday", "off", "true", "1"})
_ON = frozenset({"班", "上班", "补班", "调休上班", "工作日", "workday", "on", "false", "0"})
#: The Spring Festival 春节 falls between these days; three of its days are weekdays at least.
_SPRING, _LEAST_OF_SPRING = ((1, 20), (2, 27)), 3
#: Days off that the law fixes (全国年节及纪念日放假办法, art. 2), by the year since it does. One on
#: a weekend is made up for, and a weekday off beyond them is worked for on a weekend 调休.
_LAWFUL = {2025: 13, 2008: 11}


class ChangedDay(NamedTuple):
    """A day that becomes another one by a calendar."""

    day: date
    is_working: bool
    name: str


def read_year(data: bytes, number: str | None) -> tuple[Year, Mapping[date, str]]:
    """Return the calendar in a file, and the names of its holidays, if the file has any.

    `number` is the number of the notice 文号, which a table does not have.

    Raises:
        BadCalendar: neither form, no notice, a day that cannot be read, or holidays are missing.
    """
    plain = data.removeprefix(codecs.BOM_UTF8)
    if plain.lstrip()[:1] == b"{":
        year, names = parse_json(plain), dict[date, str]()
    else:
        year, names = _of_table(_text(data), number)
    _check_whole(year)
    return year, names


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadCalendar("工作日历：不是 UTF-8 或 GB18030 的文本；另存为 CSV 再导入")


def _of_table(text: str, number: str | None) -> tuple[Year, dict[date, str]]:
    if not number:
        raise BadCalendar("工作日历：用 --notice 写明通知文号，如 国办发明电〔2025〕7号")
    days: dict[date, bool] = {}
    names: dict[date, str] = {}
    for line, row in _rows(text):
        day, kind = parse_date(row["date"]), half_width(row["kind"]).strip().lower()
        if day is None:
            raise BadCalendar(f"工作日历：第{line}行“{row['date']}”不是日期，写成 2026-10-01")
        if kind not in _OFF | _ON:
            raise BadCalendar(f"工作日历：第{line}行 {day} 的“{row['kind']}”不认识，写 休 或 班")
        if days.setdefault(day, kind in _ON) is not (kind in _ON):
            raise BadCalendar(f"工作日历：{day} 又休又班；核对通知，只留一个")
        names[day] = row["name"].strip()
    if not days:
        raise BadCalendar("工作日历：表里没有日子")
    last = max(days).year
    holidays = {day for day, on in days.items() if not on and day.weekday() < SATURDAY}
    workdays = {day for day, on in days.items() if on and day.weekday() >= SATURDAY}
    return _year(last, Notice(number=number), holidays, workdays), names


def _year(year: int, notice: Notice, holidays: set[date], workdays: set[date]) -> Year:
    try:
        return Year(
            year=year,
            notices=(notice,),
            holidays=frozenset(holidays),
            workdays=frozenset(workdays),
        )
    except ValidationError as error:
        raise BadCalendar.of(error) from None


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    lines = text.splitlines()
    reader = csv.reader(lines)
    head = [half_width(name).strip().lower() for name in next(reader, [])]
    places = {
        column: next((at for at, name in enumerate(head) if name in known), None)
        for column, known in _NAMES.items()
    }
    for column, title in (("date", "日期"), ("kind", "类型")):
        if places[column] is None:
            raise BadCalendar(f"工作日历：第一行没有“{title}”列；应有 日期、类型、名称 三列")
    for cells in reader:
        if any(map(str.strip, cells)):
            yield (
                reader.line_num,
                {
                    c: cells[at] if at is not None and at < len(cells) else ""
                    for c, at in places.items()
                },
            )


def _check_whole(year: Year) -> None:
    """Refuse a calendar in which holidays are missing or worked: it may be cut off, or mistyped."""
    fixed = [date(year.year, month, day) for month, day in sorted(FIXED_HOLIDAYS)]
    missing = [day for day in fixed if day.weekday() < SATURDAY and day not in year.holidays]
    if missing:
        raise BadCalendar(
            f"工作日历：{missing[0]} 是法定节假日，没有写放假；文件可能不全，核对通知"
        )
    if wrong := [day for day in year.workdays if (day.month, day.day) in FIXED_HOLIDAYS]:
        raise BadCalendar(f"工作日历：{min(wrong)} 是法定节假日，不能写上班；核对通知")
    first, last = (date(year.year, month, day) for month, day in _SPRING)
    if sum(first <= day <= last for day in year.holidays) < _LEAST_OF_SPRING:
        raise BadCalendar("工作日历：没有春节的放假日；文件可能不全，核对通知")


def doubt(year: Year) -> str | None:
    """Return in Chinese why rows may be missing, although the year is not plainly cut off.

    Weekdays off less weekends at work are the days that the law fixes, in each year but 2020, which
    had more. It is told and not refused: a year may be special.
    """
    lawful = next((days for since, days in _LAWFUL.items() if year.year >= since), None)
    off = sum(day.weekday() < SATURDAY for day in year.holidays)
    paid = sum(day.weekday() >= SATURDAY for day in year.workdays)
    if lawful is None or off - paid == lawful:
        return None
    return (
        f"放假的工作日 {off} 天，调休上班的周末 {paid} 天，相差 {off - paid} 天，"
        f"法定节假日是 {lawful} 天：可能漏了或多了行，核对通知"
    )


def ignored(year: Year, names: Mapping[date, str]) -> list[date]:
    """Return the days of a table that move nothing: a weekend off, a weekday at work."""
    return sorted(names.keys() - year.days)


def changes(known: Workdays, year: Year, names: Mapping[date, str]) -> list[ChangedDay]:
    """Return the days that the calendar of a year makes others than they are taken for now."""
    after = Workdays([*known.years.values(), year])
    before = known.years.get(year.year)
    days: Iterable[date] = year.days | (before.days if before else frozenset())
    return [
        ChangedDay(day, after.is_working(day), names.get(day, ""))
        for day in sorted(days)
        if _plainly(known, day) is not after.is_working(day)
    ]


def _plainly(known: Workdays, day: date) -> bool:
    """Return what a day is by the known calendars; by its weekday, where they do not say."""
    return known.is_working(day) if day.year in known.years else day.weekday() < SATURDAY
