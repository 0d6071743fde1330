"""Decisions that are not reported 不予报送: the flags of a row, in every spelling (pure)."""

import json
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from gateway.check import use_scope
from gateway.check.values import fault_in, told
from schemas.column_names import name_key
from schemas.identifiers import fold_once
from schemas.problem import Problem, Rule
from schemas.verdict import Exclusion, Scope

#: Words for yes and no in a column that excludes a decision from reporting.
_YES = frozenset({"1", "1.0", "true", "t", "yes", "y", "on", "是", "有", "真", "对", "√"}) | {
    "涉密",
    "绝密",
    "机密",
    "秘密",
}
_NO = frozenset({"", "0", "0.0", "false", "f", "no", "n", "off", "none", "null", "-", "x", "×"}) | {
    "否",
    "无",
    "不是",
    "没有",
    "假",
    "不涉密",
    "非涉密",
    "公开",
    "非密",
}
#: Names that people give to the column of secrets, beside the configured one.
_OF_SECRETS = frozenset({"涉密", "是否涉密", "密级", "是否涉密决定", "是否属于国家秘密"})
#: The longest word that is compared.
_LONGEST_WORD = 64


class Exclusions:
    """The configured exclusions; their columns are found in every spelling."""

    def __init__(self, scope: Scope, placeholders: Collection[str] = ()) -> None:
        """Take the columns of the scope, and words that stand for an empty cell."""
        #: (reason, column, plain names of it, whether it holds for natural persons only)
        self._rules = [
            (reason, column, {_flag_name(column), *_also(reason)}, persons_only)
            for reason, (column, persons_only) in scope.rules.items()
        ]
        self._columns = frozenset(column for _, column, _, _ in self._rules)
        self._empty = {plain(word) for word in ("", *placeholders)}
        self._no = _NO | self._empty

    def decides(self, name: str) -> bool:
        """Whether a column of this name decides whether a decision is reported."""
        return any(_flag_name(name) in flags for _, _, flags, _ in self._rules)

    def of(
        self,
        row: Mapping[str, Any],
        unknown: Mapping[str, Any] | None,
        beside: Mapping[str, Any],
        body: bytes | None,
        person: bool,
    ) -> tuple[Exclusion | None, list[Problem]]:
        """Return why a decision is not reported, if so, and a problem for each unclear column.

        A column in any spelling counts, such as `State_Secret`, `stateSecret` or one behind a BOM,
        and so do the attributes of a CloudEvent that stand `beside` the row.
        What is neither yes nor no, or both, is a problem: what may be secret is not published.
        """
        if not unknown and not beside and self._columns.isdisjoint(row):
            return None, []
        found: Exclusion | None = None
        unclear: list[Problem] = []
        named = _by_flag(unknown or {}, beside)
        for reason, column, flags, persons_only in self._rules:
            pairs = [pair for flag in flags for pair in named.get(flag, ())] if named else []
            if column in row and not pairs:
                pairs = [(column, row[column])]  # it may be one of the standard
            if not pairs or (persons_only and not person):
                continue
            words = {plain(value) for value in _given(pairs, flags, body)}
            meanings = {self._meaning(reason, word) for word in words}
            if meanings == {True}:
                found = found or reason
            elif meanings != {False} and not _is_another(pairs):
                shown = pairs[0][0] if _flag_name(pairs[0][0]) in _also(reason) else column
                unclear.append(_unclear(reason, shown, pairs[0][1], words))
        return found, unclear

    def _meaning(self, reason: Exclusion, word: str) -> bool | None:
        """Whether a word excludes; None if it cannot be understood."""
        if reason is Exclusion.RESTRICTED_USE:
            return False if word in self._empty else use_scope.is_restricted(word)
        return True if word in _YES else False if word in self._no else None


def _by_flag(*rows: Mapping[str, Any]) -> dict[str, list[tuple[str, Any]]]:
    """Return the columns of rows, with their values, by the names of flags."""
    named: dict[str, list[tuple[str, Any]]] = {}
    for row in rows:
        for name, value in row.items():
            named.setdefault(_flag_name(name), []).append((name, value))
    return named


def _also(reason: Exclusion) -> frozenset[str]:
    """Return the names that people give to a column, beside the configured one."""
    if reason is Exclusion.RESTRICTED_USE:
        return use_scope.NAMES | {use_scope.SHORT_NAME}
    return _OF_SECRETS if reason is Exclusion.STATE_SECRET else frozenset()


def _is_another(pairs: Sequence[tuple[str, Any]]) -> bool:
    """Whether a column is most likely another one: 使用范围 of a licence says what it allows."""
    return {_flag_name(name) for name, _ in pairs} == {use_scope.SHORT_NAME}


def _given(
    pairs: Sequence[tuple[str, Any]], flags: Collection[str], body: bytes | None
) -> list[Any]:
    """Return all values of a flag: of two equal names in one object the parser keeps the last.

    A name may be written with escapes.
    """
    values = [value for _, value in pairs]
    if body is None:
        return values
    seen = sum(map(body.count, {name.encode() for name, _ in pairs}))
    if seen == len(pairs) and b"\\u" not in body:
        return values

    def see(found: list[tuple[str, Any]]) -> dict[str, Any]:
        values.extend(value for name, value in found if _flag_name(name) in flags)
        return dict(found)

    json.loads(body.decode("utf-8-sig"), object_pairs_hook=see)
    return values


def _unclear(reason: Exclusion, column: str, given: object, words: Collection[str]) -> Problem:
    of_use = reason is Exclusion.RESTRICTED_USE
    title = use_scope.TITLE if of_use else column
    if len(words) > 1:
        said = f"{title} 写了不止一次，而且不一致，不知道以哪个为准"
        return Problem(field=column, rule=Rule.FORMAT, message=said, fix="只留一个")
    usual = (Rule.CODE_LIST, f"看不出“{told(given)}”是“是”还是“否”", "填 是 或 否")
    if of_use:
        usual = (Rule.CODE_LIST, f"看不出“{told(given)}”是否可以公示", use_scope.FIX)
    rule, said, fix = fault_in(given) or usual
    return Problem(field=column, rule=rule, message=f"{title}：{said}", fix=fix)


def plain(value: object) -> str:
    """Return a word as it is compared: one width, without spaces and invisible characters.

    A long text is no word; it is cut to something that equals none.
    """
    text = str("" if value is None else value)
    text = text if len(text) <= _LONGEST_WORD else f"{text[:_LONGEST_WORD]}…"
    visible = (c for c in text if unicodedata.category(c) != "Cf")
    return fold_once("".join(visible)).lower()


@lru_cache(maxsize=1024)
def _flag_name(name: str) -> str:
    """Return the name of a flag without what spellings differ in: `stateSecret`, `state.secret`.

    Marks of forms are taken off as from other names of columns: 是否涉密（必填）, 1.是否涉密.
    """
    return name_key(plain(name))
