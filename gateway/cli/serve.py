"""`up` and `sandbox`: servers that run until a signal to stop."""

import signal
from functools import partial
from typing import Annotated

import typer

from connectors.sandbox import BankPlace, PlatformPlace, create_sandbox, serve_sandbox
from connectors.sandbox.rehearsals import words_of
from gateway.cli.output import (
    fail,
    print_line,
    run,
    settings_of,
    stopped,
)
from gateway.config.clock import system_clock
from gateway.config.settings import Settings
from gateway.service import systemd
from gateway.service.app import gateway
from gateway.service.roles import ALL_ROLES, Role
from gateway.service.roles import run as run_roles
from gateway.telemetry import log
from gateway.web.connections import raise_descriptors


def up(
    context: typer.Context,
    roles: Annotated[
        list[str] | None, typer.Option(help="intake,deliver,schedule,web 中的几个")
    ] = None,
) -> None:
    """Run the roles until a signal to stop."""
    named = ",".join(roles or ())
    try:
        wanted = frozenset(Role(name) for name in named.split(",") if name) or ALL_ROLES
    except ValueError:
        fail(f"没有角色 {named}；可用：{','.join(Role)}")
    log.set_up()
    raise_descriptors()
    run(lambda: _up(settings_of(context), wanted))


async def _up(settings: Settings, roles: frozenset[Role]) -> None:
    async with gateway(settings) as built, run_roles(built, roles) as running:
        if running.web_port is not None:
            print_line(f"HTTP 接口：{settings.http.host}:{running.web_port}")
        print_line("已启动，按 Ctrl-C 停止")
        if (pause := systemd.watchdog_seconds()) is not None:
            running.add("watchdog", partial(systemd.tell_alive, running), pause)
        systemd.tell(systemd.READY)
        await stopped()
        systemd.tell(systemd.STOPPING)
        # The kernel ends a stop that hangs: the rest is found out as after a crash.
        signal.alarm(running.stop_seconds)


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="端口，0 为任意空闲")] = 8090,
    platform: Annotated[list[str] | None, typer.Option(help="平台名，可多次")] = None,
    bank: Annotated[list[str] | None, typer.Option(help="名=whsec_密钥，可多次")] = None,
    unmarked: Annotated[
        list[str] | None, typer.Option(help="不按文书号里的演练词应答的平台名，可多次")
    ] = None,
) -> None:
    """Serve the sandbox platform until a signal to stop."""
    names = platform or ["credit-zhengzhou", "credit-china"]
    if strange := set(unmarked or ()).difference(names):
        fail(f"--unmarked {'、'.join(sorted(strange))}：没有这个平台；现有：{'、'.join(names)}")
    places: dict[str, PlatformPlace | BankPlace] = {
        name: PlatformPlace(marks=name not in (unmarked or ())) for name in names
    }
    for entry in bank or ():
        name, found, key = entry.partition("=")
        if not found:
            fail(f"--bank {entry}：写成 名=whsec_密钥")
        places[name] = BankPlace.model_validate({"secrets": [key]})

    async def work() -> None:
        async with serve_sandbox(create_sandbox(system_clock, places), port) as url:
            print_line(f"沙箱：{url}（{'、'.join(places)}），按 Ctrl-C 停止")
            print_line(f"演练：文书号末尾的演练词{words_of('json')}")
            await stopped()

    run(work)
