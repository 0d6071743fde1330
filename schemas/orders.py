"""Orders to mend what is wrong 责令改正, which decisions write beside penalties: they are none.

行政处罚法 art. 28 orders the mending, and art. 9 has no such kind. Decisions spell it in many ways,
so a small grammar reads it. It reads whole words only: 责令停产整治 and 责令限期拆除 are penalties.
"""

import re
from functools import lru_cache

_WHEN = r"(?:立即|限期|当场|及时|(?:[于在]?\d+个?(?:工作)?[日天月]内))?"
_WRONG = r"(?:其|该|上述)?(?:生态)?(?:环境)?违法(?:排污)?行为"
_MEND = rf"(?:停止{_WRONG}|(?:改正|整改|纠正)(?:{_WRONG})?)"
_ORDER = re.compile(rf"(?:(?:并|且|和|及)?(?:责令)?(?:其|当事人)?{_WHEN}{_MEND})+")


@lru_cache(maxsize=1024)
def is_order(word: str) -> bool:
    """Whether a word of 处罚类别 only orders to mend what is wrong, and so is no penalty."""
    return _ORDER.fullmatch(word) is not None
