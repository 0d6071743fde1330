"""`up` and `sandbox`: servers that run until a signal to stop."""

import signal
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from connectors.sandbox import (
    BankPlace,
    Place,
    PlatformPlace,
    Sandbox,
    create_sandbox,
    serve_sandbox,
)
from connectors.sandbox.rehearsals import words_of
from gateway.cli.output import (
    fail,
    print_line,
    run,
    settings_of,
    stopped,
)
from gateway.cli.sandbox_places import PlaceServer, exchange_place, files_place, mail_place
from gateway.cli.sandbox_topic import topic_place
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


def sandbox(  # noqa: PLR0913, PLR0917  one for each option
    port: Annotated[int, typer.Option(min=0, max=65535, help="端口，0 为任意空闲")] = 8090,
    platform: Annotated[list[str] | None, typer.Option(help="平台名，可多次")] = None,
    bank: Annotated[list[str] | None, typer.Option(help="名=whsec_密钥，可多次")] = None,
    files: Annotated[str | None, typer.Option(help="名=目录：以 SFTP 收报文的平台")] = None,
    files_port: Annotated[
        int, typer.Option(min=0, max=65535, help="SFTP 的端口，0 为任意空闲")
    ] = 8022,
    exchange: Annotated[str | None, typer.Option(help="名=目录：有前置库的平台")] = None,
    exchange_port: Annotated[
        int, typer.Option(min=0, max=65535, help="前置库的端口，0 为任意空闲")
    ] = 8054,
    mail: Annotated[str | None, typer.Option(help="名=目录：收邮件的单位")] = None,
    mail_port: Annotated[
        int, typer.Option(min=0, max=65535, help="SMTP 的端口，0 为任意空闲")
    ] = 8025,
    topic: Annotated[str | None, typer.Option(help="名=目录：以 Kafka 收发的平台")] = None,
    topic_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Kafka 的端口，0 为任意空闲")
    ] = 8092,
    unmarked: Annotated[list[str] | None, typer.Option(help="不看演练词的平台，可多次")] = None,
) -> None:
    """Serve the sandbox platform until a signal to stop."""
    places: dict[str, Place] = {
        name: PlatformPlace() for name in platform or ["credit-zhengzhou", "credit-china"]
    }
    for entry in bank or ():
        name, key = _pair("bank", entry, "whsec_密钥")
        places[name] = BankPlace.model_validate({"secrets": [key]})
    others: list[PlaceServer] = []
    if files is not None:
        name, folder = _pair("files", files, "目录")
        places[name], server = files_place(Path(folder), files_port)
        others.append(server)
    if exchange is not None:
        name, folder = _pair("exchange", exchange, "目录")
        places[name], server = exchange_place(name, Path(folder), exchange_port)
        others.append(server)
    if mail is not None:
        name, folder = _pair("mail", mail, "目录")
        places[name], server = mail_place(Path(folder), mail_port)
        others.append(server)
    if topic is not None:
        name, folder = _pair("topic", topic, "目录")
        places[name], server = topic_place(name, Path(folder), topic_port)
        others.append(server)
    for name in unmarked or ():
        place = places.get(name)
        if place is None or isinstance(place, BankPlace):
            fail(f"--unmarked {name}：没有这个平台；现有：{'、'.join(places)}")
        places[name] = place.model_copy(update={"marks": False})
    run(lambda: _serve(create_sandbox(system_clock, places), port, others))


def _pair(option: str, entry: str, what: str) -> tuple[str, str]:
    name, found, value = entry.partition("=")
    if not found:
        fail(f"--{option} {entry}：写成 名={what}")
    return name, value


async def _serve(made: Sandbox, port: int, others: list[PlaceServer]) -> None:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serve_sandbox(made, port))
        print_line(f"沙箱：{url}（{'、'.join(made.books)}），按 Ctrl-C 停止")
        for serve in others:
            print_line(await stack.enter_async_context(serve(made)))
        print_line(f"演练：文书号末尾的演练词{words_of('json')}")
        await stopped()
