"""Say why a text is no document number 文书号, although it stands in its column (pure)."""

import re
from datetime import date

from gateway.check.dates import parse_date
from schemas.identifiers import document_number_key

#: Digits of a running number at most: with more it may be the number of a licence.
_RUNNING = re.compile(r"(?:#|№|NO\.?|序号|第)?\d{1,4}[.、]?")
#: A year alone in its brackets, or blanks and crosses for one; what else may stand there, such as
#: 00128, 02188 or 2026001, is a serial number.
_YEAR = r"(?:(?:19|20)[\dX×*_]{2}年?|[X×*_年-]*)"
#: A year, and behind it no number was filled in: blanks, lines, crosses.
_UNFILLED = re.compile(
    rf"[^〔〕\d]*(?:〔[^〔〕\d]*〕[^〔〕\d]*)?〔{_YEAR}〕"
    r"[第字]?[X×*_□○.…·/?-]*号?(?:〔[^〔〕\d]*〕)?"
)
_CHINESE_DIGITS = "[〇零一二三四五六七八九十百壹贰叁肆伍陆柒捌玖拾]"
#: Digits, also Chinese ones: 二〇二六 and 贰.
_DIGIT = re.compile(rf"[0-9]|{_CHINESE_DIGITS}")
_CHINESE = re.compile("[\u4e00-\u9fff]")
_POINTS_ELSEWHERE = re.compile(r"〔?(?:详见|参见|见|同上|同|如|按)")
#: A number all the same: places are called 如皋, 如东 and 同江, and fines 按日连罚.
_OF_A_PLACE = re.compile(
    rf"(?!〔?(?:详|参|见|[同如按](?:上|前|下|附))).*?"
    rf"(?:{_CHINESE_DIGITS}号|第{_CHINESE_DIGITS}+$|〔{_CHINESE_DIGITS}{{2,}}〕)"
)
#: Two running numbers behind one year, and two whole numbers.
_TWO = re.compile(r"〕第?(\d{1,5})号?([、,;/&和及与至到~—–-]+)第?(\d{1,5})号?(?!\d)")
_TWO_YEARS = re.compile(r"〔\d{4}〕第?\d+号.*〔\d{4}〕第?\d+号")
#: What stands between two numbers, in any width; a dash may also be before a number of a part.
_DASHES = frozenset("-~—–")
_JOINTS = frozenset("、,，;；/&＆和及与至到~～—–-－")
_LONGEST = 40
#: Characters in which several numbers are looked for.
_LONGEST_OF_SEVERAL = 200


def number_problem(text: str, decided: date | None) -> str | None:
    """Return in Chinese why a text is no document number of a decision of this day; None if it may.

    Several decisions have such a text: they would become one.
    """
    if text[-1:] == "号" and text[-2:-1].isdigit() and "〔" in text:
        return None  # the way of most
    if len(text) > _LONGEST:
        return None
    key = document_number_key(text)
    if _UNFILLED.fullmatch(key):
        return "没有写顺序号"
    is_word = _DIGIT.search(key) is None and _CHINESE.search(key) is not None
    if is_word or _points_elsewhere(key):
        return "里没有编号"
    if _RUNNING.fullmatch(key):
        return "像是表里的序号"
    day = parse_date(text.strip())
    return "是日期" if day and (day == decided or not text.strip().isdigit()) else None


def names_several(text: str) -> bool:
    """Whether a text is the numbers of several decisions, such as 〔2026〕3、4号 or 〔2026〕5-7号.

    〔2026〕5-1号 is one of its own: behind a dash stands a larger number.
    """
    if _JOINTS.isdisjoint(text) and text.count("号") < 2:  # the way of most
        return False
    key = document_number_key(text[:_LONGEST_OF_SEVERAL])
    if _TWO_YEARS.search(key):
        return True
    found = _TWO.search(key)
    if found is None:
        return False
    first, joint, second = found.groups()
    return int(first) < int(second) if set(joint) <= _DASHES else first != second


def _points_elsewhere(key: str) -> bool:
    """Whether a text says where the number is written, such as 见附件一."""
    if any(map(str.isdigit, key)) or not _POINTS_ELSEWHERE.match(key):
        return False
    return _OF_A_PLACE.match(key) is None
