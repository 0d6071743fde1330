"""A frozen ledger as a file, with the signature that goes beside it."""

import asyncio
import hashlib
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from gateway.config.keys import Keys
from gateway.config.signing import BadSignature, signed, write_beside
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


class Tampered(ValueError):
    """What is stored of a frozen version is not what was signed when it was frozen."""


class NoRows(LookupError):
    """The version was frozen by a release that kept the workbook only."""


async def content_of(database: Database, frozen: Frozen, form: LedgerFormat) -> bytes:
    """Return a frozen version in a form, the same bytes each time.

    Raises:
        NoRows: only its workbook was kept.
        Tampered: it is not what was frozen.
    """
    async with database.transaction() as connection:
        workbook = await ledgers.workbook(connection, frozen.month, frozen.version) or b""
        rows = await ledgers.frozen_rows(connection, frozen.month, frozen.version)
    if frozen.signature is not None and rows is not None:
        _check(frozen, workbook, rows)
    if form is LedgerFormat.XLSX:
        return workbook
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


def _check(frozen: Frozen, workbook: bytes, rows: bytes) -> None:
    """Raise Tampered unless this is what was signed; earlier releases did not sign the figures."""
    try:
        content, _ = signed(frozen.signature or "")
    except BadSignature as error:
        raise Tampered from error
    found = {
        "ledger": frozen.month,
        "version": frozen.version,
        "hash": frozen.hash,
        "reason": frozen.reason,
        "workbook_sha256": hashlib.sha256(workbook).hexdigest(),
        "rows_sha256": hashlib.sha256(rows).hexdigest(),
    }
    if "figures_sha256" in content:
        found["figures_sha256"] = frozen.figures_sha256
    if any(content.get(name) != value for name, value in found.items()):
        raise Tampered


async def export(database: Database, keys: Keys, frozen: Frozen, out: Path, now: datetime) -> Path:
    """Write a frozen version to a file of that name, and its signature beside it; return that.

    Raises:
        NoRows: only its workbook was kept.
    """
    content = await content_of(database, frozen, LedgerFormat(out.suffix.lower()))
    async with database.transaction() as connection:
        signer = await signing_keys.signer(connection, keys, now)
    signature = signer.sign(signed_about(frozen, content, now))
    return await asyncio.to_thread(write_beside, out, content, signature)


def signed_about(frozen: Frozen, content: bytes, now: datetime) -> dict[str, object]:
    """Return what the signature beside a file of a version says."""
    return {
        "ledger": frozen.month,
        "version": frozen.version,
        "hash": frozen.hash,
        "signed_at": now,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
