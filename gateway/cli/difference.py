"""rules diff: what differs between two rule sets, and whose grade flips by it."""

import getpass
from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.app import Gateway, gateway
from gateway.cli.arguments import day_of, rule_set_of, there
from gateway.cli.population import AsOfOption, StoreOption, check_source, guarded
from gateway.cli.terminal import (
    Exit,
    Format,
    FormatOption,
    fail,
    print_json,
    print_line,
    progress,
    run,
    settings_of,
)
from gateway.clock import system_clock
from gateway.deadline import today
from gateway.population import Batch, flips_of, from_file, from_store
from gateway.rulebook import parse_rule_set
from gateway.store import activations, assessments
from gateway.words import not_evaluated_words
from scoring.difference import differences
from scoring.population import Flip, Flips
from scoring.ruleset import RuleSet

#: Stands between a name and the hash of a kept version: nm-2023-draft@8d3c0c9e.
VERSION_MARK = "@"
SHORTEST_HASH = 6
DIRECTIONS = {
    Flip.UP: "升",
    Flip.DOWN: "降",
    Flip.FIRST: "首次",
    Flip.ENDED: "不再评价",
    Flip.OTHER: "等级体系不同",
}
RuleSetArgument = Annotated[str, typer.Argument(help="名字、YAML 文件，或 名字@保存版本的校验值")]
Pair = tuple[RuleSet, RuleSet]


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
    """Print what differs between two rule sets, and whose grade flips by it."""
    day = day_of(as_of) if as_of else today(system_clock())
    was = _standing(context, old, day) if store else _rule_set(context, old)
    pair = was, _rule_set(context, new)
    found = differences(*pair)
    for one in found:
        if format_ is Format.JSON:
            print_json({"path": one.path, "old": one.old, "new": one.new, "text": one.words})
        else:
            print_line(one.words)
    flipped, failed = Flips.together([]), False
    if store or population is not None:
        check_source(population, store=store)
        flipped, failed = guarded(lambda: _flips(context, population, pair, day, format_))
    _print_totals(len(found), flipped, day, format_, store or population is not None)
    if failed:
        raise typer.Exit(Exit.PROBLEMS)


def _rule_set(context: typer.Context, name: str) -> RuleSet:
    """A rule set by name, by file, or by name and the hash of a kept version."""
    wanted, mark, hash_ = name.partition(VERSION_MARK)
    if not mark or Path(name).is_file():
        return rule_set_of(context, name)
    if len(hash_) < SHORTEST_HASH:
        fail(f"{name}：校验值至少写 {SHORTEST_HASH} 位")

    async def work() -> dict[str, str]:
        async with gateway(settings_of(context)) as built, built.database.transaction() as c:
            return await assessments.rule_set_texts(c)

    kept = [parse_rule_set(text) for key, text in run(work).items() if key.startswith(hash_)]
    found = [one for one in kept if one.name == wanted]
    if len(found) != 1:
        fail(f"{name}：数据库里有 {len(found)} 个这样的版本")
    return found[0]


def _standing(context: typer.Context, name: str, day: date) -> RuleSet:
    """The old rule set, compared over the store: what is in force, whatever its file says now."""

    async def work() -> RuleSet | None:
        async with gateway(settings_of(context)) as built:
            rulebook = built.rulebook
            return rulebook.in_force(name, day) if name in rulebook.bound_names else None

    return run(work) or _rule_set(context, name)


async def _flips(
    context: typer.Context, file: Path | None, pair: Pair, day: date, format_: Format
) -> tuple[Flips, bool]:
    if file is not None:
        return await _print_flips(from_file(file, pair[0], day), pair, day, format_)
    async with gateway(settings_of(context)) as built:
        found = await _print_flips(_stored(built, pair[0], day), pair, day, format_)
        async with built.database.transaction() as connection:
            await activations.add_diff(connection, _kept(found[0], pair, day, built.clock()))
        return found


def _stored(built: Gateway, old: RuleSet, day: date) -> AsyncIterator[Batch]:
    """The subjects that the old rule set scores; all, where it scores nobody."""
    rulebook = built.rulebook
    names = rulebook.bound_names
    bound = frozenset(n for n in names if rulebook.in_force(n, day).version == old.version)
    return from_store(built.database, rulebook, day, rule_set=old, bound=bound or None)


def _kept(flipped: Flips, pair: Pair, day: date, now: datetime) -> dict[str, Any]:
    """What is kept of a diff against the store: `rules activate` asks for a fresh one."""
    return {
        "old_hash": pair[0].version,
        "new_hash": pair[1].version,
        "as_of": day,
        "population": flipped.subjects,
        "flips": flipped.frame.height,
        "totals": {str(way): count for way, count in flipped.by_direction.items()},
        "made_by": getpass.getuser(),
        "made_at": now,
    }


async def _print_flips(
    batches: AsyncIterator[Batch], pair: Pair, day: date, format_: Format
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
