"""Find an order to stop 停产整治、停产停业、责令关闭 in the words of a decision (pure)."""

import re
from functools import lru_cache

_STOP = re.compile("责令(?:其|你单位|你公司|当事人)?(?:立即)?(停产整治|停产停业|关闭)")
#: A clause that speaks of another decision, of what was only intended, or of what may come.
_ELSEWHERE = re.compile("曾|此前|前次|拟|逾期|拒不|如不|若不|情节严重|解除|撤销|不予|免予|可以")
_SENTENCES = re.compile(r"[。；;\n]")


@lru_cache(maxsize=8)
def stops_in(text: str) -> tuple[str, ...]:
    """Return the kinds of penalty that stop production which a text imposes, each once."""
    sentences = _SENTENCES.split(text) if "责令" in text else ()
    told = [one for one in sentences if _ELSEWHERE.search(one) is None]
    return tuple(dict.fromkeys(f"责令{found}" for one in told for found in _STOP.findall(one)))
