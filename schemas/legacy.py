"""The 2016–17 column names 旧版字段, read on input and written as 2018 ones (ARCHITECTURE.md)."""

import re
from collections.abc import Container, Mapping
from typing import Any

from schemas.cell import conflict, is_empty, say_the_same
from schemas.codes import RecordKind
from schemas.identifiers import fold_once

#: old column → 2018 column; if a row has both, they must say the same, but for `OWN_BESIDE`.
PENALTY_COLUMNS = {
    "CF_XDR": "CF_XDR_MC",
    "CF_XDR_ZDM": "CF_XDR_ZZJG",
    "CF_XDR_GSDJ": "CF_XDR_GSZC",
    "CF_XDR_SFZ": "CF_XDR_ZJHM",
    "CF_SFZ": "CF_XDR_ZJHM",
    "CF_FR": "CF_FRDB",
    "CF_FDDB": "CF_FRDB",
    "CF_FR_SFZH": "CF_FR_ZJHM",
    "CF_JG": "CF_NR",
    "CF_JZQ": "CF_YXQ",
    "CF_XZJG": "CF_CFJG",
    "CF_XKJG": "CF_CFJG",
    "CF_AJMC": "BZ",
    "CF_CFMC": "BZ",
}
LICENCE_COLUMNS = {
    "XK_XDR": "XK_XDR_MC",
    "XK_XDR_ZDM": "XK_XDR_ZZJG",
    "XK_XDR_GSDJ": "XK_XDR_GSZC",
    "XK_XDR_SFZ": "XK_XDR_ZJHM",
    "XK_FR": "XK_FRDB",
    "XK_FDDB": "XK_FRDB",
    "XK_FR_SFZH": "XK_FR_ZJHM",
    "XK_XMMC": "XK_XKWS",
    "XK_SPLB": "XK_XKLB",
    "XK_JZQ": "XK_YXQZI",
    "XK_XZJG": "XK_XKJG",
}
#: Two old columns of penalty kinds became one list in 2018.
PENALTY_KIND_PARTS = ("CF_CFLB1", "CF_CFLB2")
#: 当前状态 of the old penalty layout: 0 正常, 1 撤销, 2 异议, 3 其他. With 1 the row withdraws its
#: decision. An objection stays in the row, as its mark, and so does what is not understood, for
#: check to refuse.
PENALTY_STATE = "CF_ZT"
_WITHDRAWN = frozenset({"1", "撤销", "已撤销", "撤回", "已撤回"})
_OBJECTED = frozenset({"2", "异议"})
_IN_FORCE = frozenset({"", "0", "正常", "有效"}) | _OBJECTED

_TABLES: Mapping[RecordKind, Mapping[str, str]] = {
    RecordKind.PENALTY: PENALTY_COLUMNS,
    RecordKind.LICENCE: LICENCE_COLUMNS,
}
#: Old columns that mean nothing here 地方编码、数据更新时间戳: they stay with the record.
_LOCAL = ("DFBM", "SJC")
#: All columns of the old layout, for those who look for them in a header.
OLD_COLUMNS: Mapping[RecordKind, frozenset[str]] = {
    RecordKind.PENALTY: frozenset({*PENALTY_COLUMNS, *PENALTY_KIND_PARTS, PENALTY_STATE, *_LOCAL}),
    RecordKind.LICENCE: frozenset({*LICENCE_COLUMNS, *_LOCAL}),
}
_LOCAL_TITLES = {"地方编码": "DFBM", "数据更新时间戳": "SJC"}
#: Chinese names in templates of 2016–17 → old column, or the 2018 column that took its place.
OLD_TITLES: Mapping[RecordKind, Mapping[str, str]] = {
    RecordKind.PENALTY: {
        "处罚名称": "CF_CFMC",
        "案件名称": "CF_AJMC",
        "处罚类别1": "CF_CFLB1",
        "处罚类别2": "CF_CFLB2",
        "处罚事由": "CF_SY",
        "处罚结果": "CF_JG",
        "行政相对人代码_2(组织机构代码)": "CF_XDR_ZDM",
        "行政相对人代码_3(工商登记码)": "CF_XDR_GSDJ",
        "行政相对人代码_5(居民身份证号)": "CF_XDR_SFZ",
        "法定代表人姓名": "CF_FRDB",
        "处罚截止期": "CF_JZQ",
        "当前状态": PENALTY_STATE,
        **_LOCAL_TITLES,
    },
    RecordKind.LICENCE: {
        "项目名称": "XK_XMMC",
        "审批类别": "XK_SPLB",
        "行政相对人代码_2(组织机构代码)": "XK_XDR_ZDM",
        "行政相对人代码_3(工商登记码)": "XK_XDR_GSDJ",
        "行政相对人代码_5(居民身份证号)": "XK_XDR_SFZ",
        "法定代表人姓名": "XK_FRDB",
        "许可截止期": "XK_JZQ",
        **_LOCAL_TITLES,
    },
}
_MARKERS = {
    kind: frozenset(table) | frozenset(PENALTY_KIND_PARTS) | {PENALTY_STATE}
    for kind, table in _TABLES.items()
}
#: Old columns that bureaus also have as columns of their own: beside a filled column of 2018 they
#: say something else, and stay with the record as such.
OWN_BESIDE = frozenset({"CF_AJMC", "CF_CFMC", "CF_JG", "XK_XMMC", "XK_SPLB"})
#: The values of 当前状态 were different in the old licence layout: 0 正常 is now 1 有效.
LICENCE_STATE = "XK_ZT"
_LICENCE_STATES = {"0": "1", "1": "2", "2": "异议", "3": "其他"}
#: Columns that only the layout of 2018 has: a row with one of them is not of the old layout, though
#: a bureau has added columns such as 项目名称.
_ONLY_2018 = frozenset({"XK_XDR_LB", "XK_XKJGDM", "XK_LYDW", "XK_LYDWDM", "XK_YXQZ", "XK_YXQZI"})
#: Words for it, in both layouts.
_LICENCE_WORDS = {"有效": "1", "正常": "1"} | dict.fromkeys(
    ("无效", "失效", "撤销", "已撤销", "撤回", "吊销", "注销"), "2"
)


