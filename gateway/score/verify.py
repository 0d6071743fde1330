"""Compute past results again from the facts and rule set texts of then, and compare."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import orjson

from gateway.rules.files import parse_rule_set
from gateway.score.stored_result import (
    StoredFact,
    again,
    facts_for,
    short,
    stored_facts,
    subject_of,
)
from gateway.score.verify_published import PublishedHistory, missing_grades, published_difference
from gateway.store.base.engine import Connection, Database
from gateway.store.record import facts as fact_store
from gateway.store.score import assessments
from gateway.store.score import published as published_store
from gateway.store.score.assessments import Stored
from gateway.store.score.published import StoredGrade
from gateway.store.score.rule_sets import rule_set_texts
from schemas.credit import NotEvaluated
from scoring.regulation.ruleset import RuleSet

Result = TypeVar("Result", Stored, StoredGrade)
#: What is printed of a result that differs.
Difference = dict[str, Any]
#: Results read and computed again at once.
PAGE = 500
#: Engine errors are not computed again, because they have no result.
_NOT_RESULTS = frozenset({NotEvaluated.ENGINE_ERROR.value})


async def verify_assessments(
    database: Database, advance: Callable[[int], None]
) -> tuple[int, list[Difference]]:
    """Return how many were computed again, and those that differ; it opens its own transactions."""
    return await _verify(database, assessments.stored, _difference, advance)


async def verify_published(
    database: Database, advance: Callable[[int], None]
) -> tuple[int, list[Difference]]:
    """Return how many published grades were computed again, and those that differ or are gone."""
    async with database.transaction() as connection:
        told = await published_store.publications_told(connection)
        history = PublishedHistory(told, await published_store.begun(connection))
    differ = partial(published_difference, history=history)
    count, wrong = await _verify(database, published_store.page, differ, advance)
    return count, wrong + missing_grades(told)


async def _verify(
    database: Database,
    read: Callable[[Connection, int, int], Awaitable[Sequence[Result]]],
    differ: Callable[[Result, Mapping[str, RuleSet], Mapping[int, StoredFact]], Difference | None],
    advance: Callable[[int], None],
) -> tuple[int, list[Difference]]:
    """Compute stored results again, page by page in the order of their ids."""
    async with database.transaction() as connection:
        texts = await rule_set_texts(connection)
    rule_sets = {hash_: parse_rule_set(content) for hash_, content in texts.items()}
    count, after = 0, 0
    wrong: list[Difference] = []
    while True:
        async with database.transaction() as connection:
            page = await read(connection, after, PAGE)
            ids = sorted({id_ for one in page for id_ in one.fact_ids})
            bodies = await fact_store.facts(connection, ids)
        if not page:
            return count, wrong
        facts = stored_facts(bodies)
        for one in page:
            try:
                found = differ(one, rule_sets, facts)
            except Exception as error:  # noqa: BLE001  one result never stops the others
                found = {"id": one.id, "problem": f"不能重算：{type(error).__name__}"}
            wrong += [found] if found else []
        count, after = count + len(page), page[-1].id
        advance(len(page))
        await asyncio.sleep(0)


def _difference(
    one: Stored, rule_sets: Mapping[str, RuleSet], facts: Mapping[int, StoredFact]
) -> Difference | None:
    if one.result["not_evaluated"] in _NOT_RESULTS:
        return None
    rule_set = rule_sets.get(one.rule_set_hash) if one.rule_set_hash else None
    if one.rule_set_hash and rule_set is None:
        return {"id": one.id, "problem": f"没有版本为 {one.rule_set_hash} 的评价办法文本"}
    known = facts_for(one.subject_id, one.fact_ids, facts)
    subject = subject_of(
        one.subject_code, one.subject_kind, known, one.result, suspect=one.criminal_suspect
    )
    result = again(subject, rule_set, one.as_of)
    kept = orjson.loads(short(result, subject))
    beside = (result.grade, result.not_evaluated, result.changes_on)
    if kept == one.result and beside == (one.grade, one.not_evaluated, one.changes_on):
        if one.changed_to is None or one.changed_to == result.grade:
            return None
        return {"id": one.id, "problem": f"等级变动记为 {one.changed_to}，重算为 {result.grade}"}
    return {"id": one.id, "problem": "重算结果与原结果不同", "score": result.score}
