"""`trail`: the story of a decision, from its arrival to the last answer."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Annotated, Any

import typer

from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    fail,
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.reconcile.difference import KIND_TITLES
from gateway.service.app import reading
from gateway.store.account.trail import Happened, Passage, trail
from gateway.titles import ATTEMPT_OUTCOMES, AUDIT_EVENTS, EXCLUSIONS, VERB_TITLES, VERDICTS
from schemas.base import SHANGHAI
from schemas.codes import Verb
from schemas.identifiers import masked
from schemas.kinds import keys_of
from schemas.verdict import Exclusion, Verdict


def trail_command(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="文书号或填的关键列，任何写法")],
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print what happened to the decisions of a document number, in the order of time."""

    async def work() -> list[Happened]:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            return list(await trail(c, keys_of(number)))

    found = run(work)
    if not found:
        fail(f"没有文书号 {number} 的决定；拒收的来件见 quarantine list", Exit.PROBLEMS)
    for decision, steps in groupby(found, key=lambda one: one.decision_id):
        if format_ is Format.TEXT:
            print_line(f"决定 {decision}")
        for one in steps:
            if format_ is Format.JSON:
                print_json(asdict(one))
            else:
                at = f"{one.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
                print_line(f"  {at} {masked(_words(one))}".rstrip())


def _words(one: Happened) -> str:
    """Return one step in Chinese."""
    return _SAID[one.step](one.where or "", one.detail)


def _arrived(where: str, detail: Mapping[str, Any]) -> str:
    return f"收到 {where}：{VERDICTS[Verdict(detail['verdict'])]}"


def _recorded(_where: str, detail: Mapping[str, Any]) -> str:
    return f"记为第 {detail['version']} 版{_verb(detail)}{_excluded(detail)}"


def _owed(where: str, detail: Mapping[str, Any]) -> str:
    return f"报送 {detail['delivery']} 应报 {where}{_verb(detail)}"


def _called(where: str, detail: Mapping[str, Any]) -> str:
    act = "查询" if detail["act"] == "look_up" else "调用"
    outcome = ATTEMPT_OUTCOMES.get(detail["outcome"], "未知")
    return f"报送 {detail['delivery']} {act} {where}：{outcome} {_reasons(detail)}"


def _answered(where: str, detail: Mapping[str, Any]) -> str:
    verdict = "有效入库" if detail["accepted"] else "被退回"
    return f"报送 {detail['delivery']} {where} 回执：{verdict} {_reasons(detail)}"


def _said(_where: str, detail: Mapping[str, Any]) -> str:
    return f"报送 {detail['delivery']} {detail['actor']} 说明：{detail['words']}"


def _done(_where: str, detail: Mapping[str, Any]) -> str:
    why = f"，原因：{detail['reason']}" if detail.get("reason") else ""
    act = AUDIT_EVENTS.get(detail["event"], detail["event"])
    return f"报送 {detail['delivery']} {detail['actor']} {act}{why}"


def _differs(where: str, detail: Mapping[str, Any]) -> str:
    told = "；".join(f"{KIND_TITLES[flag['kind']]}：{flag['cause']}" for flag in detail["flags"])
    return f"与 {where} 对账有差异：{told}"


_SAID: Mapping[Passage, Callable[[str, Mapping[str, Any]], str]] = {
    Passage.ARRIVED: _arrived,
    Passage.RECORDED: _recorded,
    Passage.OWED: _owed,
    Passage.CALLED: _called,
    Passage.ANSWERED: _answered,
    Passage.DIFFERS: _differs,
    Passage.AGREES: lambda where, _: f"与 {where} 对账的差异已消除",
    Passage.SAID: _said,
    Passage.DONE: _done,
}


def _reasons(detail: Mapping[str, Any]) -> str:
    return "；".join(detail.get("reasons") or ())


def _verb(detail: Mapping[str, Any]) -> str:
    title = VERB_TITLES.get(Verb(detail["verb"]))
    return f"（{title}）" if title else ""


def _excluded(detail: Mapping[str, Any]) -> str:
    reason = detail.get("excluded")
    return f"，不予报送（{EXCLUSIONS[Exclusion(reason)]}）" if reason else ""
