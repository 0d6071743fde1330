"""A frozen ledger as a file, with the signature that goes beside it."""

import asyncio
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from gateway.config.keys import Keys
from gateway.config.signing import write_signed
from gateway.ledger.rows_file import as_csv, as_json
from gateway.store.account import ledgers, signing_keys
from gateway.store.account.ledgers import Frozen
from gateway.store.base.engine import Database


class LedgerFormat(StrEnum):
    """The forms of a ledger, by the end of the name of the file."""

    XLSX = ".xlsx"
    CSV = ".csv"
    JSON = ".json"
    PARQUET = ".parquet"


class NoRows(LookupError):
    """The version was frozen by a release that kept the workbook only."""


async def content_of(database: Database, frozen: Frozen, form: LedgerFormat) -> bytes:
    """Return a frozen version in a form, the same bytes each time.

    Raises:
        NoRows: only its workbook was kept.
    """
    async with database.transaction() as connection:
        if form is LedgerFormat.XLSX:
            return await ledgers.workbook(connection, frozen.month, frozen.version) or b""
        rows = await ledgers.frozen_rows(connection, frozen.month, frozen.version)
    if rows is None:
        raise NoRows
    if form is LedgerFormat.PARQUET:
        return rows
    if form is LedgerFormat.CSV:
        return await asyncio.to_thread(as_csv, rows)
    about = {
        "month": frozen.month,
        "version": frozen.version,
        "hash": frozen.hash,
        "reason": frozen.reason,
        "recorded_at": frozen.recorded_at,
        "signature": frozen.signature,
        **frozen.figures,
    }
    return await asyncio.to_thread(as_json, rows, about)


async def export(database: Database, keys: Keys, frozen: Frozen, out: Path, now: datetime) -> Path:
    """Write a frozen version to a file of that name, and its signature beside it; return that.

    Raises:
        NoRows: only its workbook was kept.
    """
    content = await content_of(database, frozen, LedgerFormat(out.suffix.lower()))
    async with database.transaction() as connection:
        signer = await signing_keys.signer(connection, keys, now)
    about = {"ledger": frozen.month, "version": frozen.version, "hash": frozen.hash}
    return await asyncio.to_thread(write_signed, out, content, signer, {**about, "signed_at": now})
