"""Explain the grade of one subject: why, until when, and what a repair would change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache

from msgspec import structs

from gateway.config.keys import Keys
from gateway.rules.files import parse_rule_set
from gateway.rules.rulebook import Rulebook
from gateway.score.publish import Then
from gateway.score.published import (
    NO_PAST,
    Past,
    PastGrade,
    end_of,
    publication_days,
    published_grades,
    stored_grades,
)
from gateway.score.scorer import Scorer
from gateway.score.stored_result import again, fact_of
from gateway.store.base.engine import Connection, Database
from gateway.store.record.ended_publicity import ended
from gateway.store.score.known_subject import KnownSubject
from gateway.store.score.known_subject import known as known_subject
from gateway.store.score.published import finished_periods
from schemas.codes import SubjectKind
from schemas.credit import Assessment
from schemas.identifiers import identity_card_problem
from scoring.consequences.change import compare
from scoring.consequences.measures import (
    Applied,
    MeasurePolicy,
    Occasion,
    Shift,
    Standing,
    StandingChange,
    in_force,
    on_occasion,
    shift,
)
from scoring.consequences.outlook import Ending, WhatIf, endings, outlook, repairs
from scoring.consequences.publicity import Penalised, Publicity, PublicityPolicy, publicity
from scoring.consequences.published import listed
from scoring.engine.register import in_force as in_register
from scoring.facts import Fact, Facts, RegisterEntry
from scoring.regulation.ruleset import RuleSet
from scoring.regulation.table import Listing


@dataclass(frozen=True, slots=True)
class RepairOutlook:
    """The effect of a confirmed repair of one record on the grade and the measures."""

    what_if: WhatIf
    moved: Shift


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of one grade; `rule_set` is None if none applies."""

    code: str
    name: str | None
    kind: SubjectKind
    as_of: date
    assessment: Assessment
    rule_set: RuleSet | None
    facts: dict[str, Fact]
    register: Sequence[RegisterEntry]  #: the entries in force, the latest last
    endings: Sequence[Ending]
    later: Sequence[Assessment]
    repairs: Sequence[RepairOutlook]
    measures: Sequence[Applied]
    penalty_notices: Sequence[Applied]
    publicity: dict[str, Publicity]
    received: str | None  #: a grade computed elsewhere, which replaces ours
    published: Sequence[PastGrade]  #: of the last periods, the oldest first
    listing: Listing | None  #: the list on which bad years put it, if any
    #: By fact, the day on which a letter ended its publication.
    ended: Mapping[str, date] = field(default_factory=dict)


async def explain_code(  # noqa: PLR0913 - one for each thing that decides the answer
    database: Database,
    scorer: Scorer,
    regimes: Iterable[PublicityPolicy],
    keys: Keys,
    code: str,
    *,
    as_of: date,
    known_at: datetime,
    past: bool,
) -> Explanation | None:
    """Explain the grade of the subject with this code on a day; None if nothing is known of it.

    `code` is a credit code in its normal form, or a person's identity number. Only what was known
    at `known_at` counts; if that is `past`, the rule set is the text that the subject was last
    scored with by then. A person is shown by a pseudonym; our own code of a person stays inside.
    """
    async with database.transaction() as connection:
        subject = await known_subject(connection, code, known_at)
        if subject is None and identity_card_problem(code) is None:
            subject = await known_subject(connection, keys.person(code), known_at)
    if subject is None or (past and subject.is_empty):
        return None
    rule_set = _rule_set(scorer.rulebook, subject, as_of, past=past)
    past_grades = NO_PAST
    if rule_set is not None:
        async with database.transaction() as connection:
            past_grades = await _past(connection, subject, scorer, rule_set, as_of, known_at)
    found = explain(subject, scorer, rule_set, regimes, as_of, past_grades)
    async with database.transaction() as connection:
        letters = await ended(connection, list(found.publicity), known_at)
    found = replace(found, ended=letters)
    return _by_pseudonym(found, keys.published(found.code)) if subject.person else found


async def _past(
    connection: Connection,
    subject: KnownSubject,
    scorer: Scorer,
    rule_set: RuleSet,
    as_of: date,
    known_at: datetime,
) -> Past:
    """Return what the published grades of the subject come from, stored ones first."""
    kind = _facts(subject, scorer.rulebook, as_of).kind
    days = publication_days(kind, rule_set, subject.first_decided_on, as_of)
    stored = await stored_grades(connection, subject.code, known_at)
    stored = {end: one for end, one in stored.items() if one.published_on <= as_of}
    # Where this program had published a period, what is not stored was not published then. It
    # publishes once the day is over.
    done = await finished_periods(connection, known_at)
    days = {
        end: day
        for end, day in days.items()
        if end in stored or (end not in done and end_of(day) <= known_at)
    }
    then: dict[date, Then] = {}
    for end, day in days.items():
        known = None
        if end not in stored:
            at = min(end_of(day), known_at)
            known = await known_subject(connection, subject.code, at)
        if known is not None and not known.is_empty:
            then[day] = Then(_facts(known, scorer.rulebook, day), _text(known) or rule_set)
    return Past(days, stored, then)


