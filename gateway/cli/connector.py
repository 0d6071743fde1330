"""`connector list|test`: which kinds of destinations there are, what those configured can do."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

import connectors
from connectors.conformance import PromiseResult, PromiseVerdict, Trial, examine, made_up
from connectors.protocol import Abilities, Limits, OnUnknown
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
from gateway.config.clock import system_clock
from gateway.config.errors import BadConfiguration
from gateway.config.settings import Settings
from gateway.deliver.connect import build_connector, is_by_person, limits_of
from schemas.destination import AcceptedBy, Destination

_ACCEPTED_BY = {
    AcceptedBy.ANSWER: "应答",
    AcceptedBy.RECEIPT: "回执",
    AcceptedBy.LISTING: "公示清单",
}
_FINDS_OUT = {
    OnUnknown.LOOK_UP: "结果不明时查询",
    OnUnknown.LISTING: "结果不明时查公示清单",
    OnUnknown.RESEND: "结果不明时重报，对方去重",
    OnUnknown.PERSON: "结果不明时由人查明",
}
_LOOK_UPS = {True: "可逐条查询", False: "不能逐条查询", None: "能否逐条查询，看设置"}
_RECEIPTS = {True: "有回执", False: "没有回执：送达后不知是否入库", None: "有无回执，看设置"}
_LISTINGS = {True: "有公示清单", False: "没有公示清单：不能与它对账", None: "有无公示清单，看设置"}
_VERDICTS = {
    PromiseVerdict.HELD: "守约",
    PromiseVerdict.BROKEN: "违约",
    PromiseVerdict.UNTRIED: "未试成",
    PromiseVerdict.DOES_NOT_APPLY: "不适用",
}
#: Settings that say where a destination is.
_WHERE = ("url", "host", "bootstrap_servers", "to")


def connector_list(context: typer.Context, format_: FormatOption = Format.TEXT) -> None:
    """Print the kinds, where each comes from, and the abilities of the destinations."""
    settings = settings_of(context)
    _print_kinds(format_)

    async def work() -> bool:
        done = True
        for destination in settings.destinations:
            try:
                limits = await limits_of(settings, destination, system_clock)
            except BadConfiguration as error:
                done = False
                _print_fault(destination, str(error), format_)
            else:
                _print_abilities(destination, limits, format_)
        return done

    if not run(work):
        raise typer.Exit(Exit.PROBLEMS)


def connector_test(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="DESTINATION", help="报送对象的 name")],
    yes: Annotated[bool, typer.Option("--yes", help="真的发送；不写只说明会发什么")] = False,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Try every promise of a connector on a live test endpoint; the database is not touched."""
    settings = settings_of(context)
    named = {one.name: one for one in settings.destinations}
    if name not in named:
        fail(f"没有报送对象 {name}；配置里 destinations 有：{'、'.join(named) or '无'}")
    destination = named[name]
    if is_by_person(destination):
        fail(f"{name} 由人上报，没有接口可试；下载模板用 upload make {name}")
    if not yes:
        fail(f"{_plan(destination)}；核对是对方的测试环境后，加 --yes 才发送")
    if format_ is Format.TEXT:
        print_line(_plan(destination))
    verdicts, limits = run(lambda: _tried(settings, destination, format_))
    _print_abilities(destination, limits, format_)
    if PromiseVerdict.BROKEN in verdicts:
        raise typer.Exit(Exit.PROBLEMS)
    if PromiseVerdict.UNTRIED in verdicts:
        raise typer.Exit(Exit.NO_ANSWER)


async def _tried(
    settings: Settings, destination: Destination, format_: Format
) -> tuple[set[PromiseVerdict], Limits]:
    """Try the promises on the connector of a destination, and print each result as it comes."""
    connector = build_connector(settings, destination, system_clock)
    now = system_clock()
    makers = [made_up(kind, now) for kind in sorted(destination.takes)]
    trial = Trial(connector, makers, system_clock, destination.settle)
    found = set()
    async for result in examine(trial):
        found.add(result.verdict)
        _print_result(result, format_)
    return found, connector.limits


