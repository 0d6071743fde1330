"""`deliveries …`: list and show deliveries 报送, and change them by hand."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from gateway.cli.options import LimitOption, ReasonOption, writable
from gateway.cli.outages import evidence_lines
from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    NumberArgument,
    at_most,
    fail,
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.cli.selection import (
    AuthorityOption,
    BatchOption,
    DestinationOption,
    ExpectOption,
    Selection,
    StateOption,
    WithinOption,
    act,
)
from gateway.cli.tasks import bulk
from gateway.config.signing import SIGNATURE_SUFFIX, write_signed
from gateway.deliver.attestation import attest
from gateway.deliver.bulk import BATCH, BulkAct
from gateway.deliver.manual import Acted, change_all, retry_all
from gateway.service.app import gateway, reading
from gateway.store.account import evidence
from gateway.store.account.evidence import About
from gateway.store.deliver import views
from gateway.store.deliver.by_hand import Order
from gateway.titles import ATTEMPT_OUTCOMES, STATES
from schemas.base import SHANGHAI
from schemas.delivery import DeliveryState, ItemKind
from schemas.identifiers import masked

NumbersArgument = Annotated[list[str] | None, typer.Argument(help="编号；- 读标准输入")]


def deliveries_list(
    context: typer.Context,
    state: StateOption = None,
    destination: DestinationOption = None,
    limit: LimitOption = 200,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print deliveries, the earliest due first."""

    async def work() -> Any:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            choice = await Selection(None, destination, state).wanted(c, built)
            return await views.listed(c, choice.state, choice.destination, limit + 1)

    rows = at_most(run(work), limit)
    for row in rows:
        if format_ is Format.JSON:
            print_json(row)
        else:
            print_line(_delivery_line(row))
    if format_ is Format.TEXT and not rows:
        print_line("没有符合条件的报送")


def _printed_due(row: dict[str, Any]) -> str:
    """Return the last second in time: due times of records are stored as the next midnight."""
    at = row["due_at"].astimezone(SHANGHAI)
    if row["item_kind"] == ItemKind.RECORD_VERSION:
        at -= timedelta(seconds=1)
    return str(at.strftime("%Y-%m-%d %H:%M:%S"))


def _delivery_line(row: dict[str, Any]) -> str:
    due = _printed_due(row)
    late = "，已超期" if row["breached_at"] else ""
    what = masked(row["document_number"] or "") or row["subject_name"] or "等级变动"
    reasons = f"（{'；'.join(row['reasons'])}）" if row["reasons"] else ""
    state = STATES[DeliveryState(row["state"])]
    return f"{row['id']} {row['destination']} {what} {state}{reasons} 期限 {due}{late}"


def deliveries_show(
    context: typer.Context, number: NumberArgument, format_: FormatOption = Format.TEXT
) -> None:
    """Print a delivery, and its attempts and receipts in the order of time."""

    async def work() -> Any:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            said = await evidence.of(c, About.DELIVERY, [number])
            return await views.shown(c, number), said.get(number, [])

    found, said = run(work)
    if found is None:
        fail(f"没有编号 {number} 的报送", Exit.PROBLEMS)
    row = found.delivery
    if format_ is Format.JSON:
        print_json(
            {
                **row,
                "attempts_made": found.attempts,
                "receipts": found.receipts,
                "notes": [asdict(one) for one in said],
            }
        )
        return
    print_line(_delivery_line(dict(row)))
    for problem in row["problems"] or ():
        print_line(f"    待补正：{problem['message']}。{problem['fix']}")
    told = [(one["started_at"], _attempt(one)) for one in found.attempts]
    told += [(one["received_at"], _receipt(one)) for one in found.receipts]
    for at, words in sorted(told):
        print_line(f"    {at.astimezone(SHANGHAI):%m-%d %H:%M:%S} {words}".rstrip())
    for line in evidence_lines(said):
        print_line(line)


def deliveries_attest(
    context: typer.Context,
    number: NumberArgument,
    out: Annotated[Path, typer.Option(callback=writable, help="写到这个 JSON，签名在旁边的 .jws")],
) -> None:
    """Write an attestation of a delivery with its signature."""

    async def work() -> str | None:
        async with gateway(settings_of(context)) as built:
            found = await attest(built.database, built.keys, number, built.clock())
            if found is None:
                return None
            content, signer = found
            about = {"delivery": number, "signed_at": built.clock()}
            options = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z
            text = orjson.dumps(content, default=str, option=options)
            await asyncio.to_thread(write_signed, out, text, signer, about)
            return str(content["statement"])

    statement = run(work)
    if statement is None:
        fail(f"没有编号 {number} 的报送", Exit.PROBLEMS)
    print_line(statement)
    print_line(f"送达证明写到 {out}，签名在 {out}{SIGNATURE_SUFFIX}；核对用 verify --signed {out}")