def to_2018(
    kind: RecordKind, row: Mapping[str, Any], empty: Container[object] = frozenset()
) -> Mapping[str, Any]:
    """Return the row with 2018 names; the same object if it has no old column.

    `empty` are the words that stand for an empty cell.
    """
    word = _licence_word(row.get(LICENCE_STATE)) if kind is RecordKind.LICENCE else None
    if word is not None:
        row = {**row, LICENCE_STATE: word}
    if kind not in _MARKERS or _MARKERS[kind].isdisjoint(row):
        return row
    new = _renamed(row, _TABLES[kind], empty)
    _join_kinds(new, empty)
    if kind is RecordKind.PENALTY and PENALTY_STATE in new:
        _read_state(new)
    if kind is RecordKind.LICENCE and word is None and new.get(LICENCE_STATE) and _is_old(row):
        new[LICENCE_STATE] = _LICENCE_STATES.get(_state(new[LICENCE_STATE]), new[LICENCE_STATE])
    return new


def _join_kinds(row: dict[str, Any], empty: Container[object]) -> None:
    """Put both old columns of penalty kinds into the new one; if it is filled, they must be in it.

    A part that is no text is kept, for check to refuse.
    """
    given = {name: row.pop(name) for name in PENALTY_KIND_PARTS if name in row}
    parts = {name: part for name, part in given.items() if not is_empty(part, empty)}
    kept = row.get("CF_CFLB")
    if not parts:
        return
    if is_empty(kept, empty):
        odd = next((part for part in parts.values() if not isinstance(part, str)), None)
        row["CF_CFLB"] = "、".join(map(str, parts.values())) if odd is None else odd
    elif any(str(part) not in str(kept) for part in parts.values()):
        row["CF_CFLB"] = conflict({"CF_CFLB": kept, **parts})


def _is_old(row: Mapping[str, Any]) -> bool:
    """Whether a licence is of the old layout, whose codes of 当前状态 are others."""
    return not any(row.get(name) not in (None, "") for name in _ONLY_2018)


def _renamed(
    row: Mapping[str, Any], table: Mapping[str, str], empty: Container[object]
) -> dict[str, Any]:
    new = {name: value for name, value in row.items() if name not in table}
    for old, current in table.items():
        given, kept = row.get(old), new.get(current)
        if is_empty(given, empty):
            continue
        if is_empty(kept, empty):
            new[current] = given
        elif say_the_same(given, kept):
            continue
        elif old in OWN_BESIDE:
            new[old] = given
        else:
            new[current] = conflict({current: kept, old: given})
    return new


def new_names(kind: RecordKind) -> Mapping[str, str]:
    """Return the old columns of a kind with the columns of 2018 that took their places."""
    return _TABLES.get(kind, {})


def own_beside(kind: RecordKind, names: Container[str]) -> list[tuple[str, str | None, str]]:
    """Return the old columns among these that the sender uses for something else.

    Each comes as (its title, the title of the old column beside it, the column of 2018 of both).
    The second is None where the column of 2018 itself stands beside it. Of two old columns with one
    meaning, the second is the sender's own.
    """
    table, found = new_names(kind), []
    titles = {old: title for title, old in OLD_TITLES.get(kind, {}).items()}
    taken: dict[str, str | None] = {new: None for new in table.values() if new in names}
    for old, current in table.items():
        if old in OWN_BESIDE and old in names:
            if current in taken:
                found.append((titles[old], taken[current], current))
            taken.setdefault(current, titles[old])
    return found


def _licence_word(state: object) -> str | None:
    """Return the code of a state that is written as a word; None if it is none."""
    return _LICENCE_WORDS.get(_state(state)) if isinstance(state, str) else None


def _read_state(row: dict[str, Any]) -> None:
    """Turn 当前状态 of an old penalty into the verb that it means, whatever verb is beside it."""
    state = row[PENALTY_STATE]
    revoked = is_revoked(state)
    if revoked:
        row["verb"] = "withdraw"
    if revoked is not None and not is_objected(state):
        del row[PENALTY_STATE]


def is_revoked(state: object) -> bool | None:
    """Whether 当前状态 of an old penalty says that its decision is revoked; None if unclear."""
    word = _state(state)
    if word in _WITHDRAWN:
        return True
    return False if word in _IN_FORCE else None


def is_objected(state: object) -> bool:
    """Whether 当前状态 of an old penalty says that somebody objected 异议: it stays in force."""
    return _state(state) in _OBJECTED


_WHOLE_NUMBER = re.compile(r"0*(\d)(\.0+)?", re.ASCII)


def _state(value: object) -> str:
    """Return a state as it is compared: spreadsheets have 1 also as 1.0 or 01."""
    if value is None or isinstance(value, bool):
        return "1" if value else ""
    text = fold_once(str(value)[:64])
    number = _WHOLE_NUMBER.fullmatch(text)
    return number[1] if number else text
