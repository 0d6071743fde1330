"""Random populations for any rule set: what it names, what it does not, and every edge of it."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.codes import PENALTY_KINDS, EventType, SubjectKind
from scoring.facts import Fact, Facts, Penalty, Received, Site
from scoring.regulation.ruleset import RuleSet

FIRST_DAY, DAYS = date(2026, 1, 1), 500
CENT = Decimal("0.000001")
days = st.integers(0, DAYS).map(lambda offset: FIRST_DAY + timedelta(offset))
far_days = st.sampled_from([date.min, date(2024, 2, 29), date(9999, 12, 31), date(9999, 11, 30)])
any_days = st.one_of(days, days, days, days, days, days, far_days)


def fines(rule_set: RuleSet) -> st.SearchStrategy[Decimal | None]:
    """Amounts on, just before and just after every end that the rule set names; some others."""
    amounts = [row.match.amount for table in rule_set.tables.values() for row in table.rows]
    ends = {place[0] for one in amounts if one for place in (one.lower, one.upper) if place}
    edges = [end + step for end in sorted(ends) for step in (-CENT, Decimal(0), CENT)]
    others = st.decimals(0, 100, places=2) | st.none()
    return st.sampled_from(edges) | others if edges else others


def words(rule_set: RuleSet) -> st.SearchStrategy[str]:
    """Penalty words that the rule set knows, that it does not, and free ones."""
    rows = [row for table in rule_set.tables.values() for row in table.rows]
    free = {f"其他-{word}" for row in rows for word in row.match.other_words}
    known = {word for row in rows for word in row.match.penalties}
    return st.sampled_from(sorted({*known, *free, *PENALTY_KINDS, "责令改正", "其他-说\x1f明"}))


def items(rule_set: RuleSet, kind: SubjectKind) -> st.SearchStrategy[str]:
    """Items of the kind's own table mostly, now and then of another or of none."""
    table = rule_set.table(kind)
    own = [row.id for row in table.rows] if table else []
    all_ = [row.id for one in rule_set.tables.values() for row in one.rows]
    strange = st.sampled_from([*all_, "没有这一项"])
    return st.one_of(*[st.sampled_from(own)] * 8, strange) if own else strange


def codes(rule_set: RuleSet) -> st.SearchStrategy[tuple[str, ...]]:
    """Codes that the rule set knows, and others."""
    rows = [row for table in rule_set.tables.values() for row in table.rows]
    known = sorted({code for row in rows for code in row.match.codes})
    return st.lists(st.sampled_from([*known, "没有的代码"]), max_size=2).map(tuple)


def grades(rule_set: RuleSet) -> st.SearchStrategy[Received]:
    """Grades computed elsewhere, of the rule set mostly."""
    names = sorted({band.grade for table in rule_set.tables.values() for band in table.bands})
    score = st.none() | st.decimals(-5, 120, places=2)
    return st.builds(Received, st.sampled_from([*names, "没有的等级"]), st.just("样例省厅"), score)


def seldom(strategy: st.SearchStrategy[Any], times: int = 12) -> st.SearchStrategy[Any]:
    """None mostly."""
    return st.one_of(*[st.none()] * times, strategy)


@st.composite
def facts(draw: st.DrawFn, rule_set: RuleSet, kind: SubjectKind) -> Fact:
    """One fact, dated and repaired in any way."""
    what = draw(st.sampled_from(["item", "item", "type", "penalty", "penalty", "both", "code"]))
    penalty = None
    if what in {"penalty", "both"}:
        types = draw(st.lists(words(rule_set), max_size=3))
        penalty = Penalty(tuple(types), draw(fines(rule_set)))
    maybe = st.none() | st.none() | any_days
    amounts = st.decimals(0, 60, places=2)
    return Fact(
        id="f",
        decided_on=draw(any_days),
        item=draw(items(rule_set, kind)) if what in {"item", "both"} else None,
        type=draw(st.sampled_from(EventType)) if what == "type" else None,
        penalty=penalty,
        rectified_on=draw(maybe),
        repair_applied_on=draw(maybe),
        repair_confirmed_on=draw(maybe),
        warning_until=draw(maybe),
        principal_points=draw(st.one_of(st.none(), *[amounts] * 8, st.just(Decimal(10**11)))),
        document_number=draw(st.none() | st.just("样环罚〔2026〕1号")),
        created_on=draw(maybe),
        codes=draw(codes(rule_set)) if what != "code" else ("没有的代码",),
        department=draw(st.sampled_from([None, "一局", "二局"])),
        stated_points=draw(st.one_of(st.none(), *[amounts] * 8, st.just(Decimal("100.5")))),
        site=draw(seldom(st.just("p1"))),
        received=draw(seldom(grades(rule_set), 24)),
    )


@st.composite
def subjects(draw: st.DrawFn, rule_set: RuleSet) -> Facts:
    """One subject of any kind, of the rule set's own kinds mostly."""
    own = sorted(kind for table in rule_set.tables.values() for kind in table.kinds)
    kind = draw(st.one_of(*[st.sampled_from(own)] * 4, st.sampled_from(SubjectKind)))
    its = [
        replace(fact, id="f1" if draw(st.integers(0, 24)) == 13 else f"f{number}")
        for number, fact in enumerate(draw(st.lists(facts(rule_set, kind), max_size=5)), 1)
    ]
    draw(st.randoms()).shuffle(its)
    suspect = draw(st.integers(0, 14)) == 7
    sites = (Site("p1", Decimal("0.4")), Site("p2", Decimal(2)))
    id_ = draw(st.sampled_from(["c1", "c2", "c3"]))
    return Facts(id_, kind, tuple(its), None, suspect, draw(seldom(st.just(sites))) or ())
