"""zen-engine on the same tariff and companies, one call for each company, both with trace.

The decision is made from the rule set itself, compiled once and held by the loader of the engine:
the fastest way to call it from Python. It has two forms: a decision table, whose trace names the
matched row, and one expression of nested conditions, which is faster and whose trace does not.
"""

import time
from collections.abc import Callable, Iterable
from datetime import date
from itertools import pairwise
from typing import Any

import orjson
import zen

from gateway.config.settings import ScoringSettings
from gateway.rules.rulebook import Rulebook
from schemas.codes import OTHER_PENALTY_PREFIX, SubjectKind
from scoring.engine.assess import assess
from scoring.facts import Facts
from scoring.regulation.intervals import Interval
from scoring.regulation.table import Table
from scoring.regulation.terms import TariffItem
from tests.benchmarks.assess import company

COMPANIES, ROUNDS = 5_000, 5
DAY = date(2026, 10, 31)


def compare() -> dict[str, Any]:
    """Measure assessments per second of both in turns; the best round of each counts."""
    rules = Rulebook(ScoringSettings()).load("nm-2023-draft").rule_set
    table = rules.table(SubjectKind.ENTERPRISE)
    if table is None:
        raise SystemExit("no table")
    companies = [company(number) for number in range(COMPANIES)]
    given = [_context(one) for one in companies]
    by_table, by_expression = _engine(_table_nodes(table)), _engine(_expression_nodes(table))
    _check(companies, given, lambda one: assess(one, rules, DAY), (by_table, by_expression))
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        _time(best, "assess_per_s", lambda one: assess(one, rules, DAY), companies)
        _time(best, "zen_per_s", by_table, given)
        _time(best, "zen_expression_per_s", by_expression, given)
    found = {name: round(rate, 1) for name, rate in best.items()}
    return found | {
        "assess_ratio": round(best["assess_per_s"] / best["zen_per_s"], 2),
        "assess_expression_ratio": round(best["assess_per_s"] / best["zen_expression_per_s"], 2),
    }


def _time(
    best: dict[str, float], name: str, work: Callable[[Any], object], given: Iterable[Any]
) -> None:
    start = time.process_time()
    for one in given:
        work(one)
    rate = COMPANIES / (time.process_time() - start)
    best[name] = max(best.get(name, 0.0), rate)


def _check(
    companies: list[Facts],
    given: list[dict[str, Any]],
    ours: Callable[[Facts], Any],
    theirs: Iterable[Callable[[Any], Any]],
) -> None:
    """Refuse to measure engines with different results."""
    for one, context in zip(companies, given, strict=True):
        expected = ours(one)
        for engine in theirs:
            result = engine(context)["result"]
            if (float(expected.score), expected.grade) != (result["score"], result["grade"]):
                raise SystemExit(f"{one.id}: {expected.score} here, {result['score']} in zen")


def _context(company: Facts) -> dict[str, Any]:
    facts = [
        {
            "id": fact.id,
            "item": fact.item,
            "type": fact.type.value if fact.type else None,
            "types": list(fact.penalty.types) if fact.penalty else [],
            "fine_wan": float(fact.penalty.fine_wan)
            if fact.penalty and fact.penalty.fine_wan is not None
            else None,
        }
        for fact in company.facts
    ]
    return {"id": company.id, "facts": facts}


def _engine(nodes: list[dict[str, Any]]) -> Callable[[Any], Any]:
    names = ["in", *(node["id"] for node in nodes), "out"]
    whole = [{"id": "in", "type": "inputNode", "name": "in"}, *nodes,
             {"id": "out", "type": "outputNode", "name": "out"}]  # fmt: skip
    edges = [
        {"id": f"{one}-{other}", "type": "edge", "sourceId": one, "targetId": other}
        for one, other in pairwise(names)
    ]
    content = zen.ZenDecisionContent(orjson.dumps({"nodes": whole, "edges": edges}).decode())
    engine = zen.ZenEngine({"loader": lambda _: content})
    return lambda context: engine.evaluate("tariff", context, {"trace": True})


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _words(item: TariffItem) -> list[str]:
    others = [f"{OTHER_PENALTY_PREFIX}{word}" for word in item.match.other_words]
    return [*item.match.penalties, *others]


