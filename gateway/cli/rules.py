"""`rules list|show|test`: list, show and test rule sets 评价办法."""

from dataclasses import asdict
from typing import Annotated

import typer

from gateway.cli.options import rule_set_of
from gateway.cli.output import Exit, Format, FormatOption, print_json, print_line, settings_of
from gateway.rules.policybook import Policybook
from gateway.rules.rulebook import Rulebook
from gateway.titles import RULE_SET_STATUSES
from scoring.cases.coverage import Coverage, coverage, uncovered
from scoring.cases.rule_set_cases import run_case
from scoring.errors import RuleSetError
from scoring.regulation.table import Band


def rules_list(context: typer.Context, format_: FormatOption = Format.TEXT) -> None:
    """Print all rule sets and policies."""
    rulebook = Rulebook(settings_of(context).scoring)
    end = Exit.DONE
    for name in rulebook.names:
        try:
            one = rulebook.covered(name).rule_set
        except RuleSetError as error:
            end = Exit.PROBLEMS
            if format_ is Format.JSON:
                print_json({"name": name, "kind": "rule_set", "error": str(error)})
            else:
                print_line(f"{name} 不能使用：{error}")
            continue
        if format_ is Format.JSON:
            answer = {
                "name": name,
                "kind": "rule_set",
                "title": one.title,
                "status": one.status,
                "version": one.version,
            }
            print_json(answer | {"effective_from": one.effective_from})
        else:
            print_line(f"{name} {one.title}：{RULE_SET_STATUSES[one.status.value]}")
    policybook = Policybook(settings_of(context).scoring)
    titles = [("measures", one.name, one.title) for one, _ in policybook.measures.values()]
    titles += [("publicity", one.name, one.title) for one in policybook.regimes]
    for kind, name, title in titles:
        if format_ is Format.JSON:
            print_json({"name": name, "kind": kind, "title": title})
        else:
            print_line(f"{_POLICIES[kind]} {name} {title}")
    raise typer.Exit(end)


def rules_show(context: typer.Context, name: str, format_: FormatOption = Format.TEXT) -> None:
    """Print the items, grades and notes of a rule set."""
    one = rule_set_of(context, name)
    if format_ is Format.JSON:
        print_json(one.model_dump(mode="json"))
        return
    print_line(f"{one.title}：{RULE_SET_STATUSES[one.status.value]}，版本 {one.version[:12]}")
    for table_name, table in one.tables.items():
        print_line(f"\n[{table_name}] 起始分 {table.start}")
        for row in table.rows:
            points = getattr(row, "points", None)
            print_line(
                f"  {row.id} {points if points is not None else '—'} {row.title}（{row.article}）"
            )
            for each in row.unless:
                print_line(f"    例外 {each.id} {each.points or '不计'}：{each.text}")
        for band in table.bands:
            colour = f"，{band.colour}" if band.colour else ""
            print_line(
                f"  等级 {band.grade} {band.title}{colour}：{_range(band)}（{band.article}）"
            )
    print_line("\n理解说明")
    for note in one.notes:
        print_line(f"  {note.id} {note.question}：{note.reading}")
    if unread := one.unverified_values():
        print_line("\n未见原文、待核对")
        print_line("  " + "，".join(unread))


def _range(band: Band) -> str:
    """Return the score range of a grade with both ends."""
    ends = (
        ("≥", band.at_least),
        (">", band.above),
        ("≤", band.at_most),
        ("<", band.below),
    )
    return "，".join(f"得分{sign}{value}" for sign, value in ends if value is not None)


def rules_test(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="默认全部")] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Run the cases of rule sets and policies, and print their coverage."""
    rulebook = Rulebook(settings_of(context).scoring)
    failed = False
    for each in [name] if name else rulebook.names:
        loaded = rulebook.load(each)
        wrong = [line for case in loaded.cases for line in run_case(loaded.rule_set, case)]
        missing = uncovered(loaded.rule_set, loaded.case_file)
        failed |= bool(wrong or missing)
        reached = coverage(loaded.rule_set, loaded.case_file)
        if format_ is Format.JSON:
            answer = {"name": each, "kind": "rule_set", "cases": len(loaded.cases)}
            exempt = [each.model_dump() for each in loaded.case_file.unreachable]
            answer |= {"mismatches": wrong, "coverage": asdict(reached), "uncovered": missing}
            print_json(answer | {"unreachable": exempt})
        else:
            print_line(f"{each}：{len(loaded.cases)} 个用例，{len(wrong)} 处不符")
            print_line(f"    {_reached(reached)}")
            for one in loaded.case_file.unreachable:
                print_line(f"    得分到不了 {one.edge}：{one.reason}")
            for line in wrong:
                print_line(f"    {line}")
            for line in missing:
                print_line(f"    没有用例：{line}")
    if name is None:
        failed |= _test_policies(context, format_)
    if failed:
        raise typer.Exit(Exit.PROBLEMS)


def _test_policies(context: typer.Context, format_: Format) -> bool:
    """Run the cases of measure and publicity policies; return whether any failed."""
    runs = list(Policybook(settings_of(context).scoring).run_cases())
    for one in runs:
        if format_ is Format.JSON:
            answer = {"name": one.name, "kind": one.kind, "cases": one.cases}
            print_json(answer | {"mismatches": one.mismatches})
        else:
            title = _POLICIES[one.kind]
            print_line(f"{title} {one.name}：{one.cases} 个用例，{len(one.mismatches)} 处不符")
            for line in one.mismatches:
                print_line(f"    {line}")
    return any(one.mismatches for one in runs)


_POLICIES = {"measures": "监管措施", "publicity": "公示规则"}


def _reached(reached: Coverage) -> str:
    shares = (("评价项", reached.items), ("等级边界", reached.bands), ("日期边界", reached.dates))
    return "，".join(f"{name} {share.covered}/{share.total}" for name, share in shares)
