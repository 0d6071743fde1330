"""Find a fine in the words of a decision, such as 处罚内容 (pure)."""

import re
from functools import lru_cache

_DIGITS = r"[\d零〇一二两三四五六七八九壹贰叁肆伍陆柒捌玖十百千拾佰仟]"
_AMOUNT = rf"{_DIGITS}(?:{_DIGITS}|[.,，．]){{0,40}}+\s*(?:[万萬亿]\s*[元圆]?|[元圆])"
#: There is none, or it is one on a fine that is not paid in time (行政处罚法 第七十二条).
_NONE = r"(?<!不予)(?<!免予)(?<!免于)(?<!免除)(?<!撤销)(?<!加处)"
_FINE = re.compile(
    rf"{_NONE}罚款(?:人民币|金额|数额|共计|合计|计|为|[¥￥:：（( ]){{0,6}}{_AMOUNT}"
    rf"|{_AMOUNT}[整正]?\s*(?:人民币)?\s*的?\s*(?:行政)?罚款"
)


@lru_cache(maxsize=8)
def has_fine(text: str) -> bool:
    """Whether a text imposes a fine of an amount, such as 并处罚款60万元 or 处2万元罚款."""
    return "罚款" in text and _FINE.search(text) is not None
