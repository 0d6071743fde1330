"""Frozen ledgers over HTTP 台账下载: list, download, and say that one was received."""

from dataclasses import asdict
from typing import Annotated
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Body, HTTPException, Path, Response

from gateway.config.clock import Clock
from gateway.ledger.export import LedgerFormat, NoRows, Tampered, content_of
from gateway.ledger.sending import ended, file_name, version_of
from gateway.store.account import ledger_sendings, ledgers
from gateway.store.account.ledger_sendings import SendingState
from gateway.store.account.ledgers import Frozen
from gateway.store.base.engine import Database

Month = Annotated[str, Path(pattern=r"^[0-9]{4}-[0-9]{2}$")]
_TYPES = {
    LedgerFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    LedgerFormat.CSV: "text/csv; charset=utf-8",
    LedgerFormat.JSON: "application/json",
    LedgerFormat.PARQUET: "application/vnd.apache.parquet",
}


def router(database: Database, clock: Clock) -> APIRouter:
    """Return the routes; the application checks the key."""
    routes = APIRouter(prefix="/v1/ledgers")

    @routes.get("/{month}")
    async def versions(month: Month) -> Response:
        """Return the frozen versions of a month with their signatures, and to whom they went."""
        async with database.transaction() as connection:
            found = await ledgers.versions(connection, month)
            sendings = await ledger_sendings.of_month(connection, month)
        told = {
            "versions": [asdict(one) for one in found],
            "sendings": [asdict(one) for one in sendings],
        }
        return Response(orjson.dumps(told), media_type="application/json")

    @routes.get("/{month}/file")
    async def file(
        month: Month, version: int | None = None, form: LedgerFormat = LedgerFormat.XLSX
    ) -> Response:
        """Return a frozen version as a file, the newest one unless one is named."""
        frozen = await _frozen(database, month, version)
        try:
            content = await content_of(database, frozen, form)
        except NoRows as error:
            raise HTTPException(404, "这一版只有工作簿，form 用 .xlsx") from error
        except Tampered as error:
            raise HTTPException(409, "存下的台账与冻结时的签名不符，查审计和备份") from error
        name = quote(file_name(frozen).removesuffix(LedgerFormat.XLSX) + form)
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(content, media_type=_TYPES[form], headers=headers)

    @routes.post("/{month}/received")
    async def received(
        month: Month,
        recipient: Annotated[str, Body(max_length=63)],
        version: Annotated[int, Body()],
        by: Annotated[str, Body(min_length=1, max_length=100)],
    ) -> Response:
        """Note that a recipient has received a version, and who says so."""
        async with database.transaction() as connection:
            sendings = await ledger_sendings.of_month(connection, month)
        wanted = [one for one in sendings if (one.recipient, one.version) == (recipient, version)]
        if not wanted:
            raise HTTPException(404, f"{month} 第 {version} 版没有要送给 {recipient} 的")
        done = await ended(database, wanted[0], SendingState.RECEIVED, by, clock())
        told = {"recipient": recipient, "version": version, "noted": done}
        return Response(orjson.dumps(told), media_type="application/json")

    return routes


async def _frozen(database: Database, month: str, version: int | None) -> Frozen:
    async with database.transaction() as connection:
        frozen = await version_of(connection, month, version)
    if frozen is None:
        raise HTTPException(404, f"{month} 没有冻结的台账，或没有这一版")
    return frozen