def _print_kinds(format_: Format) -> None:
    """Print the kinds, built in and of other packages; one that cannot be used, with its fault."""
    for name in sorted(connectors.CONNECTORS):
        _print_kind(name, None, connectors.CONNECTORS[name], format_)
    for other in connectors.plugged_in():
        try:
            _print_kind(other.name, other.package, other.load(), format_)
        except connectors.UnusablePackage as error:
            if format_ is Format.JSON:
                named = {"name": other.name, "kind": other.name, "package": other.package}
                print_json({**named, "error": str(error)})
            else:
                print_line(str(error))


def _print_kind(
    name: str, package: str | None, kind: connectors.ConnectorKind, format_: Format
) -> None:
    """Print a kind with its abilities, as far as they are the same for all its destinations."""
    able = kind.abilities
    if format_ is Format.JSON:
        named = {"name": name, "kind": name, "package": package, "batch_size": kind.batch_size}
        print_json({**named, **able.model_dump(mode="json"), "has_look_up": _has_look_up(able)})
        return
    batch = [f"缺省每批 {kind.batch_size} 条"] if kind.batch_size else []
    print_line(f"通道 {name}：{package or '自带'}；{'，'.join([*batch, *_told(able)])}")


def _has_look_up(able: Abilities | Limits) -> bool | None:
    return None if able.on_unknown is None else able.on_unknown is OnUnknown.LOOK_UP


def _told(able: Abilities | Limits) -> list[str]:
    """Return what a kind, or a destination, can do."""
    found_out = "结果不明时怎样查明，看设置"
    return [
        found_out if able.on_unknown is None else _FINDS_OUT[able.on_unknown],
        _LOOK_UPS[_has_look_up(able)],
        _RECEIPTS[able.has_receipts],
        _LISTINGS[able.has_listing],
    ]


def _print_fault(destination: Destination, error: str, format_: Format) -> None:
    if format_ is Format.JSON:
        print_json({**_named(destination), "error": error})
    else:
        print_line(f"报送对象 {destination.name}（{destination.connector}）不能用：{error}")


def _print_abilities(destination: Destination, limits: Limits, format_: Format) -> None:
    if format_ is Format.JSON:
        told = limits.model_dump(mode="json") | {"has_look_up": _has_look_up(limits)}
        by_person = {"by_person": is_by_person(destination)}
        own = {"resends": destination.resends, "accepted_by": destination.accepted_by}
        print_json({**_named(destination), **told, **by_person, **own})
        return
    if is_by_person(destination):
        told_by = f"由人上报（upload make {destination.name}），每个文件最多 {limits.batch_size} 行"
        print_line(f"报送对象 {destination.name}（{destination.connector}）：{told_by}")
        return
    able = [f"每批 {limits.batch_size} 条", f"并发 {limits.concurrency}"]
    able += [f"单次调用 {limits.call_timeout.total_seconds():g} 秒", *_told(limits)]
    if not destination.resends:
        able.append("不自动重报（resends: false）")
    if destination.accepted_by is not None:
        able.append(f"有效入库以{_ACCEPTED_BY[destination.accepted_by]}为准")
    print_line(f"报送对象 {destination.name}（{destination.connector}）：{'，'.join(able)}")


def _named(destination: Destination) -> Mapping[str, Any]:
    name = destination.name
    return {"name": name, "destination": name, "kind": destination.connector}


def _print_result(result: PromiseResult, format_: Format) -> None:
    promise = result.promise
    if format_ is Format.JSON:
        told = {"name": promise.name, "title": promise.title}
        print_json({**told, "result": result.verdict.value, "why": result.why or None})
    else:
        why = f"：{result.why}" if result.why else ""
        print_line(f"{_VERDICTS[result.verdict]} {promise.title}{why}")


def _plan(destination: Destination) -> str:
    """Return what a test sends, and where."""
    given = (destination.settings.get(key) for key in _WHERE)
    where = next((_without_secrets(one) for one in given if isinstance(one, str)), "")
    kinds = "、".join(sorted(destination.takes))
    return (
        f"向报送对象 {destination.name}（{destination.title}，通道 {destination.connector}"
        f"{f'，{where}' if where else ''}）发送约二十条编造的测试条目（{kinds}）：单位是"
        "“通道测试有限公司（测试）”，文书号以“测试”开头，有的会重报、更正、撤回；"
        "不写本系统的数据库，对方收下的须由对方清除"
    )


def _without_secrets(address: str) -> str:
    """Return the host of a URL: its path and query may hold keys."""
    return urlsplit(address).hostname or address if "://" in address else address
