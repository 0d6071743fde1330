"""`rescore`: score a whole population at once, without changing any record."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from gateway.cli.options import day_of, rule_set_of, there, writable
from gateway.cli.output import (
    STANDARD_INPUT,
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
from gateway.config.clock import system_clock
from gateway.config.settings import Settings
from gateway.population.batches import RuledSlice, Totals, from_file, from_store, results
from gateway.population.shape import UnusablePopulation
from gateway.service.app import reading
from gateway.titles import NOT_EVALUATED
from schemas.base import today
from schemas.credit import NotEvaluated
from scoring.population.assess import RESULT
from scoring.regulation.ruleset import RuleSet

StoreOption = Annotated[bool, typer.Option("--store", help="用数据库里的全部对象")]
AsOfOption = Annotated[str | None, typer.Option(help="评价日期，默认今天")]


def rescore(  # noqa: PLR0913, PLR0917 - one for each option
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(callback=there, help="对象和信息：Parquet，或 score 的输入格式（NDJSON）"),
    ] = None,
    store: StoreOption = False,
    rule_set: Annotated[
        str | None,
        typer.Option("--rule-set", help="评价办法的名字或 YAML 文件；--store 默认按配置"),
    ] = None,
    as_of: AsOfOption = None,
    out: Annotated[
        Path | None, typer.Option(callback=writable, help="把每个对象的结果写到这个 Parquet 文件")
    ] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Score a whole population and print the totals; nothing is written to the store."""
    check_source(file, store=store)
    if rule_set is None and not store:
        fail("请写明 --rule-set")
    rules = rule_set_of(context, rule_set) if rule_set else None
    day = day_of(as_of) if as_of else today(system_clock())
    kept: list[pl.DataFrame] | None = None if out is None else []

    async def work() -> tuple[list[Totals], bool]:
        async with batches_of(settings_of(context), file, rules, day) as batches:
            with progress("重算") as advance:
                return await _rescore(batches, day, kept, advance)

    totals, failed = guarded(work)
    if out is not None and kept is not None:
        pl.concat(kept or [_row_frame()]).write_parquet(out)
    for one in totals:
        _print_totals(one, day, format_)
    if failed:
        raise typer.Exit(Exit.PROBLEMS)


def check_source(file: Path | None, *, store: bool) -> None:
    """Refuse a population from both file and store, from neither, or from standard input."""
    if (file is None) is not store:
        fail("写一个文件，或写 --store，二者取一")
    if file == STANDARD_INPUT:
        fail("这个命令不读标准输入，请写文件名")


def guarded(work: Callable[[], Any]) -> Any:
    """Run the work; an unusable file is wrong use."""
    try:
        return run(work)
    except (UnusablePopulation, OSError) as error:
        fail(str(error))


@asynccontextmanager
async def batches_of(
    settings: Settings, file: Path | None, rules: RuleSet | None, day: date
) -> AsyncIterator[AsyncIterator[RuledSlice]]:
    """Yield the slices of the file, or of the store without a file."""
    if file is not None and rules is not None:
        yield from_file(file, rules, day)
        return
    async with reading(settings) as built:
        yield from_store(built.database, built.rulebook, day, rule_set=rules)


async def _rescore(
    batches: AsyncIterator[RuledSlice],
    day: date,
    kept: list[pl.DataFrame] | None,
    advance: Callable[[int], None],
) -> tuple[list[Totals], bool]:
    totals: dict[str | None, Totals] = {}
    failed = False
    async for rules, one in batches:
        frame = results(rules, one.population, day)
        key = rules.version if rules else None
        totals.setdefault(key, Totals(rules)).add(frame)
        if kept is not None:
            name = rules.name if rules else None
            kept.append(frame.with_columns(rule_set=pl.lit(name, pl.String)))
        for error in one.errors:
            print_json(error)
        failed |= bool(one.errors)
        advance(one.population.size)
    return list(totals.values()) or [Totals(None)], failed


def _row_frame() -> pl.DataFrame:
    """Return an empty table of results."""
    return RESULT.to_frame().with_columns(rule_set=pl.lit(None, pl.String))


def _print_totals(totals: Totals, day: date, format_: Format) -> None:
    rules = totals.rule_set
    if format_ is Format.JSON:
        ref = rules and {"name": rules.name, "version": rules.version, "status": rules.status}
        print_json(
            {
                "rule_set": ref,
                "as_of": day,
                "subjects": totals.subjects,
                "grades": totals.by_grade,
                "vetoes": totals.vetoes,
                "not_evaluated": dict(totals.not_evaluated),
            }
        )
        return
    trial = "（试算）" if rules and rules.status == "draft" else ""
    if not totals.subjects:
        print_line("没有可以重算的对象")
        return
    name = f"{rules.name} {rules.title}{trial}" if rules else "没有适用的评价办法"
    print_line(f"{name}，评价日期 {day}：{totals.subjects:,} 个对象")
    titles: dict[str, dict[str, None]] = {}
    for table in rules.tables.values() if rules else ():
        for band in table.bands:
            titles.setdefault(band.grade, {})[band.title] = None
    for grade, count in totals.by_grade.items():
        title = "、".join(titles.get(grade, ()))  # kinds of subjects have words of their own
        print_line(f"  {grade}{f' {title}' if title not in {'', grade} else ''} {count:,}")
    print_line(f"  直接评定 {totals.vetoes:,}")
    for reason, count in totals.not_evaluated.most_common():
        print_line(f"  不评价（{NOT_EVALUATED[NotEvaluated(reason)]}）{count:,}")
