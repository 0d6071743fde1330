"""`verify`: compute stored results again, byte by byte; check signed files and audit exports."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.audit.export import check
from gateway.cli.options import there
from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    fail,
    print_json,
    print_line,
    progress,
    run,
    settings_of,
)
from gateway.config.signing import SIGNATURE_SUFFIX, BadSignature
from gateway.config.signing import signed as content_of
from gateway.score.verify import verify_assessments, verify_published
from gateway.service.app import reading

_OURS = "与出具单位公布的（keys list）一致，才是该单位所签"
_TITLES = {"assessments": "评价结果", "published_grades": "公布等级"}
_CHECKS = {"assessments": verify_assessments, "published_grades": verify_published}


def verify(
    context: typer.Context,
    assessments: Annotated[bool, typer.Option("--assessments", help="重算全部评价结果")] = False,
    published: Annotated[bool, typer.Option("--published", help="重算全部公布等级")] = False,
    signed: Annotated[
        Path | None,
        typer.Option("--signed", callback=there, help="核对一个文件和它旁边的签名（.jws）"),
    ] = None,
    audit: Annotated[
        Path | None,
        typer.Option("--audit", callback=there, help="核对导出的审计链（audit export）"),
    ] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Compute stored results again and print those that differ; check a signed file."""
    if signed is not None:
        _check_signature(signed, format_)
    elif audit is not None:
        _check_audit(audit, format_)
    else:
        _compute(context, {"assessments": assessments, "published_grades": published}, format_)


def _compute(context: typer.Context, asked: Mapping[str, bool], format_: Format) -> None:
    if not any(asked.values()):
        fail("请写明 --assessments、--published、--signed 文件 或 --audit 文件")

    async def work() -> dict[str, tuple[int, list[dict[str, object]]]]:
        async with reading(settings_of(context)) as built:
            with progress("重算") as advance:
                return {
                    name: await check(built.database, advance)
                    for name, check in _CHECKS.items()
                    if asked[name]
                }

    found = run(work)
    for name, (count, wrong) in found.items():
        for one in wrong:
            print_json(one)
        if format_ is Format.JSON:
            print_json({"name": name, "verified": count, "different": len(wrong)})
        else:
            print_line(f"重算 {count} 个{_TITLES[name]}，{len(wrong)} 个不符")
    if any(wrong for _, wrong in found.values()):
        raise typer.Exit(Exit.PROBLEMS)


def _check_audit(file: Path, format_: Format) -> None:
    """Say what an export of the audit trail proves; exits with problems if it was changed."""
    with file.open("rb") as lines:
        found = check(lines)
    if format_ is Format.JSON:
        print_json({"name": str(file), **asdict(found), "keys": sorted(found.keys)})
    else:
        for one in found.problems:
            print_line(one)
        deleted = f"，其中 {found.deleted} 条已按保存期删除内容" if found.deleted else ""
        print_line(f"审计事件 {found.links} 条{deleted}，签名 {found.signatures} 个")
    if found.problems:
        fail(f"{file} 与签名不符，或不完整", Exit.PROBLEMS)
    if format_ is Format.TEXT:
        print_line(f"前后相接，没有改动；密钥 {'、'.join(sorted(found.keys))} {_OURS}")


def _check_signature(file: Path, format_: Format) -> None:
    """Say what the signature beside a file covers; exits with problems if it is not that of it."""
    beside = file.with_name(file.name + SIGNATURE_SUFFIX)
    if not beside.is_file():
        fail(f"没有签名文件 {beside}：签名和文件放在一起，名字多一个 {SIGNATURE_SUFFIX}")
    try:
        content, key = content_of(beside.read_text().strip())
        sha256 = content["sha256"]
    except (BadSignature, KeyError, TypeError, ValueError):
        fail(f"{beside} 不是签名，或被改动过", Exit.PROBLEMS)
    if sha256 != hashlib.sha256(file.read_bytes()).hexdigest():
        fail(f"{file} 与签名不符：文件被改动过，或签名是另一个文件的", Exit.PROBLEMS)
    if format_ is Format.JSON:
        print_json({"name": str(file), "key": key, "content": content})
        return
    what = (
        f"{content['ledger']} 台账第 {content['version']} 版"
        if "ledger" in content
        else f"报送 {content.get('delivery')} 的送达证明"
    )
    print_line(f"签名有效：{what}，签于 {content['signed_at']}")
    print_line(f"密钥 {key} {_OURS}")
