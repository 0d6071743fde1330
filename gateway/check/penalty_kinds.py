"""Split the penalty kinds 处罚类别 of a cell, as people write them (pure)."""

import re
from functools import lru_cache

from schemas.codes import OTHER_PENALTY_PREFIX, PENALTY_KINDS
from schemas.identifiers import half_width, visible

#: 其他- before a free kind, with any of the dashes that people type, and blanks around it.
_FREE_KIND = re.compile(r"(?:^|(?<=\s))其[他它]\s*[-－‐‑‒–—―−─ー﹣:：]+\s*")
#: A comma between the digits of an amount, as in 20,000元, separates nothing.
_SEPARATORS = re.compile(r"(?:[、;；/|\r\n\t]|[,，](?!(?<=\d[,，])\d{3}(?!\d)))+")
#: A number before a kind, as in 1.罚款；2、警告.
_NUMBERED = re.compile(
    r"(?:^|(?<=[、,，;；/|\s]))(?:[(（]?\d{1,2}[)）、.．]|[①-⑳])\s*(?=[\u4e00-\u9fff])"
)
#: What joins two kinds in one word; no kind has it within.
_JOINTS = re.compile("[+&]|并处以?|以及|[和及与并]")
#: What joins a kind to the words of a free one.
_BEHIND_A_FREE_KIND = re.compile(rf"([＋＆。．.]|{_JOINTS.pattern})")
#: A free kind that says of a penalty that there is none, as in 其他-免予警告和罚款.
_NONE = re.compile("不予|不再|免[予于除]|减免|撤销|取消|暂缓|延期|分期")
#: An amount behind a kind, as in 罚款（2万元）.
_AMOUNT = re.compile(
    r"(?<=款)(?:人民币)?(?:\((?:人民币)?[^()]*[元万]整?\)|[\d.,]+(?:[十百千]?[万亿]元?|[十百千]?元)整?)$"
)


@lru_cache(maxsize=4096)
def split_kinds(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the penalty kinds of a value in their order, each once, whatever the separator."""
    seen = (_NUMBERED.sub("", visible(text).strip()) for text in texts)
    parts = [part for text in seen for part in _SEPARATORS.split(text)]
    words = [word for part in parts for word in _kinds_in(part)]
    return tuple(dict.fromkeys(words))


@lru_cache(maxsize=4096)
def kinds_with_amounts(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the kinds of a value that have an amount behind them, as they stand, in one width."""
    parts = [part for text in texts for part in _SEPARATORS.split(visible(text))]
    words = [half_width(word).rstrip("。.;!") for part in parts for word in part.split()]
    pieces = [one for word in words for one in _JOINTS.split(word) if one]
    return tuple(one for one in pieces if _AMOUNT.search(one))


def is_penalty_kind(word: str) -> bool:
    """Whether a word is a kind of penalty 行政处罚种类, or one of the free ones 其他-…."""
    return word in PENALTY_KINDS or word.startswith(OTHER_PENALTY_PREFIX)


def _kinds_in(part: str) -> list[str]:
    """Return the kinds between two separators; blanks within one, as in 罚 款, mean nothing."""
    whole = "".join(part.split())
    if whole in PENALTY_KINDS:
        return [whole]
    free = _FREE_KIND.sub(OTHER_PENALTY_PREFIX, part)
    found = []
    for word in free.split():
        one = f"其他{word[2:]}" if word.startswith("其它") else word
        if one.startswith(OTHER_PENALTY_PREFIX):
            found += _behind_free(one)
        else:
            found += [one] if one in PENALTY_KINDS else _joined(one)
    return found


def _behind_free(word: str) -> list[str]:
    """Return a free kind and the kinds joined to it, as in 其他-责令改正并处罚款.

    What it joins without a kind, as 警告和教育, is its own words.
    """
    own, *rest = _BEHIND_A_FREE_KIND.split(word)
    if _NONE.search(word):
        return [word]
    kinds = []
    for joint, piece in zip(rest[::2], rest[1::2], strict=True):
        kind = _AMOUNT.sub("", half_width(piece).rstrip(";!"))
        if kind in PENALTY_KINDS:
            kinds.append(kind)
        else:
            own += joint + piece
    return [own.rstrip("。．.") if kinds else word, *kinds]


def _joined(word: str) -> list[str]:
    """Return the kinds that one word joins, such as 罚款和警告; the word itself if it does not."""
    pieces = [
        _AMOUNT.sub("", one) for one in _JOINTS.split(half_width(word).rstrip("。.;!")) if one
    ]
    return pieces if pieces and PENALTY_KINDS.issuperset(pieces) else [word]
