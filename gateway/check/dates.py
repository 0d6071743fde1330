"""Read a day as people and programs write it, or say why it cannot be told (pure)."""

import re
from datetime import MAXYEAR, UTC, date, datetime, timedelta
from functools import lru_cache

from schemas.base import SHANGHAI
from schemas.identifiers import half_width, note_sign, visible
from schemas.licence import LONG_TERM

_LONG_TERM_WORDS = frozenset({"长期", "长期有效", "永久", "永久有效", "无固定期限"})
_TIME = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?(?: ?(Z|[+-]\d{2}:?\d{2}))?"
_PLAIN = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]00:00(?::00(?:\.0+)?)?Z?)?")
_WRITTEN = re.compile(
    r"(\d{4})(?:年|[-/.])(\d{1,2})(?:月|[-/.])(\d{1,2})[日号]?(?:[ T]{1,3}" + _TIME + r")?"
)
_COMPACT = re.compile(r"((?:19|20)\d{2})(0[1-9]|1[0-2])([0-2]\d|3[01])(?:000000)?")
_WEEKDAY = re.compile(r"[\s(]*(?:星期|周)[一二三四五六日天]\)?$")
_DASHES = re.compile(r"[‐-―−－﹣]")
_AROUND = re.compile(r"\s*([年月/.-])\s*|\s+(?=[日号])")
_ONES = "一二三四五六七八九"
_CHINESE = re.compile(rf"([〇○零{_ONES}]{{4}})年([{_ONES}十]{{1,2}})月([{_ONES}十]{{1,3}})[日号]")
_DIGITS = {"〇": 0, "○": 0, "零": 0} | {c: n for n, c in enumerate(_ONES, 1)}

