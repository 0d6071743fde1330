"""Publish the grades of a period 公布评价结果: what was known on the day, by the text of then."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from gateway.rules.rulebook import Rulebook
from gateway.score.stored_result import without_result
from gateway.store.score.published import Publication
from gateway.telemetry.log import LogEvent, logger
from schemas.credit import Assessment, NotEvaluated, PublishedResult
from scoring.consequences.measures import Standing
from scoring.consequences.published import (
    listed,
    period,
    publication_day,
    publications,
    published,
)
from scoring.facts import Facts
from scoring.regulation.ruleset import RuleSet
from scoring.regulation.table import Listing, Snapshot

#: Past publications that are stored if they are not yet: the longest list asks for three years.
PERIODS = 6


class Then(NamedTuple):
    """What was known of a subject on a day, and the text of the rule set that scored it."""

    facts: Facts
    rule_set: RuleSet

    @property
    def snapshot(self) -> Snapshot | None:
        """The rule by which grades of such subjects are published, if they are."""
        table = self.rule_set.table(self.facts.kind)
        found = None if table is None else table.snapshot
        return None if found is None or found.cadence == "live" else found

    @property
    def is_public(self) -> bool:
        """Whether the rule set publishes the results of such subjects."""
        table = self.rule_set.table(self.facts.kind)
        return table is None or table.public


class ResultOfPeriod(NamedTuple):
    """The result of a period, and the list on which the grades of the last periods put it."""

    assessment: Assessment
    listing: Listing | None

    def told(self, one: Publication) -> PublishedResult:
        """Return the result as grade changes and measures use it."""
        listings = (self.listing.title,) if self.listing else ()
        return PublishedResult(*one, self.assessment.grade, listings)


def publications_until(rulebook: Rulebook, today: date) -> list[Publication]:
    """Return the last publications of the bound rule sets whose day has ended, the oldest first."""
    texts = [one.rule_set for one in rulebook.bound()]
    texts += [one.rule_set for one in rulebook.activated]  # of the day, whatever came since
    snapshots = [
        table.snapshot
        for rule_set in texts
        for table in rule_set.tables.values()
        if table.snapshot is not None
    ]
    found = {
        Publication(end, publication_day(snapshot, end))
        for snapshot in snapshots
        for end in publications(snapshot, date.min, today, PERIODS)
    }
    return sorted((one for one in found if one.published_on < today), key=_by_day)


def _by_day(one: Publication) -> tuple[date, date]:
    return one.published_on, one.period_end


def takes_part(then: Then, one: Publication) -> bool:
    """Whether the grade of the subject is one of this publication."""
    snapshot = then.snapshot
    if snapshot is None or publication_day(snapshot, one.period_end) != one.published_on:
        return False
    return period(snapshot.cadence, one.period_end)[1] == one.period_end


def publish(then: Then, one: Publication, earlier: Mapping[date, str | None]) -> ResultOfPeriod:
    """Return the result of a period; an error of the engine is a result, not an exception.

    `earlier` are the grades of earlier periods as they were published, by the last day; what is
    not among them is from before this program, and is computed.
    """
    try:
        result = published(then.facts, then.rule_set, one.period_end)
        return ResultOfPeriod(result, _listing(then, result, earlier))
    except Exception:  # noqa: BLE001  one subject never stops the others
        logger.exception(LogEvent.ENGINE_FAILED, extra={"rule_set": then.rule_set.name})
        reason = NotEvaluated.ENGINE_ERROR
        return ResultOfPeriod(without_result(then.facts.id, one.period_end, reason), None)


def _listing(then: Then, result: Assessment, earlier: Mapping[date, str | None]) -> Listing | None:
    table = then.rule_set.table(then.facts.kind)
    rule = None if table is None else table.listing
    if table is None or rule is None or result.grade != rule.grade:
        return None
    last = result.as_of
    grades = {last.year: result.grade}
    for year in range(last.year - rule.years + 1, last.year):
        end = last.replace(year=year)
        known = end in earlier
        grade = earlier[end] if known else published(then.facts, then.rule_set, end).grade
        if grade is not None:
            grades[year] = grade
    return listed(grades, table)


def reasons(result: ResultOfPeriod, told: PublishedResult, before: Standing) -> tuple[str, ...]:
    """Return in Chinese what a publication changes."""
    grade = told.grade or "不评价"
    lines = [f"截至{told.period_end}的评价期：{grade}，{told.published_on}公布"]
    if result.listing is not None and result.listing.title not in before.listings:
        lines.append(f"列入{result.listing.title}（{result.listing.article}）")
    lines += [f"移出{title}" for title in before.listings if title not in told.listings]
    return tuple(lines)
