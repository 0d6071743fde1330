"""`upload done|undone|answers`: what became of files that a person carried 人工上报."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import ByOption, ReasonOption, actor, moment_of, there
from gateway.cli.output import (
    STANDARD_INPUT,
    Exit,
    Format,
    FormatOption,
    Made,
    NumberArgument,
    fail,
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.cli.upload import carried
from gateway.config.clock import system_clock
from gateway.deliver.connect import is_by_person
from gateway.deliver.hand_answered import Answered, answered
from gateway.deliver.hand_files import UploadRefused
from gateway.deliver.hand_uploaded import UploadSaid, UploadTold, done, undone
from gateway.intake.files.unreadable import UnreadableFile
from gateway.intake.result_list import result_list
from gateway.service.app import Gateway, gateway
from gateway.store.deliver import hand_uploads
from schemas.hand_upload import AnswerColumns
from schemas.identifiers import masked

#: Bytes of an attachment at most.
LARGEST = 20 * 2**20


def _all_there(files: list[Path] | None) -> list[Path] | None:
    for one in files or ():
        there(one)
    return files


AttachOption = Annotated[
    list[Path] | None,
    typer.Option("--attach", callback=_all_there, help="截图、回执等，可写几次；加密保存"),
]
ExceptOption = Annotated[
    list[str] | None, typer.Option("--except", help="没有上报的行，如 5 或 行政处罚!5，可写几次")
]
RejectedOption = Annotated[
    list[str] | None, typer.Option(help="平台当场退回的行和原因，如 “7=代码不正确”，可写几次")
]


ListArgument = Annotated[Path, typer.Argument(callback=there, help="平台导出的结果清单，表格文件")]


def upload_done(  # noqa: PLR0913, PLR0917  one for each option
    context: typer.Context,
    number: NumberArgument,
    at: Annotated[str, typer.Option(help="何时上报的，如 “2026-10-01 09:30”（北京时间）")],
    attach: AttachOption = None,
    excepted: ExceptOption = None,
    rejected: RejectedOption = None,
    by: ByOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Enter that a file was uploaded; nobody confirmed it, so its rows are accepted blind."""
    said = UploadSaid(
        actor(by),
        moment_of(at, system_clock()),
        _read(attach or ()),
        tuple(excepted or ()),
        dict(map(_refused, rejected or ())),
    )

    async def work() -> UploadTold:
        async with gateway(settings_of(context)) as built:
            return await done(built.database, built.keys, number, said, built.clock())

    told = _acted(work)
    if format_ is Format.JSON:
        print_json({"upload": number, "state": "done", **told.counts()})
        return
    print_line(f"批次 {number} 已登记上报：{told.arrived} 条记为已送达无回执，等平台的结果清单确认")
    if told.rejected:
        print_line(f"    {told.rejected} 条被平台退回：更正后会重新报送")
    if told.back:
        print_line(f"    {told.back} 条没有上报，改回待报送")
    if told.others:
        print_line(f"    {told.others} 条先前已另有结果，未改动")


def upload_undone(
    context: typer.Context,
    number: NumberArgument,
    reason: ReasonOption,
    by: ByOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Enter that a file was never uploaded, or refused as a whole."""

    async def work() -> UploadTold:
        async with gateway(settings_of(context)) as built:
            return await undone(built.database, number, actor(by), reason, built.clock())

    told = _acted(work)
    if format_ is Format.JSON:
        print_json({"upload": number, "state": "undone", **told.counts()})
        return
    print_line(f"批次 {number} 已登记未上报：{told.back} 条退回，有新版本的报新版本，其余待报送")
    if told.others:
        print_line(f"    {told.others} 条先前已另有结果，未改动")


def upload_answers(
    context: typer.Context,
    number: NumberArgument,
    file: ListArgument,
    by: ByOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Read the platform's list of results for the rows of an upload; the list is kept."""
    if file == STANDARD_INPUT:
        fail("清单要写文件名，不能用 -：它作为依据保存")
    [kept] = _read([file])

    async def work() -> Answered:
        async with gateway(settings_of(context)) as built:
            how, kinds = await _columns(built, number)
            answers = await asyncio.to_thread(result_list, file, built.settings.files, how, kinds)
            who = actor(by)
            return await answered(
                built.database, built.keys, number, answers, kept, who, built.clock()
            )

    found = _acted(work)
    if format_ is Format.JSON:
        print_json({name: one for name, one in found._asdict().items() if name != "upload"})
    else:
        for line in _answered_lines(number, found):
            print_line(line)
    if found.unread:
        raise typer.Exit(Exit.PROBLEMS)


def _answered_lines(number: int, found: Answered) -> list[str]:
    lines = [f"批次 {number}：入库 {found.accepted} 条，退回 {found.rejected} 条"]
    if found.unmentioned:
        lines.append(f"    清单里没有的 {found.unmentioned} 条，状态不变")
    if found.strange:
        lines.append(f"    清单里有 {found.strange} 行不是这一批的，没有用")
    for one in found.unread:
        lines.append(
            f"    {masked(one)}：结果不认识、还不是最后的，或互相矛盾，没有用；"
            "平台的说法写在配置 answers.accepted、rejected 或 passed 里"
        )
    return lines


async def _columns(built: Gateway, number: int) -> tuple[AnswerColumns, set[str]]:
    """Return the configured names of columns, and the kinds of the rows of an upload.

    A destination that is gone has the usual names.
    """
    async with built.database.transaction() as connection:
        upload = await hand_uploads.one(connection, number)
        kinds = {row.kind for row in await hand_uploads.rows(connection, number)}
    for one in built.settings.destinations:
        if upload is not None and one.name == upload.destination and is_by_person(one):
            return carried(built.settings, one).answers, kinds
    return AnswerColumns(), kinds


def _acted(work: Callable[[], Awaitable[Made]]) -> Made:
    """Run an act; exits with a code if it is refused."""
    try:
        return run(work)
    except UploadRefused as refused:
        fail(str(refused), Exit.PROBLEMS)
    except UnreadableFile as error:
        fail(f"清单读不出来：{error}", Exit.PROBLEMS)


def _read(files: Sequence[Path]) -> list[tuple[str, bytes]]:
    """Return names and bytes of files; exits with wrong use for one that is too large."""
    for one in files:
        if one.stat().st_size > LARGEST:
            fail(f"{one} 超过 {LARGEST // 2**20} MB：附件只留要紧的几页，截图用 PNG 或 JPEG")
    return [(one.name, one.read_bytes()) for one in files]


def _refused(text: str) -> tuple[str, str]:
    place, sign, reason = text.replace("＝", "=").partition("=")
    if not sign or not reason.strip():
        fail(f"--rejected “{text}”写成 行号=原因，如 “7=代码不正确”")
    return place.strip(), reason.strip()
