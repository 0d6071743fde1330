"""`rules activate|approve|confirm|withdraw|activations`: activation 启用 of rule set texts."""

from collections.abc import Awaitable, Callable
from datetime import date
from fractions import Fraction
from typing import Annotated, Any, TypeVar

import typer

from gateway.cli.options import ByOption, actor, day_of
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
from gateway.rules import activation as lives
from gateway.service.app import Gateway, gateway, reading
from gateway.store.base.engine import Connection
from gateway.store.score import activations
from gateway.store.score.activations import Activation
from schemas.base import SHANGHAI

Made = TypeVar("Made")


NameArgument = Annotated[str, typer.Argument(help="评价办法")]


def rules_activate(
    context: typer.Context,
    name: NameArgument,
    from_: Annotated[str, typer.Option("--from", help="启用日期")],
    replaces: Annotated[str | None, typer.Option(help="替代配置里绑定的哪个评价办法")] = None,
    by: ByOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Propose to activate the text of a rule set."""
    day = day_of(from_)

    async def step(built: Gateway, connection: Connection) -> Activation:
        now = built.clock()
        proposal = _proposal(built, name, day, replaces, actor(by))
        return await lives.propose(connection, built.rulebook, proposal, now)

    _print(_in_transaction(context, step), format_)


def rules_approve(
    context: typer.Context,
    name: NameArgument,
    by: ByOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Approve a proposal as the second person."""

    async def step(built: Gateway, connection: Connection) -> Activation:
        version = built.rulebook.load(name).rule_set.version
        return await lives.approve(connection, name, version, actor(by), built.clock())

    _print(_in_transaction(context, step), format_)


def rules_confirm(
    context: typer.Context,
    name: NameArgument,
    by: ByOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Confirm an activation that changes more grades than the set share."""

    async def step(built: Gateway, connection: Connection) -> Activation:
        return await lives.confirm(connection, name, actor(by), built.clock())

    _print(_in_transaction(context, step), format_)


def rules_withdraw(
    context: typer.Context,
    name: NameArgument,
    by: ByOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Withdraw an activation."""

    async def step(built: Gateway, connection: Connection) -> None:
        await lives.withdraw(connection, name, actor(by), built.clock())

    _in_transaction(context, step)
    if format_ is Format.JSON:
        print_json({"name": name, "state": "withdrawn"})
    else:
        print_line(f"{name} 已撤回")


def _print(found: Activation, format_: Format) -> None:
    if format_ is Format.JSON:
        print_json(_json(found))
    else:
        print_line(_line(found))


def _proposal(
    built: Gateway, name: str, day: date, replaces: str | None, actor: str
) -> lives.Proposal:
    bound = built.rulebook.bound_names
    standing = replaces or (name if name in bound or len(bound) != 1 else bound[0])
    if standing not in bound:
        raise lives.NotActivated(
            f"配置没有绑定 {standing}；用 --replaces 指明替代哪个：{'、'.join(bound) or '无'}"
        )
    loaded = built.rulebook.covered(name)
    for binding in built.settings.scoring.bindings:
        if binding.rule_set == standing:
            built.policybook.measures_of(name, binding.measures)
    share = Fraction(built.settings.scoring.activation_share)
    return lives.Proposal(standing, loaded, day, share, actor)


def _in_transaction(
    context: typer.Context, step: Callable[[Gateway, Connection], Awaitable[Made]]
) -> Made:
    async def work() -> Made:
        async with (
            gateway(settings_of(context)) as built,
            built.database.transaction() as connection,
        ):
            return await step(built, connection)

    try:
        return run(work)
    except lives.NotActivated as error:
        fail(str(error), Exit.PROBLEMS)


def _json(one: Activation) -> dict[str, Any]:
    return {
        "name": one.name,
        "bound": one.bound,
        "hash": one.hash,
        "from": one.from_day,
        "state": _state(one),
        "population": one.population,
        "flips": one.flips,
        "flip_limit": one.flip_limit,
        "changed": one.changed,
        "proposed_by": one.proposed_by,
        "approved_by": one.approved_by,
        "confirmed_by": one.confirmed_by,
    }


def _state(one: Activation) -> str:
    if one.withdrawn_at is not None:
        return "withdrawn"
    if one.finished_at is not None:
        return "finished"
    if one.approved_at is None:
        return "proposed"
    if one.paused_at is not None:
        return "paused"
    if one.flips > one.flip_limit and one.confirmed_by is None:
        return "to_confirm"
    return "running" if one.rescored_to else "approved"


_STATES = {
    "proposed": "待第二人批准",
    "to_confirm": "变动超过比例，待再次确认",
    "approved": "已批准，到日启用",
    "paused": "变动超过比例，已暂停，待再次确认",
    "running": "正在重新评价",
    "finished": "已启用",
    "withdrawn": "已撤回",
}


def _line(one: Activation) -> str:
    if one.from_day == date.min:
        return f"{one.name}（版本 {one.hash[:12]}）：首次绑定时采用"
    return (
        f"{one.name}（版本 {one.hash[:12]}）替代 {one.bound}，{one.from_day} 起："
        f"{_STATES[_state(one)]}；比较 {one.population} 家，{one.flips} 家等级变动"
        f"（不经再次确认最多 {one.flip_limit} 家），已变动 {one.changed} 家；"
        f"提出 {one.proposed_by} {one.proposed_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        f"{f'，批准 {one.approved_by}' if one.approved_by else ''}"
        f"{f'，再次确认 {one.confirmed_by}' if one.confirmed_by else ''}"
    )


def rules_activations(context: typer.Context, format_: FormatOption = Format.TEXT) -> None:
    """Print all past and planned activations."""

    async def work() -> list[Activation]:
        async with reading(settings_of(context)) as built, built.database.transaction() as found:
            return await activations.history(found)

    for one in run(work):
        _print(one, format_)
