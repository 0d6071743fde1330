"""Commands that run servers: demo, up, sandbox, doctor."""

import asyncio
import logging
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from connectors.sandbox import BankPlace, PlatformPlace, create_sandbox, serve_sandbox
from gateway import log
from gateway.app import gateway
from gateway.cli.terminal import (
    Exit,
    Format,
    FormatOption,
    console,
    fail,
    print_json,
    print_line,
    progress,
    run,
    settings_of,
)
from gateway.clock import system_clock
from gateway.demo import report
from gateway.demo.run import DemoRunning, play, set_stage
from gateway.demo.story import FIRST_DAY, LAST_DAY
from gateway.doctor import examine
from gateway.roles import ALL_ROLES, Role
from gateway.roles import run as run_roles
from gateway.settings import Settings


def up(
    context: typer.Context,
    roles: Annotated[str, typer.Option(help="intake,deliver,schedule,web 中的几个")] = "",
) -> None:
    """Run the roles until a signal to stop."""
    try:
        wanted = frozenset(Role(name) for name in roles.split(",") if name) or ALL_ROLES
    except ValueError:
        fail(f"没有角色 {roles}；可用：{','.join(Role)}")
    log.set_up()
    run(lambda: _up(settings_of(context), wanted))


async def _up(settings: Settings, roles: frozenset[Role]) -> None:
    async with gateway(settings) as built, run_roles(built, roles) as running:
        if running.web_port is not None:
            print_line(f"HTTP 接口：{settings.http.host}:{running.web_port}")
        print_line("已启动，按 Ctrl-C 停止")
        await stopped()


async def stopped() -> None:
    """Wait for the signal to stop."""
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, event.set)
    await event.wait()


def demo(
    state: Annotated[Path, typer.Option(help="演示用的目录，每次从空开始")] = Path("var/demo"),
    keep: Annotated[bool, typer.Option("--keep", help="演示完不退出")] = False,
) -> None:
    """Play the demo's story on services of its own."""
    log.set_up(logging.CRITICAL)
    try:
        run(lambda: _demo(state, keep=keep))
    except DemoRunning as error:
        fail(str(error), Exit.PROBLEMS)


async def _demo(state: Path, *, keep: bool) -> None:
    out = console()
    async with AsyncExitStack() as stack:
        out.print("正在启动 PostgreSQL、Kafka、沙箱平台和网关 …")
        stage = await set_stage(state, stack)
        days = (LAST_DAY - FIRST_DAY).days + 1
        out.print(f"时钟从 {FIRST_DAY} 逐日走到 {LAST_DAY}，发布样例月和十五个已公开的决定 …")
        with progress("演示", days) as advance:
            await play(stage, lambda _day: advance(1))
        report.show(out, stage, await report.find(stage))
        await report.close_month(out, stage, state)
        if keep:
            out.print(
                f"保持运行：沙箱 {stage.url}，Kafka {stage.bootstrap}，数据库 "
                f"{stage.gateway.database.engine.url}；按 Ctrl-C 停止"
            )
            await stopped()


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="端口，0 为任意空闲")] = 8090,
    platform: Annotated[list[str] | None, typer.Option(help="平台名，可多次")] = None,
    bank: Annotated[list[str] | None, typer.Option(help="名=whsec_密钥，可多次")] = None,
) -> None:
    """Serve the sandbox platform until a signal to stop."""
    places: dict[str, PlatformPlace | BankPlace] = {
        name: PlatformPlace() for name in platform or ["credit-zhengzhou", "credit-china"]
    }
    for entry in bank or ():
        name, found, key = entry.partition("=")
        if not found:
            fail(f"--bank {entry}：写成 名=whsec_密钥")
        places[name] = BankPlace.model_validate({"secrets": [key]})

    async def work() -> None:
        async with serve_sandbox(create_sandbox(system_clock, places), port) as url:
            print_line(f"沙箱：{url}（{'、'.join(places)}），按 Ctrl-C 停止")
            await stopped()

    run(work)


def doctor(context: typer.Context, format_: FormatOption = Format.TEXT) -> None:
    """Print what is wrong with machine and configuration."""
    findings = run(lambda: examine(settings_of(context)))
    for finding in findings:
        if format_ is Format.JSON:
            print_json({"name": finding.name, "ok": finding.ok, "detail": finding.detail})
        else:
            print_line(f"{'正常' if finding.ok else '异常'} {finding.name}：{finding.detail}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(Exit.PROBLEMS)
