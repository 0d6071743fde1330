"""`demo`: run the main job to its end on sample data."""

import logging
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.cli.output import (
    Exit,
    console,
    fail,
    progress,
    run,
    stopped,
)
from gateway.demo import report
from gateway.demo.alerts import Alerts, watch_alerts
from gateway.demo.prometheus import lacking
from gateway.demo.run import FOLDER, DemoRunning, FolderInUse, Stage, play, set_stage
from gateway.demo.story import FIRST_DAY, LAST_DAY
from gateway.demo.world import CONFIGURATION
from gateway.telemetry import log


def demo(
    state: Annotated[Path, typer.Option(help="演示用的目录，每次从空开始")] = FOLDER,
    keep: Annotated[bool, typer.Option("--keep", help="演示完不退出")] = False,
) -> None:
    """Run the demo with its own servers."""
    log.set_up(logging.CRITICAL)
    try:
        run(lambda: _demo(state, keep=keep))
    except (DemoRunning, FolderInUse) as error:
        fail(str(error), Exit.PROBLEMS)


async def _demo(state: Path, *, keep: bool) -> None:
    out = console()
    async with AsyncExitStack() as stack:
        where = f"目录 {state}，每次从空开始"
        out.print(f"正在启动 PostgreSQL、Kafka、沙箱平台和网关（{where}）…", soft_wrap=True)
        stage = await set_stage(state, stack)
        alerts = await _alerts(out, state, stage, stack) if keep else None
        days = (LAST_DAY - FIRST_DAY).days + 1
        out.print(f"时钟从 {FIRST_DAY} 逐日走到 {LAST_DAY}，发布样例月和十五个已公开的决定 …")
        with progress("演示", days) as advance:
            await play(stage, lambda _day: advance(1), None if alerts is None else alerts.look)
        report.show(out, stage, await report.find(stage))
        await report.close_month(out, stage, state)
        if alerts is not None:
            alerts.show(out)
        if keep:
            called = sys.argv[0]  # it may not be on the PATH of another terminal
            program = called if Path(called).name == "credit-gateway" else "credit-gateway"
            out.print(
                f"保持运行：沙箱 {stage.url}，Kafka {stage.bootstrap}，数据库 "
                f"{stage.gateway.database.engine.url}\n"
                f"另开一个终端查看：{program} --config {state / CONFIGURATION} doctor；"
                "在这里按 Ctrl-C 停止",
                soft_wrap=True,
            )
            await stopped()


async def _alerts(out: Console, state: Path, stage: Stage, stack: AsyncExitStack) -> Alerts | None:
    """Start a Prometheus and return its alerts; say why not where there is none."""
    if (why := lacking()) is not None:
        out.print(why, soft_wrap=True)
        return None
    alerts = await watch_alerts(state, stage.gateway.metrics, stage.clock, stack)
    out.print(
        f"Prometheus：{alerts.page}（规则同 deploy/prometheus/rules.yaml；"
        "演示的时钟一步几小时，短于一步的等待都省去）",
        soft_wrap=True,
    )
    return alerts
