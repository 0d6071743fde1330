"""`deliveries plan`: what of a destination will be sent when, and what will be late."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, NamedTuple

import typer

from gateway.cli.options import LimitOption
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
from gateway.config.settings import Settings
from gateway.deliver.connect import is_by_person, limits_of
from gateway.deliver.plan import Calling, Planned, by_hour, plan
from gateway.service.app import reading
from gateway.store.deliver import destinations, planning
from gateway.titles import STATES
from schemas.base import SHANGHAI, last_moment
from schemas.delivery import DeliveryState, OpenDelivery
from schemas.destination import Destination

DestinationArgument = Annotated[
    str, typer.Argument(metavar="报送对象", help="name 或 title，见 connector list")
]


class _Found(NamedTuple):
    calling: Calling
    planned: Sequence[Planned]
    persons: Mapping[DeliveryState, int]


def deliveries_plan(
    context: typer.Context,
    name: DestinationArgument,
    limit: LimitOption = 20,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print what will be sent when at the allowed rates, if all goes well, and what is late."""
    settings = settings_of(context)
    destination = _destination(settings.destinations, name)
    if is_by_person(destination):
        _by_person(settings, destination, limit, format_)
        return

    async def work() -> _Found:
        limits = await limits_of(settings, destination, system_clock)
        async with reading(settings) as built, built.database.transaction() as connection:
            now, known = built.clock(), destination.name
            rows = await planning.open_deliveries(connection, known, now)
            seconds = await planning.seconds_of_a_call(connection, known, now)
            calling = Calling(limits.batch_size, limits.concurrency, seconds)
            kept = await destinations.calls(connection, known)
            planned = plan(destination, calling, rows, kept, now)
            return _Found(calling, planned, await planning.of_persons(connection, known))

    found = run(work)
    late = [one for one in found.planned if one.is_late]
    if format_ is Format.JSON:
        for one in found.planned:
            print_json(
                {"id": one.id, "sent_at": one.sent_at, "due_at": one.due_at, "late": one.is_late}
            )
    else:
        _print(destination, found, late, limit)
    if late:
        raise typer.Exit(Exit.PROBLEMS)


def _by_person(settings: Settings, destination: Destination, limit: int, format_: Format) -> None:
    """Print what waits for a person to carry it: nobody knows when one will."""

    async def work() -> tuple[Sequence[OpenDelivery], int, datetime]:
        async with reading(settings) as built, built.database.transaction() as connection:
            now = built.clock()
            return *await planning.to_carry(connection, destination.name, now), now

    waiting, in_hands, now = run(work)
    overdue = [one for one in waiting if one.due_at <= now]
    if format_ is Format.JSON:
        for one in waiting:
            late = one.due_at <= now
            print_json({"id": one.id, "sent_at": None, "due_at": one.due_at, "late": late})
    else:
        for line in _lines_by_person(destination, waiting, overdue[:limit], in_hands):
            print_line(line)
        if len(overdue) > limit:
            print_line(f"    …… 已超期的共 {len(overdue)} 条")
    if overdue:
        raise typer.Exit(Exit.PROBLEMS)


def _lines_by_person(
    destination: Destination,
    waiting: Sequence[OpenDelivery],
    overdue: Sequence[OpenDelivery],
    in_hands: int,
) -> list[str]:
    name = destination.name
    due = Counter(last_moment(one.due_at).date() for one in waiting)
    held = f"    另有 {in_hands} 条在人手里的文件里，上报后用 upload done 登记"
    return [
        f"{destination.title}：由人上报，没有程序会发；文件用 upload make {name} 下载",
        *([] if waiting else ["    没有等人下载的"]),
        *(f"    期限 {day:%m-%d} 的 {count} 条" for day, count in due.items()),
        *([held] if in_hands else []),
        *(f"    已超期：{one.id} 期限 {last_moment(one.due_at):%m-%d %H:%M}" for one in overdue),
    ]


def _destination(known: Sequence[Destination], name: str) -> Destination:
    found = next((one for one in known if name in {one.name, one.title}), None)
    if found is None:
        names = "、".join(f"{one.name}（{one.title}）" for one in known)
        fail(f"没有报送对象“{name}”；现有：{names or '配置里一个也没有'}")
    return found


def _print(destination: Destination, found: _Found, late: Sequence[Planned], limit: int) -> None:
    calling = found.calling
    took = f"近来每次约 {calling.seconds:.2f} 秒" if calling.seconds else "还没有报送过"
    calls = f"每次 {calling.batch_size} 条，同时 {calling.concurrency} 次"
    print_line(f"{destination.title}：{calls}，{took}；{_rates(destination)}")
    if not found.planned:
        print_line("没有要报送的")
    for hour in by_hour(found.planned):
        local = hour.begins.astimezone(SHANGHAI)
        words = f"其中 {hour.late} 条超期" if hour.late else ""
        print_line(f"    {local:%m-%d %H}时 报送 {hour.sent} 条 {words}".rstrip())
    for one in late[:limit]:
        sent = (
            "一年内报不出"
            if one.sent_at is None
            else f"{one.sent_at.astimezone(SHANGHAI):%m-%d %H:%M} 报送"
        )
        print_line(f"    会超期：{one.id} 期限 {last_moment(one.due_at):%m-%d %H:%M}，{sent}")
    if len(late) > limit:
        print_line(f"    …… 会超期的共 {len(late)} 条")
    persons = "，".join(f"{STATES[state]} {count} 条" for state, count in found.persons.items())
    if persons:
        print_line(f"    等人处理，不在计划内：{persons}（worklist）")


def _rates(destination: Destination) -> str:
    told = []
    for rate in destination.rates:
        hours = (
            ""
            if rate.during is None
            else f"（{rate.during.starts:%H:%M}–{rate.during.ends:%H:%M}）"
        )
        told.append(f"每 {rate.within.total_seconds():g} 秒至多 {rate.calls} 次{hours}")
    return "，".join(told) or "没有限速"
