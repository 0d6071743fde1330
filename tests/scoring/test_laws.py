"""Laws that hold for any facts, checked on the draft."""

from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes import PENALTY_KINDS, EventType, SubjectKind
from schemas.credit import Assessment
from scoring.engine import assess
from scoring.facts import Fact, Facts, Penalty
from scoring.ruleset import RuleSet

FIRST_DAY = date(2026, 1, 1)
DAYS = 500
days = st.integers(0, DAYS).map(lambda offset: FIRST_DAY + timedelta(offset))
maybe_days = st.none() | days
words = st.sampled_from([*sorted(PENALTY_KINDS), "责令改正", "其他-按日连续处罚"])
amounts = st.decimals(0, 100, places=2)
scores = st.decimals(-200, 200, places=6)


@st.composite
def penalties(draw: st.DrawFn) -> Penalty:
    return Penalty(tuple(draw(st.lists(words, min_size=1, max_size=4))), draw(amounts))


@st.composite
def facts_of(draw: st.DrawFn, kind: SubjectKind, *, sound: bool = False) -> Fact:
    prefix, last = ("E", 42) if kind is SubjectKind.ENTERPRISE else ("A", 21)
    items = st.integers(1, last).map(lambda number: f"{prefix}{number:02d}")
    what = draw(st.sampled_from(["item", "type", "penalty"]))
    fact = Fact(
        id=draw(st.sampled_from(["f1", "f2", "f3", "f4", "f5", "f6"])),
        decided_on=draw(days),
        item=draw(items | st.just("V14-1")) if what == "item" else None,
        type=draw(st.sampled_from(EventType)) if what == "type" else None,
        penalty=draw(penalties()) if what == "penalty" else None,
        rectified_on=draw(maybe_days),
        repair_applied_on=draw(maybe_days),
        repair_confirmed_on=draw(maybe_days),
        warning_until=draw(maybe_days),
        principal_points=draw(st.decimals(0, 60, places=1)),
    )
    spoilt = draw(st.integers(0, 9)) if not sound else 9
    if spoilt == 0:
        return replace(fact, principal_points=None)
    return replace(fact, item="E99") if spoilt == 1 else fact


@st.composite
def subjects(draw: st.DrawFn, *, sound: bool = False) -> Facts:
    kind = draw(st.sampled_from([SubjectKind.ENTERPRISE, SubjectKind.AGENCY]))
    facts = draw(st.lists(facts_of(kind, sound=sound), max_size=6))
    return Facts("c1", kind, tuple(facts))


def result(assessment: Assessment) -> tuple[object, ...]:
    """What counts as the result: everything but the day and the forecast."""
    return tuple(
        getattr(assessment, field.name)
        for field in fields(assessment)
        if field.name not in ("as_of", "changes_on")
    )


def score(facts: Facts, draft: RuleSet, as_of: date) -> Decimal:
    text = assess(facts, draft, as_of).score
    assert text is not None
    return Decimal(text)


@given(facts=subjects(), as_of=days)
@settings(max_examples=250, deadline=None)
def test_the_forecast_is_the_first_day_with_another_result(
    draft: RuleSet, facts: Facts, as_of: date
) -> None:
    today = assess(facts, draft, as_of)

    following = (as_of + timedelta(offset) for offset in range(1, DAYS + 370))
    changed = (day for day in following if result(assess(facts, draft, day)) != result(today))

    assert today.changes_on == next(changed, None)


@given(facts=subjects(), as_of=days, data=st.data())
@settings(deadline=None)
def test_order_and_repetition_do_not_matter(
    draft: RuleSet, facts: Facts, as_of: date, data: st.DataObject
) -> None:
    doubled = data.draw(st.permutations(facts.facts + facts.facts))

    again = assess(replace(facts, facts=tuple(doubled)), draft, as_of)

    assert repr(again) == repr(assess(facts, draft, as_of))


@given(facts=subjects(), as_of=days)
@settings(deadline=None)
def test_the_same_input_gives_the_same_bytes(draft: RuleSet, facts: Facts, as_of: date) -> None:
    fresh = RuleSet.model_validate(draft.model_dump())

    assert repr(assess(facts, fresh, as_of)) == repr(assess(facts, draft, as_of))


@given(facts=subjects(sound=True), more=facts_of(SubjectKind.ENTERPRISE, sound=True), as_of=days)
@settings(deadline=None)
def test_one_more_penalty_never_raises_the_score(
    draft: RuleSet, facts: Facts, more: Fact, as_of: date
) -> None:
    more = replace(more, id="more", type=None, item="E04" if more.penalty is None else None)
    enterprise = replace(facts, facts=facts.facts if facts.kind is SubjectKind.ENTERPRISE else ())
    enterprise = replace(enterprise, kind=SubjectKind.ENTERPRISE)

    worse = replace(enterprise, facts=(*enterprise.facts, more))

    assert score(worse, draft, as_of) <= score(enterprise, draft, as_of)


@given(facts=subjects(sound=True), rectified=days, confirmed=days, as_of=days)
@settings(deadline=None)
def test_a_repair_never_lowers_the_score(
    draft: RuleSet, facts: Facts, rectified: date, confirmed: date, as_of: date
) -> None:
    unrepaired = [
        replace(fact, rectified_on=None, repair_applied_on=None, repair_confirmed_on=None)
        for fact in facts.facts
    ]
    repaired = [
        replace(fact, rectified_on=rectified, repair_confirmed_on=confirmed) for fact in unrepaired
    ]

    before = assess(replace(facts, facts=tuple(unrepaired)), draft, as_of)
    after = assess(replace(facts, facts=tuple(repaired)), draft, as_of)

    assert Decimal(after.score or 0) >= Decimal(before.score or 0)
    assert after.veto <= before.veto


@given(facts=subjects(), more=facts_of(SubjectKind.ENTERPRISE), as_of=days)
@settings(deadline=None)
def test_a_fact_after_the_day_changes_nothing_but_the_forecast(
    draft: RuleSet, facts: Facts, more: Fact, as_of: date
) -> None:
    later = replace(more, id="later", decided_on=as_of + timedelta(1))

    with_later = assess(replace(facts, facts=(*facts.facts, later)), draft, as_of)

    before = assess(facts, draft, as_of)
    assert replace(with_later, changes_on=None) == replace(before, changes_on=None)


@given(value=scores)
def test_bands_cover_every_score_exactly_once(draft: RuleSet, value: Decimal) -> None:
    for table in draft.tables.values():
        assert sum(band.contains(value) for band in table.bands) == 1


@given(value=scores)
def test_the_grade_is_the_one_whose_band_contains_the_score(draft: RuleSet, value: Decimal) -> None:
    for kind in (SubjectKind.ENTERPRISE, SubjectKind.AGENCY):
        bands = draft.tables[kind.value].bands

        rank = draft.book.entries[kind].grades.rank(value)

        assert [band.grade for band in bands if band.contains(value)] == [bands[rank].grade]


@given(facts=subjects(), as_of=days)
@settings(deadline=None)
def test_the_trace_adds_up_to_the_score(draft: RuleSet, facts: Facts, as_of: date) -> None:
    assessment = assess(facts, draft, as_of)

    points = sum(Decimal(row.points) for row in assessment.deductions)

    assert assessment.score is None or Decimal(assessment.score) == 100 + points
    assert (assessment.score is None) == (assessment.not_evaluated is not None)
