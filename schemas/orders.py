"""Orders to mend what is wrong 责令改正, which decisions write beside penalties: they are none.

行政处罚法 art. 28 orders the mending, and art. 9 has no such kind. Decisions spell it in many ways,
so a small grammar reads it. It reads whole words only: 责令停产整治 and 责令限期拆除 are penalties.
"""

import re
from functools import lru_cache

from schemas.codes import OTHER_PENALTY_PREFIX
from schemas.identifiers import fold_once

#: The word by which all of them are known.
ORDER = "责令改正"

_WHO = r"(?:其|当事人|被处罚(?:人|单位)|违法(?:行为人|单位)|[你该贵]?(?:单位|公司|企业|厂|店))?"
_NUMBER = r"[0-9〇零一二两三四五六七八九十百]+"
_PAPER = r"(?:本|该)?(?:行政)?(?:处罚)?(?:(?:决定|通知)书?|文书)?"
_SINCE = rf"自(?:即日|(?:收到|接到)?{_PAPER}(?:送达|作出)?之日)起"
_WITHIN = rf"(?:限于|[于在限])?{_NUMBER}个?(?:工作|自然)?[日天月](?:之内|以内|内)"
_DAY = rf"(?:{_NUMBER}年)?{_NUMBER}月(?:{_NUMBER}[日号]|底)?"
_BEFORE = rf"[于在]?{_DAY}(?:之前|以前|前)"
_WHEN = rf"(?:立即|限期|当场|及时|尽快|按期|{_SINCE}|{_WITHIN}|{_BEFORE})*+"
_ILLEGAL = r"(?:生态)?(?:环境)?(?:保护)?违[法规](?:违规)?(?:排污|排放(?:污染物)?|建设)?的?"
_WRONG = rf"(?:(?:其|该|上述)?{_ILLEGAL}行为|(?:其|该|上述)行为)"
_MENDED = r"(?:改正|整改|纠正)(?:到位|完毕|完成)?"
_MEND = rf"(?:停止{_WRONG}|(?:停止(?:或者?|并))?{_MENDED}(?:{_WRONG})?)"
_ORDER = re.compile(rf"(?:[并且和及]?(?:责令)?{_WHO}{_WHEN}{_MEND}{_WHEN})+")

#: Brackets and stops, which say nothing here.
_MARKS = str.maketrans("", "", "()（）[]［］【】〔〕,，、;；.。:：")


@lru_cache(maxsize=1024)
def is_order(word: str) -> bool:
    """Whether a word of 处罚类别 only orders to mend what is wrong, and so is no penalty."""
    bare = fold_once(word.removeprefix(OTHER_PENALTY_PREFIX)).translate(_MARKS)
    return _ORDER.fullmatch(bare) is not None
