"""`kinds`: the catalogue of record kinds, their columns, and workbooks to fill in."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.options import workbook
from gateway.cli.output import (
    Format,
    FormatOption,
    fail,
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.intake.editions import edition_words
from gateway.intake.files.template import template_workbook
from gateway.service.app import reading
from gateway.store.record import list_editions
from gateway.store.record.list_editions import Edition
from gateway.titles import COLUMN_TYPES
from schemas.base import SHANGHAI
from schemas.codes import RecordKind
from schemas.columns import Column, Required, columns_of
from schemas.configured import ConfiguredKind
from schemas.kinds import KINDS, Kind

KindArgument = Annotated[str, typer.Argument(metavar="种类", help="name，见 kinds list")]

#: What a kind that is no 双公示 is for, by whether it is reported.
_USE = {True: "报送", False: "只用于评价"}


def kinds_list(context: typer.Context, format_: FormatOption = Format.TEXT) -> None:
    """Print every kind, where it is from, and how much of it was verified."""
    settings_of(context)
    for kind in KINDS.values():
        columns, unverified = columns_of(kind.model), _unverified(kind)
        if format_ is Format.JSON:
            print_json(
                {
                    "name": kind.name,
                    "title": kind.title,
                    "configured": kind.configured is not None,
                    "reported": kind.reported,
                    "double_publicity": kind.double_publicity,
                    "keys": [kind.column(one) for one in kind.keys],
                    "whole_list": kind.whole_list,
                    "columns": len(columns) or len(kind.model.model_fields),
                    "unverified": sorted(unverified),
                }
            )
            continue
        parts = ["配置的" if kind.configured else "内置"]
        parts.append("双公示" if kind.double_publicity else _USE[kind.reported])
        parts.append(f"{len(columns) or len(kind.model.model_fields)} 列")
        if unverified:
            parts.append(f"{len(unverified)} 列未经公开标准核对")
        print_line(f"{kind.name}（{kind.title}）：{'，'.join(parts)}")


def kinds_show(
    context: typer.Context, name: KindArgument, format_: FormatOption = Format.TEXT
) -> None:
    """Print the columns of a kind."""
    kind = _kind(context, name)
    unverified = _unverified(kind)
    columns = columns_of(kind.model)
    for column in columns:
        verified = column.wire not in unverified
        if format_ is Format.JSON:
            print_json(_as_json(column) | {"verified": verified})
        else:
            print_line(_line(column) + ("" if verified else "；未经公开标准核对"))
    if not columns:  # of a message
        for field_name, field in kind.model.model_fields.items():
            code = field.alias or field_name
            if format_ is Format.JSON:
                print_json({"name": code, "title": field.title, "required": field.is_required()})
            else:
                need = "（必填）" if field.is_required() else ""
                print_line(f"{code} {field.title or ''}{need}")
    if format_ is Format.TEXT:
        keys = "、".join(kind.column(one) for one in kind.keys)
        print_line(f"同一件：{keys}，加机关和相对人" if kind.authority else f"同一件：{keys}")
        if isinstance(kind.configured, ConfiguredKind) and kind.configured.source:
            print_line(f"依据：{kind.configured.source}")


def kinds_template(
    context: typer.Context,
    name: KindArgument,
    out: Annotated[Path, typer.Option(callback=workbook, help="写到这个 xlsx")],
) -> None:
    """Write an empty workbook of a kind, to fill in and ingest."""
    kind = _kind(context, name)
    if not kind.reported:
        fail(f"{kind.title}由程序发来（kind={kind.name}），没有填报表")
    template_workbook(out, kind)
    print_line(f"{kind.title}填报表已写到 {out}；填好后 ingest")


def kinds_editions(
    context: typer.Context, name: KindArgument, format_: FormatOption = Format.TEXT
) -> None:
    """Print the editions of a list."""
    kind = _kind(context, name)
    if not kind.whole_list:
        fail(f"{kind.title}不是名单（配置 whole_list）")

    async def work() -> list[Edition]:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            return await list_editions.of(c, kind.name)

    found = run(work)
    for one in found:
        if format_ is Format.JSON:
            print_json(asdict(one))
        else:
            at = f"{one.taken_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
            print_line(f"{at} {edition_words(one)}（{one.taken_by}）")
    if format_ is Format.TEXT and not found:
        print_line(f"{kind.title}还没有整份接收过：ingest 文件 --edition 期次")


def _kind(context: typer.Context, name: str) -> Kind:
    settings_of(context)
    if name not in KINDS:
        known = "、".join(f"{one}（{kind.title}）" for one, kind in KINDS.items())
        fail(f"没有种类“{name}”；现有：{known}")
    return KINDS[RecordKind(name)]


def _unverified(kind: Kind) -> set[str]:
    """Return the columns of a configured kind that were read in no published standard."""
    if not isinstance(kind.configured, ConfiguredKind):
        return set()
    return {one.code for one in kind.configured.all_columns() if not one.verified}


def _line(column: Column) -> str:
    parts = [COLUMN_TYPES[column.type]]
    if column.max_length:
        parts.append(f"最多{column.max_length}字")
    if column.codes:
        parts.append("、".join(sorted(column.codes)))
    if column.required is Required.ALWAYS:
        parts.append("必填")
    elif column.required is not Required.NO:
        parts.append(f"必填：{column.required.value}")
    return f"{column.wire} {column.title}：{'，'.join(parts)}"


def _as_json(column: Column) -> dict[str, Any]:
    return {
        "name": column.wire,
        "title": column.title,
        "type": column.type,
        "max_length": column.max_length,
        "required": column.required,
        "codes": sorted(column.codes) if column.codes else None,
    }
