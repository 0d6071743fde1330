"""`connector list`: which kinds of destinations there are, and what those configured can do."""

from importlib.metadata import entry_points

import typer

import connectors
from connectors.protocol import Limits, OnUnknown
from gateway.cli.output import Format, FormatOption, print_json, print_line, run, settings_of
from gateway.config.clock import system_clock
from gateway.deliver.connect import build_connector, is_by_person
from schemas.destination import Destination

_FINDS_OUT = {
    OnUnknown.LOOK_UP: "结果不明时查询",
    OnUnknown.LISTING: "结果不明时查公示清单",
    OnUnknown.RESEND: "结果不明时重报，对方去重",
    OnUnknown.PERSON: "结果不明时由人查明",
}


def connector_list(context: typer.Context, format_: FormatOption = Format.TEXT) -> None:
    """Print the kinds, where each comes from, and the abilities of the destinations."""
    settings = settings_of(context)
    from_others = {one.name: one for one in entry_points(group=connectors.GROUP)}
    for kind in sorted(connectors.kinds()):
        other = None if kind in connectors.CONNECTORS else from_others[kind].dist
        package = "" if other is None else f"{other.name} {other.version}"
        if format_ is Format.JSON:
            print_json({"kind": kind, "package": package or None})
        else:
            print_line(f"通道 {kind}：{package or '自带'}")

    async def work() -> None:
        for destination in settings.destinations:
            connector = build_connector(destination, system_clock)
            limits = connector.limits
            await connector.close()
            _print(destination, limits, format_)

    run(work)


def _print(destination: Destination, limits: Limits, format_: Format) -> None:
    if format_ is Format.JSON:
        kind = {"destination": destination.name, "kind": destination.connector}
        print_json(kind | {"by_person": is_by_person(destination)} | limits.model_dump(mode="json"))
        return
    if is_by_person(destination):
        told = f"由人上报（upload make {destination.name}），每个文件最多 {limits.batch_size} 行"
        print_line(f"报送对象 {destination.name}（{destination.connector}）：{told}")
        return
    able = [f"每批 {limits.batch_size} 条", f"并发 {limits.concurrency}"]
    able += [f"单次调用 {limits.call_timeout.total_seconds():g} 秒", _FINDS_OUT[limits.on_unknown]]
    able.append("有回执" if limits.has_receipts else "没有回执：送达后不知是否入库")
    able.append("有公示清单" if limits.has_listing else "没有公示清单：不能与它对账")
    print_line(f"报送对象 {destination.name}（{destination.connector}）：{'，'.join(able)}")
