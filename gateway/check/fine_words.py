"""Find a fine in the words of a decision, such as 处罚内容 (pure)."""

import re
from functools import lru_cache

_DIGITS = r"[\d零〇一二两三四五六七八九壹贰叁肆伍陆柒捌玖十百千拾佰仟]"
_AMOUNT = rf"{_DIGITS}(?:{_DIGITS}|[.,，．]){{0,40}}+\s*(?:[万萬亿]\s*[元圆]?|[元圆])"
#: There is none, or it is one on a fine that is not paid in time (行政处罚法 第七十二条).
_NONE = r"(?<!不予)(?<!免予)(?<!免于)(?<!免除)(?<!撤销)(?<!加处)"
_FINE = re.compile(
    rf"{_NONE}罚款(?:人民币|金额|数额|共计|合计|计|为|大写|[¥￥:：（()） ]){{0,6}}{_AMOUNT}"
    rf"|{_AMOUNT}[整正]?\s*(?:人民币)?\s*的?\s*(?:行政)?罚款"
)

#: A sentence that speaks of a fine before, one that was only intended, or one for later.
_ELSEWHERE = re.compile("曾|此前|前次|原拟|拟处|拟对|逾期不|逾期仍|如不|若不|如逾期|若逾期")
#: No penalty at all: it ends its clause, so that no part of one is meant.
_NO_PENALTY = re.compile("(?:不予|免予|免于)(?:行政)?处罚(?=$|[的，,。；;、）)\\s]|决定)")
_SENTENCES = re.compile(r"[。；;\n]")


@lru_cache(maxsize=8)
def imposes_fine(text: str) -> bool:
    """Whether a text imposes a fine by this decision, as far as its words tell."""
    sentences = _SENTENCES.split(text) if "罚款" in text else ()
    return any(
        _FINE.search(one) is not None and _ELSEWHERE.search(one) is None for one in sentences
    )


def imposes_none(text: str) -> bool:
    """Whether a text says that no penalty is imposed, such as 不予行政处罚."""
    return "予" in text and _NO_PENALTY.search(text) is not None


@lru_cache(maxsize=8)
def has_fine(text: str) -> bool:
    """Whether a text names a fine of an amount, such as 并处罚款60万元 or 处2万元罚款."""
    return "罚款" in text and _FINE.search(text) is not None