def _rule_set(
    rulebook: Rulebook, subject: KnownSubject, day: date, *, past: bool
) -> RuleSet | None:
    """The rule set in force; of the past, the text that the subject was last scored by then."""
    if past and (text := _text(subject)) is not None:
        return text
    return rulebook.choose(_facts(subject, rulebook, day).kind, subject.code, day)


def _text(known: KnownSubject) -> RuleSet | None:
    """Return the text that a subject was last scored by; None if it was not."""
    return None if known.rule_set_text is None else _parsed(known.rule_set_text)


_parsed = lru_cache(maxsize=8)(parse_rule_set)


def _by_pseudonym(found: Explanation, pseudonym: str) -> Explanation:
    assessment = structs.replace(found.assessment, id=pseudonym)
    return replace(found, code=pseudonym, name="自然人", assessment=assessment)


def explain(
    known: KnownSubject,
    scorer: Scorer,
    rule_set: RuleSet | None,
    regimes: Iterable[PublicityPolicy],
    as_of: date,
    past: Past,
) -> Explanation:
    """Explain the grade by what was known, under this rule set, on this day.

    `past` is what the published grades of the subject come from.
    """
    facts = _facts(known, scorer.rulebook, as_of)
    policies = scorer.policies(facts.kind, known.code)
    now, *later = outlook(facts, rule_set, as_of) if rule_set else [again(facts, None, as_of)]
    received = _received(known, facts, scorer.rulebook, as_of)
    if received is not None:  # it is published elsewhere: only what was stored here stands
        past = past._replace(days={})
    grades = published_grades(Then(facts, rule_set), past) if rule_set else ()
    listing = _listing(grades, rule_set, facts.kind) if rule_set else None
    standing = _standing(received or now.grade, grades, listing)
    return Explanation(
        code=known.code,
        name=known.name,
        kind=facts.kind,
        as_of=as_of,
        assessment=now,
        rule_set=rule_set,
        facts={one.id: one for one in facts.facts},
        register=tuple(in_register(facts, as_of)),
        endings=endings([now, *later]),
        later=later,
        repairs=_repairs(facts, rule_set, standing, policies, as_of) if rule_set else (),
        measures=in_force(policies, standing, facts.kind, as_of),
        penalty_notices=on_occasion(policies, Occasion.PENALTY, facts.kind, as_of),
        publicity=_publicity(facts.facts, tuple(regimes)),
        received=received,
        published=grades,
        listing=listing,
    )


def _received(known: KnownSubject, facts: Facts, rulebook: Rulebook, day: date) -> str | None:
    """Return the last grade if it was computed elsewhere and replaces our own."""
    for body in known.received:
        if rulebook.takes_grade(body["rule_set"]["name"], facts.kind, known.code, day):
            return str(body["to_grade"])
    return None


def _facts(known: KnownSubject, rulebook: Rulebook, day: date) -> Facts:
    stored, suspect = map(fact_of, known.facts), known.criminal_suspect
    return rulebook.subject(known.code, stored, day, person=known.person, criminal_suspect=suspect)


def _listing(past: Sequence[PastGrade], rule_set: RuleSet, kind: SubjectKind) -> Listing | None:
    """Return the list on which the last publication put the subject: the stored one, if it is."""
    if past and past[-1].stored_at is not None:
        return past[-1].listing
    table = rule_set.table(kind)
    results = [one.assessment for one in past]
    grades = {one.as_of.year: one.grade for one in results if one.grade is not None}
    return None if table is None else listed(grades, table)


def _repairs(
    facts: Facts,
    rule_set: RuleSet,
    standing: Standing,
    policies: tuple[MeasurePolicy, ...],
    as_of: date,
) -> list[RepairOutlook]:
    found = []
    for what_if in repairs(facts, rule_set, as_of):
        change = compare(what_if.without.grade, what_if.result, rule_set)
        day = what_if.confirmed_on
        moved = _UNMOVED
        if change is not None:
            before = replace(standing, grade=change.from_grade)
            after = replace(standing, grade=change.to_grade)
            moved = shift(
                policies, StandingChange(before, after, change.direction), facts.kind, day
            )
        found.append(RepairOutlook(what_if, moved))
    return found


_UNMOVED = Shift((), (), ())


def _standing(grade: str | None, past: Sequence[PastGrade], listing: Listing | None) -> Standing:
    """Return what measures depend on: today's grade, the last published one, and the list."""
    published_grade = past[-1].assessment.grade if past else None
    return Standing(grade, published_grade, (listing.title,) if listing else ())


def _publicity(facts: Iterable[Fact], regimes: tuple[PublicityPolicy, ...]) -> dict[str, Publicity]:
    """Return the publicity of each penalty; decisions before the first policy have none."""
    found = {}
    for one in facts:
        if one.penalty is None:
            continue
        decision = Penalised(one.decided_on, one.penalty.types, one.penalty.fine_wan)
        held = publicity(regimes, decision)
        if held is not None:
            found[one.id] = held
    return found
