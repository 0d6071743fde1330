"""`keys list|rotate|add-master|drop-master`: the keys 密钥 of the installation."""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from gateway.cli.options import ByOption, ReasonOption, actor
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
from gateway.config.keys import KeyPurpose, make_master
from gateway.record.encryption import encrypt_again
from gateway.service import key_ring
from gateway.service.app import Gateway, gateway, reading
from gateway.store.account import signing_keys
from gateway.store.base.installation import KeyUse, key_use
from schemas.base import SHANGHAI

Made = TypeVar("Made")
_TITLES = {
    KeyPurpose.ENCRYPTION: "加密",
    KeyPurpose.PSEUDONYM: "代号",
    KeyPurpose.PERSON: "自然人",
    KeyPurpose.CONTENT: "查重",
}


def keys_list(context: typer.Context, format_: FormatOption = Format.TEXT) -> None:
    """Print the keys by version, the rows that each encrypts, and the master keys."""

    async def work() -> tuple[list[KeyUse], str, list[tuple[str, datetime]]]:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            return await key_use(c), built.keys.master.fingerprint, await signing_keys.names(c)

    keys, ours, signing = run(work)
    for key in keys:
        if format_ is Format.JSON:
            print_json(_json(key))
        else:
            rows = f"，{key.rows} 行用它加密" if key.purpose is KeyPurpose.ENCRYPTION else ""
            made = f"{key.made_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
            masters = "、".join(f"{m}（本机）" if m == ours else m for m in key.masters)
            print_line(
                f"{_TITLES[key.purpose]}密钥 第 {key.version} 版 {made}{rows}；主密钥 {masters}"
            )
    for name, made_at in signing:
        if format_ is Format.JSON:
            print_json({"purpose": "signing", "name": name, "made_at": made_at})
        else:
            print_line(f"签名密钥 {name} {made_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}")


def keys_rotate(
    context: typer.Context,
    reason: ReasonOption,
    pseudonyms: Annotated[
        bool, typer.Option("--pseudonyms", help="换用新的自然人代号，而不是加密密钥")
    ] = False,
    by: ByOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Make a new version of a key; with the encryption key, encrypt everything again."""
    purpose = KeyPurpose.PSEUDONYM if pseudonyms else KeyPurpose.ENCRYPTION
    why = key_ring.Reason(actor(by), reason)

    async def work(built: Gateway) -> tuple[int, int, int]:
        version = await key_ring.rotate(built.database, built.keys, purpose, why, built.clock())
        if pseudonyms:
            return version, 0, 0
        settled = time.monotonic() + 2 * key_ring.RENEWAL
        done: list[int] = []
        with progress("重新加密") as advance:

            def count(rows: int) -> None:
                done.append(rows)
                advance(rows)

            damaged = await encrypt_again(built.database, built.keys, settled, count)
        return version, sum(done), damaged

    version, rows, damaged = _with_gateway(context, work)
    if format_ is Format.JSON:
        print_json({"purpose": purpose, "version": version, "rows": rows, "damaged": damaged})
    else:
        again = "" if pseudonyms else f"，{rows} 行已重新加密"
        print_line(f"{_TITLES[purpose]}密钥已换到第 {version} 版{again}")
    if damaged:
        fail(f"{damaged} 行原来就解不开，保持原样；从备份恢复这些行", Exit.PROBLEMS)


def keys_add_master(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="新主密钥的文件；没有就生成")],
    reason: ReasonOption,
    by: ByOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Let a second master key protect all keys; hosts can then change to it one by one."""
    why, new = key_ring.Reason(actor(by), reason), make_master(file)

    async def work(built: Gateway) -> str:
        await key_ring.add_master(built.database, built.keys, new, why, built.clock())
        return built.keys.master.fingerprint

    old = _with_gateway(context, work)
    if format_ is Format.JSON:
        print_json({"added": new.fingerprint, "old": old, "file": str(file)})
    else:
        print_line(
            f"主密钥 {new.fingerprint} 可以用了：把 {file} 换到各主机（替换 state 目录下的 "
            "master.key，或设为 CREDIT_GATEWAY_MASTER_KEY），逐台重启，"
            f"最后运行 keys drop-master {old}"
        )


def keys_drop_master(
    context: typer.Context,
    fingerprint: Annotated[str, typer.Argument(help="旧主密钥的指纹，见 keys list")],
    reason: ReasonOption,
    by: ByOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Let a former master key protect nothing any more."""
    why = key_ring.Reason(actor(by), reason)

    async def work(built: Gateway) -> None:
        await key_ring.drop_master(built.database, built.keys, fingerprint, why, built.clock())

    _with_gateway(context, work)
    if format_ is Format.JSON:
        print_json({"dropped": fingerprint})
    else:
        print_line(f"主密钥 {fingerprint} 已去掉：还在用它的主机，重启前须换上新的主密钥")


def _with_gateway(context: typer.Context, work: Callable[[Gateway], Awaitable[Made]]) -> Made:
    async def opened() -> Made:
        async with gateway(settings_of(context)) as built:
            return await work(built)

    return run(opened)


def _json(key: KeyUse) -> dict[str, object]:
    return {
        "purpose": key.purpose,
        "version": key.version,
        "made_at": key.made_at,
        "rows": key.rows,
        "masters": key.masters,
    }