def _attempt(attempt: Mapping[str, Any]) -> str:
    act = "查询" if attempt["act"] == "look_up" else "报送"
    what = ATTEMPT_OUTCOMES.get(attempt["outcome"], "未知")
    return f"{act} {what} {'；'.join(attempt['reasons'] or ())}"


def _receipt(receipt: Mapping[str, Any]) -> str:
    what = STATES[DeliveryState.ACCEPTED if receipt["accepted"] else DeliveryState.REJECTED]
    at = receipt["platform_at"].astimezone(SHANGHAI)
    return f"回执 {what}（平台 {at:%m-%d %H:%M:%S}）{'；'.join(receipt['reasons'] or ())}"


def deliveries_retry(  # noqa: PLR0913, PLR0917  one for each option
    context: typer.Context,
    numbers: NumbersArgument = None,
    destination: DestinationOption = None,
    state: StateOption = None,
    authority: AuthorityOption = None,
    within: WithinOption = None,
    expect: ExpectOption = None,
    batch: BatchOption = BATCH,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Send deliveries again at once, or find out first what may have arrived."""
    selection = Selection(numbers, destination, state, authority, within, expect, batch)
    if selection.by_filter:
        bulk(context, selection, BulkAct.RETRY, None, format_)
        return
    ids, acted = act(
        context,
        selection,
        lambda built, ids, by: retry_all(built.database, ids, by, built.clock()),
    )
    _print_acted(ids, acted, "将重新报送", format_, "retried")


def deliveries_park(  # noqa: PLR0913, PLR0917  one for each option
    context: typer.Context,
    reason: ReasonOption,
    numbers: NumbersArgument = None,
    destination: DestinationOption = None,
    state: StateOption = None,
    authority: AuthorityOption = None,
    within: WithinOption = None,
    expect: ExpectOption = None,
    batch: BatchOption = BATCH,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Take deliveries out of the way until somebody retries them."""
    selection = Selection(numbers, destination, state, authority, within, expect, batch)
    if selection.by_filter:
        bulk(context, selection, BulkAct.PARK, reason, format_)
        return
    _change(context, selection, Order(DeliveryState.PARKED, reason), "已挂起", format_)


def deliveries_withdraw(  # noqa: PLR0913, PLR0917  one for each option
    context: typer.Context,
    reason: ReasonOption,
    numbers: NumbersArgument = None,
    destination: DestinationOption = None,
    state: StateOption = None,
    authority: AuthorityOption = None,
    within: WithinOption = None,
    expect: ExpectOption = None,
    batch: BatchOption = BATCH,
    format_: FormatOption = Format.TEXT,
) -> None:
    """End deliveries that are not owed any more."""
    selection = Selection(numbers, destination, state, authority, within, expect, batch)
    if selection.by_filter:
        bulk(context, selection, BulkAct.WITHDRAW, reason, format_)
        return
    order = Order(DeliveryState.WITHDRAWN, reason)
    _change(context, selection, order, "已撤回，不再报送", format_)


def deliveries_resolve(
    context: typer.Context,
    reason: ReasonOption,
    arrived: Annotated[bool, typer.Option("--arrived/--absent", help="对方已收到／没有收到")],
    numbers: NumbersArgument = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Say what became of deliveries with an unknown outcome."""
    state = DeliveryState.ACCEPTED_BLIND if arrived else DeliveryState.READY
    told = "已记为送达" if arrived else "已改为待报送"
    _change(context, Selection(numbers), Order(state, reason), told, format_)


def _change(
    context: typer.Context, selection: Selection, word: Order, told: str, format_: Format
) -> None:
    ids, acted = act(
        context,
        selection,
        lambda built, ids, by: change_all(built.database, ids, word, by, built.clock()),
    )
    _print_acted(ids, acted, told, format_)


def _print_acted(
    ids: Sequence[int], acted: Acted, told: str, format_: Format, name: str = "changed"
) -> None:
    """Print what became of each; exit with a code if one is missing or in another state."""
    for id_ in ids:
        if format_ is Format.JSON:
            print_json({"id": id_, name: id_ in acted.changed, "state": acted.states.get(id_)})
        elif id_ in acted.changed:
            print_line(f"{id_} {told}，现为“{STATES[acted.states[id_]]}”")
        elif id_ in acted.states:
            print_line(f"{id_} 状态是“{STATES[acted.states[id_]]}”，不允许，未改动")
        else:
            print_line(f"{id_} 没有这个编号的报送；编号见 deliveries list")
    if set(ids) - acted.changed:
        raise typer.Exit(Exit.PROBLEMS)
