"""Rehearsals 演练: answers of a platform by name, each made of faults (`faults.py`).

One is ordered for the calls of a place by `control/rehearsal`, or chosen by the data: a document
number that ends in a mark, such as 样环罚字〔2026〕1号-演练-退回, selects the answer to its own
row, or to the calls that carry it. `deploy/REHEARSALS.md` says what a gateway makes of each.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from schemas.identifiers import document_number_key

#: What answers a call that hands rows over.
Interface = Literal["json", "soap", "bank", "files", "database", "mail", "kafka"]
#: In the text of a document number, whatever its width and its dashes.
SIGN = "演练"
_MARK = re.compile(rf"-{SIGN}-(.+)")
#: How much later a verdict comes that does not come at once.
LATER = timedelta(seconds=30)
#: Every document number, in the faults that are by number.
EVERY = "*"
_REASON = "沙箱演练：未查询到主体或查询到的主体信息不匹配"
#: The broker takes what is sent to a platform on a topic: only its receipts can be odd.
_KAFKA: frozenset[Interface] = frozenset({"kafka"})
_PLATFORMS: frozenset[Interface] = frozenset({"json", "soap", "files", "kafka"})
_HTTP: frozenset[Interface] = frozenset({"json", "soap", "bank"})
_ANYWHERE = (_PLATFORMS | _HTTP) - _KAFKA
#: What those can do that answer otherwise than in the text of an answer.
_OTHERS: Mapping[Interface, frozenset[str]] = {
    "database": frozenset(
        {"accept", "accept_later", "reject", "reject_later", "silent"}
        | {"slow", "drop_after_store", "duplicate_answer", "down"}
    ),
    "mail": frozenset({"accept", "reject", "slow", "drop_after_store", "5xx", "429", "down"}),
}


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One answer by name."""

    name: str
    #: The word of its mark 演练词.
    word: str
    #: What the sandbox does, in Chinese.
    does: str
    faults: Mapping[str, Any]
    #: The interfaces that can do it.
    at: frozenset[Interface]
    #: It is the answer about one row; else about the whole call, also to the rows beside it.
    of_row: bool = False
    #: Chosen by the data: how many calls with the row it answers.
    calls: int = 1

    @property
    def everywhere(self) -> bool:
        """Whether it answers every call of a place, and not only those that hand something over."""
        return "down" in self.faults


def _row(name: str, word: str, does: str, **faults: Any) -> Rehearsal:
    only = {"mode": "accept", "reject_now": {}, "reject_later": {}}
    return Rehearsal(name, word, does, only | faults, _PLATFORMS, of_row=True)


def _call(
    name: str,
    word: str,
    does: str,
    at: frozenset[Interface] = _ANYWHERE,
    calls: int = 1,
    **faults: Any,
) -> Rehearsal:
    return Rehearsal(name, word, does, faults, at, calls=calls)


_DOWN: dict[str, Any] = {"down": "503", "down_calls": None, "down_until": None}
_SOON = f"{LATER.seconds}秒后"
REHEARSALS: dict[str, Rehearsal] = {
    one.name: replace(one, at=one.at | {each for each, can in _OTHERS.items() if one.name in can})
    for one in (
        _row("accept", "入库", "存入，当场入库", mode="accept"),
        _row(
            "accept_later",
            "稍后入库",
            f"存入，{_SOON}以回执入库",
            mode="submit",
            receipt_after=LATER,
        ),
        _row("reject", "退回", "不存，当场退回并说明原因", reject_now={EVERY: [_REASON]}),
        _row(
            "reject_later",
            "事后退回",
            f"存入，{_SOON}以回执退回",
            mode="submit",
            reject_later={EVERY: [_REASON]},
            reject_after=LATER,
        ),
        _row("silent", "无回执", "存入，从此没有回执，也不公示", mode="silent"),
        _call("slow", "慢", "存入，5秒后才应答", slow=5),
        _call("drop_after_store", "断线", "存入，不应答就断开连接", drop_answers=1),
        _call("5xx", "出错", "存入，却应答500", _HTTP, fail_answers=1),
        _call(
            "429",
            "限流",
            f"不存，应答429，Retry-After {LATER.seconds}秒",
            _HTTP,
            refuse_calls=1,
            refuse_status=429,
            retry_after=LATER.seconds,
        ),
        _call("wrong_count", "数目不符", "存入，应答的条数对不上", _PLATFORMS, wrong_counts=1),
        _call("duplicate_answer", "重复应答", "存入，应答里每行两次", _PLATFORMS, answer="twice"),
        _call("down", "停机", "不存，应答503；按文书号选的，停三次", calls=3, **_DOWN),
        _call("garbage", "乱码", "存入，应答是读不懂的字节", _ANYWHERE | _KAFKA, odd="garbage"),
        _call("html_200", "网页", "存入，以200应答一张网页（GBK）", _HTTP, odd="page"),
        _call(
            "wrong_encoding",
            "错编码",
            "存入，应答声明UTF-8，实际是GBK",
            _PLATFORMS,
            odd="wrong-encoding",
        ),
    )
}
_BY_WORD = {one.word: one for one in REHEARSALS.values()} | {
    name.upper(): one for name, one in REHEARSALS.items()
}


def mark_in(document: str) -> str | None:
    """Return the word of the mark at the end of a document number; None if it has none."""
    if SIGN not in document:  # the way of most
        return None
    found = _MARK.search(document_number_key(document))
    return None if found is None else found[1]


def chosen_by(document: str, interface: Interface) -> Rehearsal | None:
    """Return the rehearsal that a document number selects, if the interface can do it."""
    found = _BY_WORD.get(mark_in(document) or "")
    return found if found is not None and interface in found.at else None


def unknown_mark(document: str, interface: Interface) -> str | None:
    """Return in Chinese why the mark of a document number selects nothing; None if it does."""
    word = mark_in(document)
    if word is None or chosen_by(document, interface) is not None:
        return None
    return f"文书号末尾的演练词“{word}”这里没有：{words_of(interface)}"


def words_of(interface: Interface) -> str:
    """Return in Chinese which marks an interface knows."""
    known = "、".join(one.word for one in REHEARSALS.values() if interface in one.at)
    return f"可用 {known}，如 样环罚字〔2026〕1号-{SIGN}-退回"
