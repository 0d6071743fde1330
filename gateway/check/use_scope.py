"""Who may see a decision 信息使用范围 (pure): 0 all, 1 the government, 2 who is authorised."""

import re
from functools import lru_cache

#: Its columns: the codes of the layout of 2016–17, and the Chinese name (`name_key`).
NAMES = frozenset({"cfsyfw", "xksyfw", "信息使用范围"})
#: A shorter name, which licences also have for what they allow: it counts where its value does.
SHORT_NAME = "使用范围"
TITLE = "信息使用范围"
FIX = "填 0（公示）、1（仅政府部门内部共享）或 2（仅可授权查询）"
_ALL = "(?:向?社会|对外|全部|完全)?公[开示]"
_INSIDE = "(?:在?(?:本?政府|各?部门|政府各?部门)?内部|政府各?部门之?间?)"
_GOVERNMENT = f"仅?限?{_INSIDE}(?:信息)?(?:共享|使用|公开)?"
_AUTHORISED = "仅?限?可?(?:依申请|经?授权)(?:可?查询|公开|使用)?"
_NOBODY = "(?:不|不予|非|暂不)公[开示]"
_OPEN = re.compile(rf"0+|0*{_ALL}")
_RESTRICTED = re.compile(
    rf"0*[12]|(?:0*1)?{_GOVERNMENT}|(?:0*2)?{_AUTHORISED}|(?:0*[12])?{_NOBODY}"
)
_WHOLE_NUMBER = re.compile(r"(\d+)\.0+", re.ASCII)


@lru_cache(maxsize=256)
def is_restricted(word: str) -> bool | None:
    """Whether a word keeps a decision from public and banks; None if it cannot be understood.

    It is the word as flags are compared, such as 1, 1=仅政府部门内部共享 or 授权查询.
    """
    number = _WHOLE_NUMBER.fullmatch(word)
    letters = number[1] if number else "".join(filter(str.isalnum, word))
    if _RESTRICTED.fullmatch(letters):
        return True
    return False if _OPEN.fullmatch(letters) else None
