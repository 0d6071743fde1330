"""`upload list|show`: the hand uploads 人工上报, and what is kept of each."""

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.options import LimitOption, writable
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
from gateway.cli.private_file import write_private
from gateway.cli.selection import Selection
from gateway.deliver.hand_files import ShownUpload, attachment, shown
from gateway.service.app import reading
from gateway.store.deliver import hand_uploads
from gateway.store.deliver.hand_uploads import UploadCount, UploadRow
from gateway.titles import STATES, UPLOAD_STATES, VERB_TITLES
from schemas.base import SHANGHAI, last_moment
from schemas.codes import Verb
from schemas.hand_upload import UploadState
from schemas.identifiers import masked


def upload_list(
    context: typer.Context,
    destination: Annotated[str | None, typer.Argument(help="只看这个报送对象")] = None,
    every: Annotated[bool, typer.Option("--all", help="已经了结的也列出")] = False,
    limit: LimitOption = 50,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print the hand uploads: who has them, since when, and by when they are due."""

    async def work() -> tuple[list[UploadCount], datetime]:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            name = (await Selection(None, destination).wanted(c, built)).destination
            found = await hand_uploads.listed(c, name, every=every, limit=limit + 1)
            return found, built.clock()

    found, now = run(work)
    for one in at_most(found, limit):
        if format_ is Format.JSON:
            print_json(asdict(one))
        else:
            print_line(_listed(one, now))
    if format_ is Format.TEXT and not found:
        print_line("没有人工上报的批次" if every else "没有在人手里的批次；已了结的用 --all 列出")


def _listed(one: UploadCount, now: datetime) -> str:
    upload = one.upload
    made = f"{upload.made_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    head = f"{upload.id} {upload.destination} {upload.rows} 行，{upload.made_by} {made} 下载"
    if upload.state is UploadState.OPEN:
        due = "" if one.due_at is None else f"，最早期限 {last_moment(one.due_at):%Y-%m-%d %H:%M}"
        return f"{head}：在 {upload.made_by} 手里 {_age(now - upload.made_at)}{due}"
    state = UPLOAD_STATES[upload.state]
    ended = upload.ended_at or upload.made_at
    by = f"{upload.ended_by} {ended.astimezone(SHANGHAI):%Y-%m-%d %H:%M} 登记{state}"
    if upload.state is UploadState.UNDONE:
        return f"{head}；{by}"
    counts = f"无回执 {one.unconfirmed}，入库 {one.accepted}，退回 {one.rejected}"
    return f"{head}；{by}：{counts}"


def _age(age: timedelta) -> str:
    hours = int(age / timedelta(hours=1))
    return f"{age.days} 天" if age.days else f"{hours} 小时" if hours else "不到 1 小时"


def upload_show(
    context: typer.Context,
    number: NumberArgument,
    file: Annotated[
        int | None, typer.Option("--attachment", min=1, help="取出这个编号的附件，须写 --out")
    ] = None,
    out: Annotated[Path | None, typer.Option(callback=writable, help="附件写到这个文件")] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print a hand upload with its rows, story and attachments, or write an attachment."""
    if file is not None:
        _take_out(context, number, file, out)
        return

    async def work() -> ShownUpload | None:
        async with reading(settings_of(context)) as built:
            return await shown(built.database, number)

    found = run(work)
    if found is None:
        fail(f"没有批次 {number}；批次见 upload list --all", Exit.PROBLEMS)
    if format_ is Format.JSON:
        rows = [_row_json(row) for row in found.rows]
        files = [one._asdict() | {"name": masked(one.name)} for one in found.files]
        story = [asdict(one) | {"words": masked(one.words)} for one in found.story]
        print_json({**asdict(found.upload), "deliveries": rows, "files": files, "story": story})
        return
    upload = found.upload
    print_line(f"批次 {upload.id} {upload.destination}：{UPLOAD_STATES[upload.state]}")
    for row in found.rows:
        print_line(f"    {_row_line(row)}")
    for line in evidence_lines(found.story):
        print_line(masked(line))
    for one in found.files:
        print_line(f"    附件 {one.id} {masked(one.name)}，{one.size} 字节，SHA-256 {one.sha256}")


def _row_json(row: UploadRow) -> dict[str, Any]:
    return {
        "place": row.place,
        "delivery": row.delivery_id,
        "verb": row.verb,
        "state": row.state,
        "document_number": masked(row.document_number or "") or None,
        "due_at": row.due_at,
        "reasons": None if row.reasons is None else list(map(masked, row.reasons)),
    }


def _row_line(row: UploadRow) -> str:
    number = masked(row.document_number or "") or "等级变动"
    if row.moved_on:
        return f"{row.place} {number} 没有随这一批上报，在后来的批次里，报送 {row.delivery_id}"
    title = VERB_TITLES.get(Verb(row.verb))
    verb = f"（{title}）" if title else ""
    said = row.reasons if row.state.value in {"rejected", "parked"} else ()
    reasons = f"（{masked('；'.join(said))}）" if said else ""
    return f"{row.place} {number}{verb} {STATES[row.state]}{reasons}，报送 {row.delivery_id}"


def _take_out(context: typer.Context, number: int, file: int, out: Path | None) -> None:
    if out is None:
        fail("取附件要写 --out 文件名")

    async def work() -> tuple[str, bytes] | None:
        async with reading(settings_of(context)) as built:
            return await attachment(built.database, built.keys, number, file)

    found = run(work)
    if found is None:
        fail(f"批次 {number} 没有附件 {file}；编号见 upload show {number}", Exit.PROBLEMS)
    write_private(out, found[1])
    print_line(f"{masked(found[0])} 写到 {out}（只有您能读）")