_DAY = timedelta(days=1)
_LAST_MINUTE = (23, 59)
#: Seconds that people write for the end of a day.
_ENDS = frozenset({0, 59})
_EPOCH = date(1970, 1, 1)
#: Numbers of days since 1970 that are read as such: 1990 to 2069. Above them are the serial days of
#: spreadsheets from the year 2000 on, which are never read: they depend on a setting of the file.
_EPOCH_DAYS = range(7_305, 36_524)
_COMPACT_DAYS = range(19_000_101, 21_000_101)
_SERIAL_DAYS = range(36_524, 73_051)
_SERIAL_START = date(1899, 12, 30)
#: Days of which a part is missing or ambiguous, and what to say of them.
_PARTS = (
    (re.compile(r"\d{2}[-/.]\d{1,2}[-/.]\d{1,2}"), "的年份只有两位"),
    (re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{4}"), "分不清月和日"),
    (re.compile(r"\d{4}[-/.年]\d{1,2}月?"), "没有写到日"),
)
#: Characters of a text that may be a day.
_LONGEST = 100
#: Digits of a number that may be a day or a time.
_LONGEST_NUMBER = 20
#: Milliseconds since 1970: 1990 to 2100.
_EPOCH_MS = range(631_152_000_000, 4_102_444_800_000)


@lru_cache(maxsize=4096)
def parse_date(text: str) -> date | None:
    """Return the day of a text; 长期 is 2099-12-31; None if it cannot be told for sure.

    A time beside the day is left out, but for one in the last minute of a day, which may mean the
    next one (23:59 and 23:59:59 do not); a time with a zone must be on the same day in China, or be
    midnight there. Other systems write 长期 as a day of the year 9999, after which no due time can
    be computed; it also becomes 2099-12-31.
    """
    if text in _LONG_TERM_WORDS:
        return LONG_TERM
    match = _PLAIN.fullmatch(text)
    if match is not None:
        return _day(match[1], match[2], match[3])
    return None if note_sign(text[:_LONGEST]) else _written(_tidy(text))


def number_as_date(number: int) -> date | None:
    """Return the day of a JSON number: days or milliseconds since 1970, or 20261009; else None.

    Kafka Connect and Debezium write them. Microseconds are read as milliseconds.
    """
    if number in _EPOCH_DAYS:
        return _EPOCH + number * _DAY
    if number in _COMPACT_DAYS:
        return _written(str(number))
    here = _stamp(number)
    return None if here is None or _is_doubtful(here) else _in_china(here)


def _stamp(number: int) -> datetime | None:
    """Return the time in China of milliseconds or microseconds since 1970; None if it is none."""
    milliseconds = number // 1000 if number >= _EPOCH_MS.stop else number
    if milliseconds not in _EPOCH_MS:
        return None
    return datetime.fromtimestamp(milliseconds // 1000, SHANGHAI)


def _is_doubtful(here: datetime) -> bool:
    """Whether a time of China is in the last minute of a day, so that the next day may be meant.

    A library that reads spreadsheets loses 43 seconds of a day in China. 23:59 and 23:59:59 are
    what people write for the end of a day.
    """
    return (here.hour, here.minute) == _LAST_MINUTE and here.second not in _ENDS


def why_no_date(value: object) -> tuple[str, str]:
    """Return in Chinese why a value is no day that can be told for sure, and the fix."""
    text = _tidy(str(value))
    note = note_sign(str(value)[:_LONGEST])
    if note is not None:
        return f"“{value}”里的“{note}”不是数字，像注释的编号", "删去它，只留日期"
    fix = "写成 2026/10/01 或 2026-10-01，长期写 2099/12/31"
    if text.isdecimal() and text.isascii() and len(text) < _LONGEST_NUMBER:
        return _why_no_number(str(value), int(text), fix)
    match = _WRITTEN.fullmatch(text)
    here = _moment(match) if match else None
    if here is not None and _is_doubtful(here):
        return _why_doubtful(str(value), here)
    if match is not None and match[7]:
        return f"“{value}”带有时区，与北京时间不在同一天", "写成北京时间的日期"
    if match is not None:
        return f"“{value}”这一天不存在", "按决定书核对日期"
    words = next((words for form, words in _PARTS if form.fullmatch(text)), "不是日期")
    return f"“{value}”{words}", fix


def _why_doubtful(given: str, here: datetime) -> tuple[str, str]:
    day, next_day = here.date(), here.date() + _DAY
    words = f"“{given}”在北京时间午夜前不到一分钟，看不出是 {day} 还是 {next_day}"
    return words, f"按决定书核对，只写日期：{day} 或 {next_day}"


def _why_no_number(given: str, number: int, fix: str) -> tuple[str, str]:
    here = _stamp(number)
    if here is not None and _is_doubtful(here):
        return _why_doubtful(given, here)
    if number in _SERIAL_DAYS:
        day = _SERIAL_START + number * _DAY
        words = f"“{given}”是表格里的日期序号，多半是 {day}，但要看表格的日期系统"
        return words, "把单元格格式设为日期后重填"
    if (stamp := number_as_date(number)) is not None and number not in _EPOCH_DAYS:
        return f"“{given}”是时间戳，北京时间 {stamp}", f"写成日期，如 {stamp}"
    return f"“{given}”不是日期", fix


def has_time(text: str) -> bool:
    """Whether a text that is a day also says a time other than midnight."""
    match = _WRITTEN.fullmatch(_tidy(text))
    return match is not None and any(int(part or 0) for part in match.group(4, 5, 6))


def _tidy(text: str) -> str:
    """Return a text in one width, with one kind of dash, without blanks beside its signs."""
    text = _DASHES.sub("-", visible(half_width(text[:_LONGEST])).strip())
    text = _WEEKDAY.sub("", text)
    return _AROUND.sub(lambda match: match[1] or "", text)


def _written(text: str) -> date | None:
    match = _WRITTEN.fullmatch(text)
    if match is None:
        match = _COMPACT.fullmatch(text)
        return _day(*match.groups()) if match else _chinese(text)
    day = _day(match[1], match[2], match[3])
    if day is None or match[4] is None:
        return day
    here = _moment(match)
    if here is None or _is_doubtful(here):
        return None
    return day if match[7] is None or here.date() == day else _in_china(here)


def _moment(match: re.Match[str]) -> datetime | None:
    """Return the time in China of a day with a time; None if there is no such time."""
    day = _day(match[1], match[2], match[3])
    if day is None or match[4] is None:
        return None
    hour, minute, second = (int(part or 0) for part in match.group(4, 5, 6))
    zone = (match[7] or "").replace("Z", "+00:00")
    try:
        at = datetime.fromisoformat(f"{day}T{hour:02}:{minute:02}:{second:02}{zone}")
        return at.astimezone(SHANGHAI) if zone else at.replace(tzinfo=SHANGHAI)
    except (ValueError, OverflowError):
        return None


def _in_china(at: datetime) -> date | None:
    """Return the day of a time if it is the same in UTC, or midnight in China; else None."""
    here, universal = at.astimezone(SHANGHAI), at.astimezone(UTC)
    midnight = (here.hour, here.minute, here.second) == (0, 0, 0)
    return here.date() if midnight or here.date() == universal.date() else None


def _chinese(text: str) -> date | None:
    match = _CHINESE.fullmatch(text)
    if match is None:
        return None
    year = "".join(str(_DIGITS[c]) for c in match[1])
    return _day(year, _up_to_99(match[2]), _up_to_99(match[3]))


def _up_to_99(text: str) -> str:
    """Return a Chinese number such as 十, 十九, 二十 or 三十一 in digits; 0 if it is none."""
    tens, ten, ones = text.rpartition("十")
    if len(tens) > 1 or len(ones) > 1:
        return "0"
    return str((_DIGITS.get(tens, 1) * 10 if ten else 0) + _DIGITS.get(ones, 0))


def _day(year: str, month: str, day: str) -> date | None:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return LONG_TERM if found.year == MAXYEAR else found
