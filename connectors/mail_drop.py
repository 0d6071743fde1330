"""The connector `mail-drop`: a signed and encrypted mail for who has no system of his own.

A mail has one workbook with a row for each item, and a note of what it is. It is S/MIME (RFC 8551):
signed by us, then encrypted for the recipient's certificate, as the mail programs of offices read
it. Nobody answers, so that nothing is known but that the mail server took it.
"""

import asyncio
import hashlib
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs7
from pydantic import AfterValidator, Field, SecretStr, model_validator

from connectors.errors import (
    CallRejected,
    ConnectorError,
    NotSent,
    OutcomeUnknown,
    refused_for_us,
)
from connectors.protocol import Limits, OnUnknown
from connectors.shared import Clock, standard
from connectors.shared.amounts import in_unit
from connectors.shared.layout import RowLayout, kind_of, table_of
from connectors.shared.layout_checks import fitting_sheets
from connectors.shared.mail import FOR_GOOD, MailRefused, refusal_of, send_mail
from connectors.shared.one_way import OneWay
from connectors.shared.parts import BatchRefused, BatchSize, send_parts
from connectors.shared.sent_kinds import title_of, title_of_table
from connectors.shared.tls import TlsFileError
from connectors.shared.words import reason
from connectors.shared.xlsx import workbook
from schemas.base import SHANGHAI
from schemas.codes import Verb
from schemas.delivery import Health, Item, Outcome, OutcomeKind
from schemas.destination import TakenTable
from schemas.faults import of_system
from schemas.recipient import MailBox

_XLSX = "application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_VERBS = {
    Verb.NEW: "新报",
    Verb.CORRECT: "更正",
    Verb.WITHDRAW: "撤回",
    Verb.REPAIR: "信用修复，终止公示",
    Verb.REVIVE: "恢复",
}
#: Seconds of a call that are left to make the mail and to translate what came of it.
_MARGIN = 3


Layouts = Mapping[str, RowLayout]


class MailDropSettings(MailBox):
    """Configuration of a `mail-drop` destination."""

    recipient_certificate: str = Field(min_length=1, title="收件人的证书文件（PEM，RSA）")
    signer_certificate: str = Field(min_length=1, title="本方签名证书文件（PEM）")
    signer_key: str = Field(min_length=1, title="本方签名私钥文件（PEM，RSA）")
    signer_key_password: SecretStr | None = Field(default=None, title="签名私钥的口令")
    tables: Annotated[dict[TakenTable, RowLayout], AfterValidator(fitting_sheets)] = Field(
        default={}, title="收件人的列，按记录种类；不写的照标准"
    )
    batch_size: int = Field(default=500, ge=1, le=5000, title="每封条数")
    call_timeout: timedelta = Field(
        default=timedelta(seconds=60), ge=timedelta(seconds=10), title="单次调用时限"
    )

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        keys_of(self)
        return self


class MailKeys(NamedTuple):
    """The recipient's certificate, and what we sign with."""

    recipient: x509.Certificate
    signer: x509.Certificate
    key: RSAPrivateKey


def keys_of(settings: MailDropSettings) -> MailKeys:
    """Read the certificates and the key; raises ValueError with the setting and the fix."""
    recipient = _certificate("recipient_certificate", settings.recipient_certificate)
    if not isinstance(recipient.public_key(), RSAPublicKey):
        raise ValueError(  # noqa: TRY004  of the file, not of a type
            "recipient_certificate：S/MIME 加密要 RSA 的证书"
        )
    signer = _certificate("signer_certificate", settings.signer_certificate)
    secret = settings.signer_key_password
    password = None if secret is None else secret.get_secret_value().encode()
    try:
        key = load_pem_private_key(Path(settings.signer_key).read_bytes(), password)
    except OSError as error:
        raise ValueError(f"signer_key：{settings.signer_key} {of_system(error)}") from None
    except (ValueError, TypeError):
        raise ValueError("signer_key：不是 PEM 私钥，或 signer_key_password 不对") from None
    if not isinstance(key, RSAPrivateKey) or key.public_key() != signer.public_key():
        raise ValueError("signer_key：应为与 signer_certificate 相配的 RSA 私钥")
    return MailKeys(recipient, signer, key)


