"""`rules diff`: print the differences of two rule sets, and the grades that they flip."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.options import actor, day_of, rule_set_of, there
from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    print_json,
    print_line,
    progress,
    settings_of,
)
from gateway.cli.rescore import AsOfOption, StoreOption, check_source, guarded
from gateway.config.clock import system_clock
from gateway.population.batches import RuledSlice, flips_of, from_file, proof_of, scored_by
from gateway.rules.choice import names_a_version, stored_version
from gateway.service.app import Gateway, gateway, reading
from gateway.store.score import activations, rule_sets
from gateway.titles import not_evaluated_words
from schemas.base import today
from scoring.population import Flip, Flips
from scoring.regulation.difference import differences
from scoring.regulation.ruleset import RuleSet

DIRECTIONS = {
    Flip.UP: "升",
    Flip.DOWN: "降",
    Flip.FIRST: "首次",
    Flip.ENDED: "不再评价",
    Flip.OTHER: "等级体系不同",
}
RuleSetArgument = Annotated[str, typer.Argument(help="名字、YAML 文件，或 名字@保存版本的校验值")]
Pair = tuple[RuleSet, RuleSet]
#: The number of differences, the flips, and whether anything could not be read.
Found = tuple[int, Flips, bool]


def rules_diff(  # noqa: PLR0913, PLR0917 - one for each option
    context: typer.Context,
    old: RuleSetArgument,
    new: RuleSetArgument,
    population: Annotated[
        Path | None,
        typer.Option("--population", callback=there, help="对象和信息：Parquet 或 NDJSON"),
    ] = None,
    store: StoreOption = False,
    as_of: AsOfOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print the differences of two rule sets, and the grades that they flip."""
    day = day_of(as_of) if as_of else today(system_clock())
    compared = store or population is not None
    if compared:
        check_source(population, store=store)

    async def work() -> Found:
        if store:
            return await _over_store(context, (old, new), day, format_)
        return await _over_file(context, (old, new), population, day, format_)

    count, flipped, failed = guarded(work)
    _print_totals(count, flipped, day, format_, compared)
    if failed:
        raise typer.Exit(Exit.PROBLEMS)


async def _over_store(
    context: typer.Context, names: tuple[str, str], day: date, format_: Format
) -> Found:
    """Compare over the store and store the result; the old text is the one in force."""
    old, new = names
    async with gateway(settings_of(context)) as built:
        rulebook = built.rulebook
        bound = old in rulebook.bound_names
        was = rulebook.in_force(old, day) if bound else await _rule_set(context, old, built)
        is_ = await _rule_set(context, new, built)
        count = _print_differences((was, is_), format_)
        subjects = scored_by(built.database, rulebook, was, day)
        flipped, failed = await _print_flips(subjects, (was, is_), day, format_)
        proof = proof_of(flipped, was, is_, day, actor(), built.clock())
        async with built.database.transaction() as connection:
            await activations.add_diff(connection, proof)
    return count, flipped, failed


async def _over_file(
    context: typer.Context, names: tuple[str, str], file: Path | None, day: date, format_: Format
) -> Found:
    pair = await _rule_set(context, names[0]), await _rule_set(context, names[1])
    count = _print_differences(pair, format_)
    if file is None:
        return count, Flips.together([]), False
    return count, *await _print_flips(from_file(file, pair[0], day), pair, day, format_)


def _print_differences(pair: Pair, format_: Format) -> int:
    found = differences(*pair)
    for one in found:
        if format_ is Format.JSON:
            print_json({"path": one.path, "old": one.old, "new": one.new, "text": one.words})
        else:
            print_line(one.words)
    return len(found)


async def _rule_set(context: typer.Context, name: str, built: Gateway | None = None) -> RuleSet:
    """Return a rule set by name, by file, or by name and hash of a stored version."""
    if not names_a_version(name):
        return rule_set_of(context, name)
    return stored_version(name, await (_texts(built) if built else _opened_texts(context)))


async def _opened_texts(context: typer.Context) -> dict[str, str]:
    async with reading(settings_of(context)) as built:
        return await _texts(built)


async def _texts(built: Gateway) -> dict[str, str]:
    async with built.database.transaction() as connection:
        return await rule_sets.rule_set_texts(connection)


async def _print_flips(
    batches: AsyncIterator[RuledSlice], pair: Pair, day: date, format_: Format
) -> tuple[Flips, bool]:
    parts: list[Flips] = []
    failed = False
    with progress("比较") as advance:
        async for part, errors in flips_of(batches, pair, day):
            for row in part.frame.iter_rows(named=True):
                _print_flip(row, format_)
            for error in errors:
                print_json(error)
            failed |= bool(errors)
            parts.append(part)
            advance(part.subjects)
    return Flips.together(parts), failed


def _print_flip(row: dict[str, Any], format_: Format) -> None:
    if format_ is Format.JSON:
        print_json({_JSON_NAMES.get(name, name): value for name, value in row.items()})
        return
    was = row["from_grade"] or f"不评价（{not_evaluated_words(row['from_not_evaluated'])}）"
    is_ = row["to_grade"] or f"不评价（{not_evaluated_words(row['to_not_evaluated'])}）"
    scores = f"{row['from_score'] or '—'} → {row['to_score'] or '—'} 分"
    print_line(f"{row['id']} {was} → {is_}（{DIRECTIONS[row['direction']]}，{scores}）")
    for sign, name in (("−", "gone"), ("+", "come")):
        for one in row[name]:
            points = f" {one['points']}" if one["points"] is not None else " 直接评定"
            print_line(f"    {sign} {one['item']}{points}，依据 {one['fact']}")
    if row["from_grade"] and row["to_grade"] and not (row["gone"] or row["come"]):
        print_line("    计分不变，等级分段不同")


_JSON_NAMES = {"from_grade": "from", "to_grade": "to"}


def _print_totals(count: int, flipped: Flips, day: date, format_: Format, compared: bool) -> None:
    if format_ is Format.JSON:
        pairs = [{"from": was, "to": is_, "count": n} for was, is_, n in flipped.by_pair]
        totals: dict[str, Any] = {"name": "totals", "differences": count}
        if compared:
            totals |= {"as_of": day, "subjects": flipped.subjects, "flipped": flipped.frame.height}
            totals |= {"by_direction": flipped.by_direction, "by_pair": pairs}
        print_json(totals)
        return
    print_line(f"条文不同 {count} 处")
    if not compared:
        return
    ways = "，".join(f"{DIRECTIONS[Flip(way)]} {n}" for way, n in flipped.by_direction.items())
    print_line(
        f"评价日期 {day}：{flipped.subjects:,} 个对象，等级改变 {flipped.frame.height:,} 个：{ways}"
    )
    for was, is_, n in flipped.by_pair:
        print_line(f"  {was or '不评价'} → {is_ or '不评价'} {n:,}")