def _within(range_: Interval | None, value: str) -> str:
    ends = () if range_ is None else (
        (">=", range_.at_least), (">", range_.above), ("<=", range_.at_most), ("<", range_.below)
    )  # fmt: skip
    return " and ".join(f"{value} {sign} {end}" for sign, end in ends if end is not None)


# ---------------------------------------------------------------- a decision table


def _table_nodes(table: Table) -> list[dict[str, Any]]:
    rules = [row for item in table.items for row in _table_rows(item)]
    columns = {"i": "item", "t": "type", "w": "types", "f": "fine_wan"}
    content = {
        "hitPolicy": "collect",
        "inputs": [{"id": id_, "name": name, "field": name} for id_, name in columns.items()],
        "outputs": [{"id": name, "name": name, "field": name} for name in ("item", "points")],
        "rules": [{"_id": f"r{number}", **row} for number, row in enumerate(rules)],
        "passThrough": True,
        "inputField": "facts",
        "outputPath": "rows",
        "executionMode": "loop",
    }
    node = {"id": "table", "type": "decisionTableNode", "name": "tariff", "content": content}
    total = f"{table.start} + sum(map(flatten(rows), #.points))"
    return [node, _expressions({"score": total, "grade": _grade(table), "deductions": "rows"})]


def _table_rows(item: TariffItem) -> Iterable[dict[str, str]]:
    """Yield the rows by which a fact matches: item, event type, or word within the amount."""
    row = dict.fromkeys("itwf", "") | {"item": _quoted(item.id), "points": str(item.points)}
    yield row | {"i": _quoted(item.id)}
    if item.match.events:
        yield row | {"t": ", ".join(_quoted(event.value) for event in item.match.events)}
    if _words(item):
        listed = ", ".join(map(_quoted, _words(item)))
        yield row | {"w": f"some($, # in [{listed}])", "f": _within(item.match.amount, "$")}


def _expressions(expressions: dict[str, str]) -> dict[str, Any]:
    listed = [{"id": key, "key": key, "value": value} for key, value in expressions.items()]
    content = {"expressions": listed, "passThrough": False, "inputField": None,
               "outputPath": None, "executionMode": "single"}  # fmt: skip
    return {"id": "sum", "type": "expressionNode", "name": "sum", "content": content}


def _grade(table: Table) -> str:
    found = _quoted(table.bands[-1].grade)
    for band in reversed(table.bands[:-1]):
        found = f"$.score >= {band.at_least} ? {_quoted(band.grade)} : ({found})"
    return found


# ---------------------------------------------------------------- one expression


def _expression_nodes(table: Table) -> list[dict[str, Any]]:
    by_item = [(item.id, _row(item)) for item in table.items]
    by_event = [(event.value, _row(item)) for item in table.items for event in item.match.events]
    words: dict[str, list[TariffItem]] = {}
    for item in table.items:
        for word in _words(item):
            words.setdefault(word, []).append(item)
    by_word = [(word, _by_amount(items)) for word, items in words.items()]
    rows = (
        f"flatten(map(facts as f, f.item != null ? [{_chain('f.item', by_item)}] : "
        f"f.type != null ? [{_chain('f.type', by_event)}] : "
        f"map(f.types as w, {_chain('w', by_word)})))"
    )
    score = f"{table.start} + sum(map($.rows, #.points))"
    return [_expressions({"rows": rows, "score": score, "grade": _grade(table)})]


def _row(item: TariffItem) -> str:
    return f"{{item: {_quoted(item.id)}, points: {item.points}}}"


def _by_amount(items: list[TariffItem]) -> str:
    if items[0].match.amount is None:
        return _row(items[0])
    found = "null"
    for item in reversed(items):
        found = f"({_within(item.match.amount, 'f.fine_wan')}) ? {_row(item)} : ({found})"
    return found


def _chain(value: str, cases: list[tuple[str, str]]) -> str:
    found = "null"
    for name, result in reversed(cases):
        found = f"{value} == {_quoted(name)} ? ({result}) : ({found})"
    return found
