"""Print an explanation as JSON or as text."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from gateway.score.explain import Explanation, RepairOutlook
from gateway.score.grade_change import named
from gateway.score.published import PastGrade
from gateway.titles import (
    PUBLISHED,
    RULE_SET_STATUSES,
    SEVERITIES,
    SUBJECT_KINDS,
    not_evaluated_words,
)
from schemas.base import SHANGHAI
from schemas.codes import SubjectKind
from schemas.credit import Assessment, Deduction
from schemas.identifiers import masked
from scoring.consequences.measures import Applied, Shift
from scoring.consequences.outlook import Ending
from scoring.consequences.publicity import Publicity
from scoring.facts import Fact, RegisterEntry
from scoring.regulation.ruleset import RuleSet


def as_json(found: Explanation) -> dict[str, Any]:
    """Return the explanation as one JSON object."""
    return {
        "id": found.code,
        "name": found.name,
        "kind": found.kind,
        "as_of": found.as_of,
        "register": found.register,
        "received_grade": found.received,
        "assessment": found.assessment,
        "endings": [asdict(one) for one in found.endings],
        "later": [{"on": one.as_of, "score": one.score, "grade": one.grade} for one in found.later],
        "published": [
            {
                "period_end": one.assessment.as_of,
                "published_on": one.published_on,
                "score": one.assessment.score,
                "grade": one.assessment.grade,
                "recorded": one.recorded,
                "stored_at": one.stored_at,
            }
            for one in found.published
        ],
        "listing": found.listing.model_dump() if found.listing else None,
        "repairs": [_json_repair(one) for one in found.repairs],
        "measures": [named(one) for one in found.measures],
        "penalty_notices": [named(one) for one in found.penalty_notices],
        "publicity": {
            fact: {**asdict(one), "policy": one.policy.name}
            for fact, one in found.publicity.items()
        },
        "notes": [found.rule_set.note(note).model_dump() for note in found.assessment.notes]
        if found.rule_set
        else [],
    }


def _json_repair(repair: RepairOutlook) -> dict[str, Any]:
    one = repair.what_if
    return {
        "fact": one.fact,
        "rectified_on": one.rectified_on,
        "rectification_assumed": one.assumed,
        "confirmed_on": one.confirmed_on,
        "score": one.result.score,
        "grade": one.result.grade,
        "grade_without": one.without.grade,
        "measures_begin": [named(applied) for applied in repair.moved.begin],
        "measures_end": [named(applied) for applied in repair.moved.end],
        "notices": [named(applied) for applied in repair.moved.notices],
    }


def as_lines(found: Explanation) -> Iterator[str]:
    """Yield the explanation as lines of text."""
    yield f"{found.name or '（无名称）'} {found.code} {SUBJECT_KINDS[found.kind]}"
    for entry in found.register:
        yield _entry(entry)
    if found.rule_set is None:
        yield f"{found.as_of}：没有适用的评价办法，不评价"
    else:
        status = RULE_SET_STATUSES[found.rule_set.status.value]
        yield f"依据 {found.rule_set.title}，{status}，版本 {found.rule_set.version[:12]}"
        yield f"{found.as_of}：{_result(found.assessment, found.rule_set, found.kind)}"
    if found.received is not None:
        yield f"外部评定等级 {found.received}，以外部评定为准；以下分值和修复为本系统试算"
    yield from _rows(found)
    yield from _listed("等级带来的措施", (_measure(one) for one in found.measures))
    yield from _listed("随处罚决定的告知", (_measure(one) for one in found.penalty_notices))
    if found.rule_set is not None:
        yield from _listed(
            "公布的各评价期等级（公布后不再改变，以后的修复只改变实时等级）",
            _published(found, found.rule_set),
        )
        yield from _listed("以后自行变化", _later(found, found.rule_set))
        yield from _listed("如果修复", _repairs(found, found.rule_set))
        yield from _listed("公示", _publicity(found))
        notes = [found.rule_set.note(note) for note in found.assessment.notes]
        yield from _listed(
            "理解说明", (f"{note.question}{note.reading}（{note.source}）" for note in notes)
        )


def _entry(entry: RegisterEntry) -> str:
    said = [
        entry.batch,
        f"机构类型 {'、'.join(entry.agency_kinds)}" if entry.agency_kinds else None,
        f"排污许可证 {entry.permit}" if entry.permit else None,
        f"产值占比 {entry.weight}" if entry.weight else None,
        f"分支机构，并入法人 {entry.parent}" if entry.parent else None,
        f"参评至 {entry.until}" if entry.until else None,
    ]
    return f"参评单位名录：{'，'.join(word for word in said if word) or '参评'}"


def _listed(title: str, lines: Iterator[str]) -> Iterator[str]:
    """Yield a title and its lines; nothing if there are no lines."""
    for number, line in enumerate(lines):
        if number == 0:
            yield title
        yield f"    {line}"


def _result(one: Assessment, rule_set: RuleSet, kind: SubjectKind) -> str:
    if one.not_evaluated is not None:
        return f"不评价（{not_evaluated_words(one.not_evaluated)}）"
    table = rule_set.table(kind)
    titles = {band.grade: (band.title, band.colour) for band in (table.bands if table else ())}
    title, colour = titles.get(one.grade or "", ("", None))
    shown = "，".join(part for part in (title if title != one.grade else "", colour or "") if part)
    vetoed = "，直接评定" if one.veto else ""
    return f"得分 {one.score}，等级 {one.grade}{f'（{shown}）' if shown else ''}{vetoed}"


def _rows(found: Explanation) -> Iterator[str]:
    titles = found.rule_set.titles if found.rule_set else {}
    ends = {(one.fact, one.item): one for one in found.endings}
    for row in found.assessment.deductions:
        title = titles.get(row.item, row.text)
        yield f"{_signed(row)}分 {row.item} {title}（{row.article}）"
        if row.text != title:
            yield f"    原文：{row.text}"
        yield f"    {_values(found, row)}{_ending(ends.get((row.fact, row.item)))}"
    rules = [("直接评定", one) for one in found.assessment.vetoes]
    rules += [("直接升级", one) for one in found.assessment.promotions]
    for word, one in rules:
        yield f"{word} {one.item} {titles.get(one.item, '')}（{one.article}）"
        yield f"    {_number(found, one.fact)}{_ending(ends.get((one.fact, one.item)))}"
    for unmapped in found.assessment.unmapped:
        yield f"未对应 {unmapped.type}：计0分，请人查看，{_number(found, unmapped.fact)}"


def _number(found: Explanation, fact: str) -> str:
    """Return the document number of a record, or our own id."""
    record = found.facts.get(fact)
    number = masked((record and record.document_number) or "") or f"信息 {fact}"
    return number if record is None or record.branch is None else f"{number}（{_whose(record)}）"


def _whose(record: Fact | None) -> str:
    """Return about whom a part of a decision is."""
    return "本单位" if record is None or record.branch is None else f"分支机构 {record.branch}"


def _signed(row: Deduction) -> str:
    return f"−{row.points[1:]}" if row.points.startswith("-") else f"+{row.points}"


_VALUES = {
    "document_number": "文书号或编号",
    "decided_on": "决定日期",
    "penalty": "处罚种类",
    "type": "信息种类",
    "fine_wan": "罚款（万元）",
    "principal_points": "委托单位扣分",
    "rectified_on": "整改完成",
    "repair_applied_on": "申请修复",
    "repair_confirmed_on": "确认修复",
    "warning_until": "预警至",
    "parts": "计入的部分",
}


def _values(found: Explanation, row: Deduction) -> str:
    known_first = [name for name in _VALUES if name in row.values]
    names = [*known_first, *(name for name in row.values if name not in _VALUES)]
    values = dict(row.values)
    if "parts" in values:
        values["parts"] = "、".join(
            _whose(found.facts.get(id_)) for id_ in row.values["parts"].split("、")
        )
    return "，".join(f"{_VALUES.get(name, name)} {values[name]}" for name in names)


def _ending(ending: Ending | None) -> str:
    if ending is None or ending.ends_on is None:
        return "；不会自行结束"
    return f"；{ending.ends_on} 起不再计"


def _measure(applied: Applied) -> str:
    measure = applied.measure
    tell = f"，告知{'、'.join(measure.tell)}" if measure.tell else ""
    doubt = "" if measure.verified else "，未核实"
    note = f"。{measure.note}" if measure.note else ""
    return f"{measure.title}（{applied.source}{doubt}）{tell}{note}"


def _published(found: Explanation, rule_set: RuleSet) -> Iterator[str]:
    for one in found.published:
        known = _whence(one)
        end = one.assessment.as_of
        yield f"截至 {end} 的评价期（{one.published_on} 公布{known}）：" + _result(
            one.assessment, rule_set, found.kind
        )
    if found.listing is not None:
        yield f"列入{found.listing.title}（{found.listing.article}）"


def _whence(one: PastGrade) -> str:
    """Return where a published grade comes from."""
    if one.stored_at is not None:
        return f"，{one.stored_at.astimezone(SHANGHAI):%Y-%m-%d} 存档"
    if one.recorded:
        return "，没有存档，按公布日已知的信息推算"
    return "，当时本系统没有该单位的信息，按后来补录的推算"


def _later(found: Explanation, rule_set: RuleSet) -> Iterator[str]:
    for one in found.later:
        yield f"{one.as_of} {_result(one, rule_set, found.kind)}"


def _repairs(found: Explanation, rule_set: RuleSet) -> Iterator[str]:
    for repair in found.repairs:
        one = repair.what_if
        rectified = f"假定 {one.rectified_on} 整改" if one.assumed else f"{one.rectified_on} 已整改"
        yield (
            f"{_number(found, one.fact)}：{rectified}，最早 {one.confirmed_on} 确认修复，"
            f"{_result(one.result, rule_set, found.kind)}"
        )
        yield from _moved(repair.moved)


def _moved(moved: Shift) -> Iterator[str]:
    for word, applied in (("开始", moved.begin), ("结束", moved.end), ("须", moved.notices)):
        for one in applied:
            yield f"    {word} {_measure(one)}"


def _publicity(found: Explanation) -> Iterator[str]:
    for fact, one in found.publicity.items():
        if fact in found.ended:
            yield f"{_number(found, fact)}：已凭信用修复决定终止公示（{found.ended[fact]} 收到）"
            continue
        doubt = "" if one.verified else "，未核实"
        basis = f"{SEVERITIES[one.severity]}，{one.policy.title}{doubt}"
        yield f"{_number(found, fact)}：{PUBLISHED[one.published]}{_period(one)}（{basis}）"


def _period(one: Publicity) -> str:
    if one.begins is None:
        return ""
    return f"，{one.begins} 起，{one.at_least_until} 前不得撤下，{one.at_most_until} 起不再公示"
