"""Laws that hold for any facts, checked on every table of every rule set that is shipped."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace
from ruamel.yaml import YAML

from schemas.codes import EventType, SubjectKind
from schemas.credit import Assessment
from scoring.engine.assess import assess
from scoring.engine.prepared import prepare
from scoring.facts import Fact, Facts, Penalty, Received, Site
from scoring.regulation.ruleset import RuleSet
from scoring.regulation.table import Table
from scoring.regulation.terms import Direction, TariffItem
from tests.scoring.tiny import everything

FOLDER = Path(__file__).parents[3] / "scoring" / "rule_sets"
RULE_SETS = {
    path.stem: RuleSet.load(YAML(typ="safe", pure=True).load(path), "test")
    for path in sorted(FOLDER.glob("*.yaml"))
    if not path.name.endswith(".cases.yaml")
}
SHIPPED = [(name, table) for name, rule_set in RULE_SETS.items() for table in rule_set.tables]
RULE_SETS |= {"everything": everything(), "departments": everything(once_per="department")}
ALL = [*SHIPPED, ("everything", "enterprise"), ("departments", "enterprise")]
FIRST_DAY = date(2026, 1, 1)
DAYS = 300
#: Longer than any validity, window and delay of a rule set that is shipped.
BEYOND = DAYS + 800
days = st.integers(0, DAYS).map(lambda offset: FIRST_DAY + timedelta(offset))
maybe_days = st.none() | days
every_table = pytest.mark.parametrize(("name", "table_name"), ALL)
every_shipped_table = pytest.mark.parametrize(("name", "table_name"), SHIPPED)


def words_of(table: Table) -> list[str]:
    words = [word for row in table.rows for word in row.match.penalties]
    free = [f"其他-{word}" for row in table.rows for word in row.match.other_words]
    return [*words, *free, "罚款", "责令关闭"]


@st.composite
def facts_of(draw: st.DrawFn, table: Table, *, sound: bool = False) -> Fact:
    items = [row.id for row in table.rows if isinstance(row, TariffItem) or row.stands_alone]
    events = [event for row in table.rows for event in row.match.events]
    what = draw(st.sampled_from(["item"] * bool(items) + ["type", "penalty"]))
    words = st.lists(st.sampled_from(words_of(table)), min_size=1, max_size=3)
    fact = Fact(
        id=draw(st.sampled_from(["f1", "f2", "f3", "f4", "f5"])),
        decided_on=draw(days),
        item=draw(st.sampled_from(items)) if what == "item" else None,
        type=draw(st.sampled_from([*events, EventType.PRAISE])) if what == "type" else None,
        penalty=Penalty(tuple(draw(words)), draw(st.decimals(0, 100, places=1)))
        if what == "penalty"
        else None,
        rectified_on=draw(maybe_days),
        repair_applied_on=draw(maybe_days),
        repair_confirmed_on=draw(maybe_days),
        warning_until=draw(maybe_days),
        principal_points=draw(st.decimals(0, 60, places=1)),
        created_on=draw(maybe_days),
        department=draw(st.sampled_from(["甲局", "乙局"])),
        stated_points=draw(st.decimals(0, 100, places=1)),
        site=draw(st.sampled_from([None, "X1", "X2"])),
        codes=draw(st.sampled_from([(), ("7",), ("8",)])),
    )
    if table.received_grades is not None and draw(st.booleans()):
        grades = st.sampled_from([band.grade for band in table.bands])
        fact = replace(fact, received=Received(draw(grades), "某省", Decimal(70)))
    spoilt = draw(st.integers(0, 12)) if not sound else 12
    if spoilt == 0:
        return replace(fact, principal_points=None, stated_points=None, department=None)
    return replace(fact, item="E99") if spoilt == 1 else fact


@st.composite
def subjects(draw: st.DrawFn, table: Table, *, sound: bool = False) -> Facts:
    facts = draw(st.lists(facts_of(table, sound=sound), max_size=5))
    together = table.sites is not None and table.sites.combined == "weighted"
    weights = draw(st.none() | st.tuples(st.integers(1, 9), st.integers(1, 9)))
    sites: tuple[Site, ...] = ()
    if together and weights is not None:
        sites = (Site("X1", Decimal(weights[0])), Site("X2", Decimal(weights[1])))
    return Facts("c1", draw(st.sampled_from(table.kinds)), tuple(facts), sites=sites)


def drawn(data: st.DataObject, name: str, table_name: str, *, sound: bool = False) -> Facts:
    return data.draw(subjects(RULE_SETS[name].tables[table_name], sound=sound))


def adverse(table: Table) -> list[str]:
    """Items that take points, and vetoes; a newer score of an indicator may be a better one."""
    items = [row.id for row in table.items if not row.bonus and row.weight is None]
    return [*items, *(rule.id for rule in table.vetoes if rule.stands_alone)]


def result(assessment: Assessment) -> tuple[object, ...]:
    """Everything but the day and the forecast."""
    names = [each for each in assessment.__struct_fields__ if each not in ("as_of", "changes_on")]
    return tuple(getattr(assessment, each) for each in names)


def harm(assessment: Assessment, table: Table) -> Decimal:
    """How bad the score is, whichever way the table counts."""
    score = Decimal(assessment.score or table.start)
    return score if table.direction is Direction.ACCUMULATE else -score


@every_table
@given(data=st.data(), as_of=days)
@settings(max_examples=30, deadline=None)
def test_the_forecast_is_the_first_day_with_another_result(
    name: str, table_name: str, data: st.DataObject, as_of: date
) -> None:
    rule_set, facts = RULE_SETS[name], drawn(data, name, table_name)
    today = assess(facts, rule_set, as_of)

    following = (as_of + timedelta(offset) for offset in range(1, BEYOND))
    changed = (d for d in following if result(assess(facts, rule_set, d)) != result(today))

    assert today.changes_on == next(changed, None)


@every_table
@given(data=st.data(), as_of=days)
@settings(max_examples=25, deadline=None)
def test_the_order_and_repetition_of_facts_do_not_matter(
    name: str, table_name: str, data: st.DataObject, as_of: date
) -> None:
    rule_set, facts = RULE_SETS[name], drawn(data, name, table_name)
    doubled = data.draw(st.permutations(facts.facts + facts.facts))

    again = assess(replace(facts, facts=tuple(doubled)), rule_set, as_of)

    assert repr(again) == repr(assess(facts, rule_set, as_of))


@every_table
@given(data=st.data(), as_of=days)
@settings(max_examples=20, deadline=None)
def test_the_same_input_gives_the_same_bytes(
    name: str, table_name: str, data: st.DataObject, as_of: date
) -> None:
    rule_set, facts = RULE_SETS[name], drawn(data, name, table_name)
    fresh = RuleSet.model_validate(rule_set.model_dump())

    assert repr(assess(facts, fresh, as_of)) == repr(assess(facts, rule_set, as_of))


@every_shipped_table
@given(data=st.data(), as_of=days)
@settings(max_examples=25, deadline=None)
def test_one_more_penalty_never_improves_the_score(
    name: str, table_name: str, data: st.DataObject, as_of: date
) -> None:
    rule_set, facts = RULE_SETS[name], drawn(data, name, table_name, sound=True)
    table = rule_set.tables[table_name]
    more = replace(
        data.draw(facts_of(table, sound=True)),
        id="more",
        item=data.draw(st.none() | st.sampled_from(adverse(table))) if adverse(table) else None,
        type=None,
        penalty=Penalty(("罚款", "警告"), Decimal(20)),
        received=None,
    )

    worse = assess(replace(facts, facts=(*facts.facts, more)), rule_set, as_of)

    assert harm(worse, table) >= harm(assess(facts, rule_set, as_of), table)


@every_shipped_table
@given(data=st.data(), rectified=days, confirmed=days, as_of=days)
@settings(max_examples=25, deadline=None)
def test_a_repair_never_worsens_the_score_or_adds_a_veto(
    name: str, table_name: str, data: st.DataObject, rectified: date, confirmed: date, as_of: date
) -> None:
    rule_set, facts = RULE_SETS[name], drawn(data, name, table_name, sound=True)
    table = rule_set.tables[table_name]
    open_ = [
        replace(fact, rectified_on=None, repair_applied_on=None, repair_confirmed_on=None)
        for fact in facts.facts
    ]
    done = [replace(fact, rectified_on=rectified, repair_confirmed_on=confirmed) for fact in open_]

    before = assess(replace(facts, facts=tuple(open_)), rule_set, as_of)
    after = assess(replace(facts, facts=tuple(done)), rule_set, as_of)

    assert harm(after, table) <= harm(before, table)
    assert after.veto <= before.veto


@every_table
@given(data=st.data(), as_of=days)
@settings(max_examples=25, deadline=None)
def test_a_fact_after_the_day_changes_nothing_but_the_forecast(
    name: str, table_name: str, data: st.DataObject, as_of: date
) -> None:
    rule_set, facts = RULE_SETS[name], drawn(data, name, table_name)
    later = data.draw(facts_of(rule_set.tables[table_name]))
    later = replace(later, id="later", decided_on=as_of + timedelta(1))

    with_later = assess(replace(facts, facts=(*facts.facts, later)), rule_set, as_of)

    before = assess(facts, rule_set, as_of)
    assert structs.replace(with_later, changes_on=None) == structs.replace(before, changes_on=None)


@every_table
@given(value=st.decimals(-200, 200, places=6))
def test_bands_cover_every_score_once_and_give_its_grade(
    name: str, table_name: str, value: Decimal
) -> None:
    rule_set = RULE_SETS[name]
    table = rule_set.tables[table_name]

    rank = prepare(rule_set).entries[table.kinds[0]].grades.rank(value)

    assert [band.grade for band in table.bands if band.contains(value)] == [table.bands[rank].grade]


@every_table
@given(data=st.data(), as_of=days)
@settings(max_examples=25, deadline=None)
def test_the_rows_of_the_trace_add_up_to_the_score(
    name: str, table_name: str, data: st.DataObject, as_of: date
) -> None:
    rule_set, facts = RULE_SETS[name], drawn(data, name, table_name)
    table = rule_set.tables[table_name]

    assessment = assess(facts, rule_set, as_of)

    assert (assessment.not_evaluated is None) == (assessment.grade is not None)
    if assessment.score is not None and assessment.received is None:
        points = sum(Decimal(row.points) * share(row.values) for row in assessment.deductions)
        assert 0 <= table.start + points - Decimal(assessment.score) < Decimal("0.000002")


def share(values: dict[str, str]) -> Decimal:
    """The part of the whole that a row counts for; 1 without sites."""
    part, whole = values.get("share", "1/1").split("/")
    return Decimal(part) / Decimal(whole)


def test_every_kind_of_subject_has_a_rule_set() -> None:
    kinds = {kind for name, t in SHIPPED for kind in RULE_SETS[name].tables[t].kinds}

    assert kinds == set(SubjectKind)
