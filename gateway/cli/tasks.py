"""`tasks …`: what a person does to all deliveries that a filter matched 批量处理."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict

import typer

from gateway.cli.options import ByOption, LimitOption, actor
from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    NumberArgument,
    at_most,
    fail,
    print_json,
    print_line,
    progress,
    run,
    settings_of,
)
from gateway.cli.selection import BatchOption, Selection
from gateway.deliver.bulk import BATCH, BulkAct, OtherCount, start, step, turn
from gateway.service.app import Gateway, gateway, reading
from gateway.store.deliver import bulk_tasks, views
from gateway.store.deliver.bulk_tasks import BulkState, BulkTask
from gateway.titles import STATES
from schemas.base import SHANGHAI
from schemas.delivery import DeliveryState

_ACTS = {
    BulkAct.RETRY: "重新报送",
    BulkAct.PARK: "挂起",
    BulkAct.WITHDRAW: "撤回，不再报送",
}
_STANDS = {
    BulkState.RUNNING: "进行中",
    BulkState.PAUSED: "已暂停",
    BulkState.CANCELLED: "已取消",
    BulkState.DONE: "已完成",
}


def bulk(
    context: typer.Context,
    selection: Selection,
    act: BulkAct,
    reason: str | None,
    format_: Format,
) -> None:
    """Do this to all that the filter matches, if that is as many as the person expects."""
    if selection.numbers:
        fail("编号和条件只能用一种")

    async def work() -> BulkTask:
        async with gateway(settings_of(context)) as built:
            async with built.database.transaction() as connection:
                choice = await selection.wanted(connection, built)
            asked = choice, selection.expect, reason, actor(), built.clock()
            number = await start(built.database, act, *asked)
            return await _steps(built, number, selection.batch)

    try:
        _print_ended(context, run(work), format_)
    except OtherCount as error:
        fail(_counted(error, selection.expect), Exit.PROBLEMS)


def _counted(found: OtherCount, expected: int | None) -> str:
    """Return in Chinese how many would be changed."""
    barred = f"另有 {found.barred} 条的状态不允许" if found.barred else ""
    if not found.count:
        return f"没有符合条件的报送{barred and f'，{barred}'}，没有改动"
    asked = "" if expected is None else f"，不是 {expected} 条"
    return (
        f"符合条件的有 {found.count} 条{asked}{barred and f'（{barred}）'}，没有改动；"
        f"用 worklist 核对后写 --expect {found.count}"
    )


async def _steps(built: Gateway, number: int, batch: int) -> BulkTask:
    """Do batch after batch until the task stands; interrupted, it is paused."""
    task = await _of(built, number)
    try:
        with progress(_ACTS[BulkAct(task.act)], task.total - task.done) as advance:
            while task.state is BulkState.RUNNING:
                done = task.done
                task = await step(built.database, number, built.clock(), batch) or task
                advance(task.done - done)
    except asyncio.CancelledError:
        await turn(built.database, number, BulkState.PAUSED, actor(), built.clock())
        typer.echo(f"批量处理 {number} 已暂停；继续用 tasks resume {number}", err=True)
        raise
    return task


async def _of(built: Gateway, number: int) -> BulkTask:
    async with built.database.transaction() as connection:
        task = await bulk_tasks.one(connection, number)
    if task is None:
        fail(f"没有编号 {number} 的批量处理；编号见 tasks list", Exit.PROBLEMS)
    return task


def _print_ended(context: typer.Context, task: BulkTask, format_: Format) -> None:
    """Print what became of a task; exit with a code unless all of it was done."""
    if format_ is Format.JSON:
        print_json(asdict(task))
    else:
        _print(task, _states_of(context, task))
    if task.failed or task.state is not BulkState.DONE:
        raise typer.Exit(Exit.PROBLEMS)


def _print(task: BulkTask, states: Mapping[int, DeliveryState]) -> None:
    for one in task.failed:
        said = f"状态是“{STATES[states[one]]}”，不允许" if one in states else "没有这个编号"
        print_line(f"{one} {said}，未改动")
    print_line(_line(task))


def _states_of(context: typer.Context, task: BulkTask) -> Mapping[int, DeliveryState]:
    if not task.failed:
        return {}

    async def work() -> Mapping[int, DeliveryState]:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            return await views.states(c, task.failed)

    return run(work)


def task_words(task: BulkTask) -> str:
    """Return in Chinese that a task stands, and how it goes on."""
    return (
        f"批量处理 {task.id} 没有做完（{_ACTS[BulkAct(task.act)]} {task.done}/{task.total}，"
        f"{task.actor}）：tasks resume {task.id} 继续，tasks cancel {task.id} 取消"
    )


def _line(task: BulkTask) -> str:
    chosen = "、".join(f"{name} {value}" for name, value in task.chosen.items())
    made = f"{task.made_at.astimezone(SHANGHAI):%m-%d %H:%M}"
    why = f"，原因：{task.reason}" if task.reason else ""
    far = f"{task.done}/{task.total}，改了 {task.changed} 条"
    left = f"，没有改成 {len(task.failed)} 条" if task.failed else ""
    act, state = _ACTS[BulkAct(task.act)], _STANDS[task.state]
    return f"{task.id} {act}（{chosen}）{state} {far}{left}；{made} {task.actor}{why}"


def tasks_list(
    context: typer.Context, limit: LimitOption = 50, format_: FormatOption = Format.TEXT
) -> None:
    """Print the bulk tasks, the newest first."""

    async def work() -> list[BulkTask]:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            return await bulk_tasks.listed(c, limit + 1)

    found = at_most(run(work), limit)
    for task in found:
        if format_ is Format.JSON:
            print_json(asdict(task))
        else:
            print_line(_line(task))
    if format_ is Format.TEXT and not found:
        print_line("没有批量处理")


def tasks_show(
    context: typer.Context, number: NumberArgument, format_: FormatOption = Format.TEXT
) -> None:
    """Print a bulk task, and what it could not change."""

    async def work() -> BulkTask:
        async with reading(settings_of(context)) as built:
            return await _of(built, number)

    task = run(work)
    if format_ is Format.JSON:
        print_json(asdict(task))
    else:
        _print(task, _states_of(context, task))


def tasks_pause(context: typer.Context, number: NumberArgument, by: ByOption = None) -> None:
    """Pause a task behind its present batch."""
    _turn(context, number, BulkState.PAUSED, by)


def tasks_cancel(context: typer.Context, number: NumberArgument, by: ByOption = None) -> None:
    """Leave out what a task has not done yet."""
    _turn(context, number, BulkState.CANCELLED, by)


def _turn(context: typer.Context, number: int, state: BulkState, by: str | None) -> None:
    async def work() -> tuple[bool, BulkTask]:
        async with gateway(settings_of(context)) as built:
            done = await turn(built.database, number, state, actor(by), built.clock())
            return done, await _of(built, number)

    done, task = run(work)
    print_line(_line(task))
    if not done:
        fail(f"批量处理 {number} {_STANDS[task.state]}，没有改动", Exit.PROBLEMS)


def tasks_resume(
    context: typer.Context,
    number: NumberArgument,
    batch: BatchOption = BATCH,
    by: ByOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Go on with a task that was paused or cut off, until it is done."""

    async def work() -> BulkTask:
        async with gateway(settings_of(context)) as built:
            await turn(built.database, number, BulkState.RUNNING, actor(by), built.clock())
            return await _steps(built, number, batch)

    _print_ended(context, run(work), format_)