def _certificate(setting: str, path: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(Path(path).read_bytes())
    except OSError as error:
        raise ValueError(f"{setting}：{path} {of_system(error)}") from None
    except ValueError:
        raise ValueError(f"{setting}：{path} 不是 PEM 格式的证书") from None


class MailDrop(OneWay):
    """The mail box of one recipient."""

    def __init__(self, settings: MailDropSettings, now: Clock) -> None:
        self.limits = Limits(
            batch_size=settings.batch_size,
            concurrency=1,
            on_unknown=OnUnknown.RESEND,
            call_timeout=settings.call_timeout,
        )
        self._settings = settings
        self._now = now
        self._size = BatchSize(settings.batch_size)

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Send the items in one mail; one that the server finds too large is halved."""
        parts = self._size.parts(items)
        return await send_parts(parts, self._send, self.limits.call_timeout, self._size)

    async def _send(self, items: Sequence[Item]) -> list[Outcome]:
        seconds = self.limits.call_timeout.total_seconds() - _MARGIN
        mail = await asyncio.to_thread(self._mail, items)
        try:
            await asyncio.to_thread(send_mail, self._settings, mail, whole=seconds)
        except MailRefused as error:
            raise _translated(error) from error
        taken = Outcome(kind=OutcomeKind.ACCEPTED_BLIND, reference=str(mail["Message-ID"]))
        return [taken] * len(items)

    def _mail(self, items: Sequence[Item]) -> EmailMessage:
        """Return the mail; the same items have the same Message-ID, so that a repeat is seen."""
        now = self._now()
        try:
            keys = keys_of(self._settings)  # each time: a renewed certificate is found
        except ValueError as error:
            raise refused_for_us(str(error)) from error
        for name, certificate in (("对方的", keys.recipient), ("本方签名的", keys.signer)):
            if certificate.not_valid_after_utc < now:
                until = certificate.not_valid_after_utc
                raise refused_for_us(f"{name}证书 {until:%Y-%m-%d} 已到期：换新的证书")
            if certificate.not_valid_before_utc > now:
                since = certificate.not_valid_before_utc
                raise refused_for_us(
                    f"{name}证书 {since:%Y-%m-%d} 才生效：等到那时，或换已生效的；也查本机的时钟"
                )
        signed = (
            pkcs7.PKCS7SignatureBuilder()
            .set_data(_content(items, now, self._settings.tables))
            .add_signer(keys.signer, keys.key, SHA256())
            .sign(Encoding.SMIME, [pkcs7.PKCS7Options.DetachedSignature])
        )
        sealed = (
            pkcs7.PKCS7EnvelopeBuilder()
            .set_data(signed)
            .add_recipient(keys.recipient)
            .set_content_encryption_algorithm(AES256)
            .encrypt(Encoding.SMIME, [pkcs7.PKCS7Options.Binary])
        )
        mail = message_from_bytes(sealed, policy=policy.SMTP)
        named = hashlib.sha256("\n".join(sorted(item.key for item in items)).encode()).hexdigest()
        mail["Message-ID"] = f"<{named[:32]}@{self._settings.sender.rpartition('@')[2]}>"
        here = now.astimezone(SHANGHAI)
        mail["Date"] = format_datetime(here)
        mail["Subject"] = f"{_summary(items)}（{here:%Y-%m-%d}）"
        return mail

    async def health(self) -> Health:
        """Check that the mail server answers, and that the certificates are valid."""
        settings = self._settings
        try:
            await asyncio.to_thread(self._mail, [])
            async with asyncio.timeout(self.limits.call_timeout.total_seconds()):
                _, writer = await asyncio.open_connection(settings.host, settings.port)
            writer.close()
        except (OSError, ValueError, ConnectorError) as error:
            said = of_system(error) if isinstance(error, OSError) else str(error)
            return Health(ok=False, detail=f"邮件服务器 {settings.host}：{said}")
        return Health(ok=True, detail=f"邮件发给 {settings.to}")

    async def close(self) -> None:
        """Nothing stays open between calls."""


def _summary(items: Sequence[Item]) -> str:
    """Return what a mail has, on one line: a title of a configured kind may have several."""
    counts: dict[str, int] = {}
    for item in items:
        counts[item.record_kind] = counts.get(item.record_kind, 0) + 1
    said = "、".join(f"{title_of(kind)}{count}条" for kind, count in counts.items())
    return " ".join("".join(c if c.isprintable() else " " for c in said).split())


def _content(items: Sequence[Item], now: datetime, layouts: Layouts) -> bytes:
    """Return the note and the workbook, as they are signed."""
    mail = EmailMessage(policy=policy.SMTP)
    here = now.astimezone(SHANGHAI)
    lines = [
        f"送达时间：{here:%Y-%m-%d %H:%M}",
        f"内容：{_summary(items)}，见附件，一行一条",
        "“动作”是更正、撤回的，请替换或撤下以前收到的同一文号；同一“本方标识”收到两次的，以一次计",
    ]
    mail.set_content("\n".join(lines) + "\n")
    mail.add_attachment(
        _workbook(items, layouts),
        maintype=_XLSX[0],
        subtype=_XLSX[1],
        filename=f"{here:%Y%m%d}.xlsx",
    )
    return mail.as_bytes()


def _workbook(items: Sequence[Item], layouts: Layouts) -> bytes:
    """Return a sheet for each table, with the titles of the standard or the recipient's names."""
    target = BytesIO()
    with workbook(target) as book:
        for table in dict.fromkeys(table_of(layouts, item) for item in items):
            layout = layouts.get(table, RowLayout())
            given = [item for item in items if table_of(layouts, item) == table]
            rows = [layout.own(item) for item in given]
            titles = {**standard.titles(kind_of(table)), **layout.columns}
            heads = {name: titles.get(name, name) for row in rows for name in row}
            sheet = book.sheet(title_of_table(table), [10, 24, *([18] * len(heads))])
            sheet.head(["动作", "本方标识", *heads.values(), *layout.constants])
            for item, row in zip(given, rows, strict=True):
                told = [_text(in_unit(name, row.get(name), head)) for name, head in heads.items()]
                cells = [_VERBS[item.verb], item.key, *told, *layout.constants.values()]
                sheet.write([(cell, "text") for cell in cells])
    return target.getvalue()


def _translated(error: MailRefused) -> ConnectorError:
    """Return what a mail that was not taken means; until its text left us nobody has it."""
    cause, words = error.__cause__, reason(str(error))
    code = refusal_of(cause)
    made: ConnectorError
    match cause:
        case _ if error.may_have_arrived:
            made = OutcomeUnknown(words)
        case _ if code is not None and code < FOR_GOOD:
            made = NotSent(words)
        case smtplib.SMTPDataError():
            made = BatchRefused(words)  # for its size, or for something in it
        case smtplib.SMTPAuthenticationError() | TlsFileError() | UnicodeError() | ssl.SSLError():
            made = refused_for_us(words)
        case smtplib.SMTPException() if not isinstance(cause, smtplib.SMTPServerDisconnected):
            made = refused_for_us(words) if code is None else CallRejected(words)
        case _:
            made = NotSent(words)
    return made


def _text(value: Any) -> str:
    """Return a value for people."""
    if isinstance(value, list):
        return "、".join(map(str, value))
    return "" if value is None else str(value)
