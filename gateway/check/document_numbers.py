"""Say why a text is no document number 文书号, although it stands in its column (pure)."""

import re
from datetime import date

from gateway.check.dates import parse_date
from schemas.identifiers import document_number_key

#: Digits of a running number at most: with more it may be the number of a licence.
_RUNNING = re.compile(r"(?:#|№|NO\.?|序号|第)?\d{1,4}[.、]?")
#: A year, and behind it no number was filled in: blanks, lines, crosses.
_UNFILLED = re.compile(
    r"[^〔〕\d]*(?:〔[^〔〕\d]*〕[^〔〕\d]*)?〔[\dX×*_年-]*〕"
    r"[第字]?[X×_*□○.…·/?-]*号?(?:〔[^〔〕\d]*〕)?"
)
#: Digits, also Chinese ones: 二〇二六 and 贰.
_DIGIT = re.compile(r"[0-9〇零一二三四五六七八九十百壹贰叁肆伍陆柒捌玖拾]")
_CHINESE = re.compile("[\u4e00-\u9fff]")
_POINTS_ELSEWHERE = re.compile(r"〔?(?:详见|参见|见|同上|同|如|按)")
_LONGEST = 40


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
    if is_word or (_POINTS_ELSEWHERE.match(key) and not any(map(str.isdigit, key))):
        return "里没有编号"
    if _RUNNING.fullmatch(key):
        return "像是表里的序号"
    day = parse_date(text.strip())
    return "是日期" if day and (day == decided or not text.strip().isdigit()) else None
