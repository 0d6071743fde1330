"""`upload make|file`: files that a person carries to a platform 人工上报."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from connectors.errors import ConnectorError
from connectors.protocol import CarriedByPerson
from gateway.cli.options import ByOption, actor
from gateway.cli.options import workbook as named_as_workbook
from gateway.cli.output import (
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
from gateway.cli.private_file import write_private
from gateway.config.clock import system_clock
from gateway.config.settings import Settings
from gateway.deliver.connect import build_connector, is_by_person
from gateway.deliver.hand_files import UploadRefused
from gateway.deliver.hand_upload import HandedOut, HandOut
from gateway.service.app import Gateway, gateway
from gateway.store.deliver import hand_uploads
from gateway.titles import VERB_TITLES
from schemas.codes import Verb
from schemas.destination import Destination
from schemas.faults import of_system
from schemas.identifiers import masked

FileOption = Annotated[
    Path | None,
    typer.Option(callback=named_as_workbook, help="写到这个 xlsx，默认 <对象>-<批次>.xlsx"),
]
MostOption = Annotated[
    int | None, typer.Option(min=1, max=5000, help="最多取几条，默认按配置的 max_rows")
]


#: Corrections that are named.
_MOST_NAMED = 5


def upload_make(
    context: typer.Context,
    destination: Annotated[str, typer.Argument(help="报送对象的名字")],
    out: FileOption = None,
    most: MostOption = None,
    by: ByOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Claim what is ready and write its file; the evidence is written first."""
    chosen = by_person(context, destination)

    async def work() -> HandedOut | None:
        async with gateway(settings_of(context)) as built:
            connector = carried(built.settings, chosen)
            limit = min(most or connector.limits.batch_size, connector.limits.batch_size)
            return await _hand_out(built).make(chosen, connector, actor(by), limit)

    made = _acted(work)
    if made is None:
        if format_ is Format.TEXT:
            print_line(f"{destination} 没有待报送的")
        return
    _hand_over(made, out, format_)


def upload_file(
    context: typer.Context,
    number: NumberArgument,
    out: FileOption = None,
    by: ByOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Write the file of an open hand upload once more."""

    async def work() -> HandedOut:
        async with gateway(settings_of(context)) as built:
            async with built.database.transaction() as connection:
                upload = await hand_uploads.one(connection, number)
            if upload is None:
                raise UploadRefused(f"没有批次 {number}；批次见 upload list --all")
            destination = by_person(context, upload.destination)
            connector = carried(built.settings, destination)
            return await _hand_out(built).again(number, destination, connector, actor(by))

    _hand_over(_acted(work), out, format_)


def by_person(context: typer.Context, name: str) -> Destination:
    """Return a destination to which a person carries files; exits with wrong use otherwise."""
    destinations = settings_of(context).destinations
    found = next((one for one in destinations if one.name == name), None)
    if found is None or not is_by_person(found):
        known = "、".join(one.name for one in destinations if is_by_person(one))
        what = f"没有报送对象 {name}" if found is None else f"{name} 由程序报送，不用人上报"
        fail(f"{what}；由人上报的有：{known or '无'}")
    return found


def carried(settings: Settings, destination: Destination) -> CarriedByPerson:
    """Build the connector of such a destination; raises BadConfiguration."""
    connector = build_connector(settings, destination, system_clock)
    if not isinstance(connector, CarriedByPerson):
        fail(f"通道 {destination.connector} 登记为由人上报，却做不出文件；请它的提供者更正")
    return connector


def _hand_out(built: Gateway) -> HandOut:
    return HandOut(built.database, built.keys, built.installation, built.clock)


def _acted(work: Callable[[], Awaitable[Made]]) -> Made:
    """Run an act; exits with a code if it is refused or the file cannot be filled."""
    try:
        return run(work)
    except UploadRefused as refused:
        fail(str(refused), Exit.PROBLEMS)
    except ConnectorError as error:
        fail(f"文件做不出来，什么也没有改动：{error}", Exit.NO_ANSWER)


def _hand_over(made: HandedOut, out: Path | None, format_: Format) -> None:
    """Write the file, readable by its owner alone, and say what is in it and what comes next."""
    upload = made.upload
    target = out or Path(f"{upload.destination}-{upload.id}.xlsx")
    if made.filled.content is not None:
        try:
            write_private(target, made.filled.content)
        except OSError as error:
            fail(
                f"批次 {upload.id} 已登记，文件却没有写成：{target} {of_system(error)}；"
                f"换个地方：upload file {upload.id} --out …",
                Exit.NO_ANSWER,
            )
    if format_ is Format.JSON:
        file = None if made.filled.content is None else str(target)
        told = {"file": file, "later": made.later, "ended": made.ended, "persons": made.persons}
        rows = [
            {"place": place, "delivery": one.delivery_id, "verb": one.verb.value}
            for one, place in made.items
        ]
        print_json({**asdict(upload), **told, "deliveries": rows})
        return
    for line in _made_lines(made, target):
        print_line(line)


def _made_lines(made: HandedOut, target: Path) -> list[str]:
    upload = made.upload
    lines = [
        f"批次 {upload.id}：{upload.destination} {len(made.items)} 条，由 {upload.made_by} 下载"
    ]
    if made.filled.content is not None:
        lines.append(f"    {upload.rows} 行写到 {target}（只有您能读），SHA-256 {upload.sha256}")
    if made.persons:
        lines.append(
            f"    其中 {made.persons} 行有自然人的证件号码，只供上报到平台："
            "不要转发，上报后删除文件"
        )
    corrected = [one for one, _ in made.items if one.verb is Verb.CORRECT]
    if corrected:
        named = "、".join(masked(one.document_number or one.key) for one in corrected[:_MOST_NAMED])
        more = "等" if len(corrected) > _MOST_NAMED else ""
        lines.append(
            f"    其中 {len(corrected)} 条是更正（{named}{more}）："
            "平台上已有旧的，若当作重复不收，就在平台页面上改"
        )
    for one in made.on_the_page:
        verb = VERB_TITLES.get(one.verb, one.verb.value)
        number = masked(one.document_number or one.key)
        lines.append(f"    {number} 要在平台页面上办理“{verb}”，模板里没有它的行")
    if made.later:
        lines.append(f"    {made.later} 条与本批的文书号相同，平台不收重号的文件：留待下一批")
    if made.ended:
        lines.append(f"    {made.ended} 条不必上报或做不成行，见 deliveries list")
    lines.append(
        f'    上报后登记：upload done {upload.id} --at "2026-10-01 09:30"；'
        f"没有上报的：upload undone {upload.id} --reason …"
    )
    return lines
