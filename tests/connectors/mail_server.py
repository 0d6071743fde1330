"""A mail server, and a recipient who opens what it was given and checks who signed it."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import openpyxl
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.certificates import written
from tests.connectors.file_servers import Troubles
from tests.integration.post import Post, free_port

#: Steps of the loop in which a connection that was taken is known, or one that is ended closed.
_STEPS = 10


class MailServer(Post):
    """Keeps mails as they came, and may hang up where its answer would come."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.troubles = Troubles()
        self.raw: list[bytes] = []
        self.most: int | None = None
        self.settings: dict[str, Any] = {}

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.most is not None and len(envelope.content) > self.most:
            return "552 message too large"
        answer = await super().handle_DATA(server, session, envelope)
        if answer.startswith("250"):
            self.raw.append(envelope.content)
        if self.troubles.takes_away(".xml"):
            server.transport.abort()
        return answer

    def opened(self, number: int = -1) -> EmailMessage:
        """Return what the recipient reads: decrypted and verified by OpenSSL."""
        sealed, signed = self.folder / "sealed.eml", self.folder / "signed.eml"
        sealed.write_bytes(self.raw[number])
        key, own = self.folder / "office.key", self.folder / "office.pem"
        decrypt = f"-decrypt -in {sealed} -inkey {key} -recip {own} -out {signed}"
        subprocess.run(["openssl", "cms", *decrypt.split()], check=True, capture_output=True)
        verify = f"-verify -in {signed} -CAfile {self.folder / 'bureau.pem'} -purpose any"
        ran = subprocess.run(["openssl", "cms", *verify.split()], check=True, capture_output=True)
        content = message_from_bytes(ran.stdout, policy=policy.default)
        assert isinstance(content, EmailMessage)
        return content

    def rows(self, number: int = -1) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of a mail by sheet."""
        [attachment] = self.opened(number).iter_attachments()
        book = openpyxl.load_workbook(BytesIO(attachment.get_content()))
        found = {}
        for sheet in book.worksheets:
            head, *rows = sheet.iter_rows(values_only=True)
            found[sheet.title] = [dict(zip(map(str, head), row, strict=True)) for row in rows]
        return found

    def effects(self, key: str) -> int:
        """Count the rows of a key, as a recipient who counts each key once."""
        keys = {
            row["本方标识"]
            for number in range(len(self.raw))
            for rows in self.rows(number).values()
            for row in rows
        }
        return int(key in keys)


def certified(folder: Path, name: str, until: datetime | None = None) -> tuple[Path, Path]:
    """Write a self-signed RSA certificate and its key; return their files."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(until or start + timedelta(days=20 * 365))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return written(folder, name, made, key)


class _Controller(Controller):
    """Ends its connections when it stops: one that nobody ends is found by a later test."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.sessions: list[SMTP] = []

    def factory(self) -> SMTP:
        self.sessions.append(super().factory())  # type: ignore[no-untyped-call]
        return self.sessions[-1]

    def hang_up(self) -> None:
        asyncio.run_coroutine_threadsafe(self._hang_up(), self.loop).result(10)

    async def _hang_up(self) -> None:
        for _ in range(_STEPS):  # one that has just come is met, and one that is ended is closed
            for one in self.sessions:
                if one.transport is not None:
                    cast("asyncio.Transport", one.transport).abort()
            await asyncio.sleep(0)


@contextmanager
def mail_server(folder: Path) -> Iterator[MailServer]:
    """Run a mail server for the block, with the settings of a connector to it."""
    office, _ = certified(folder, "office")
    bureau, key = certified(folder, "bureau")
    server, port = MailServer(folder), free_port()
    controller = _Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    server.settings = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "credit@bureau.example",
        "to": "office@county.example",
        "recipient_certificate": str(office),
        "signer_certificate": str(bureau),
        "signer_key": str(key),
        "call_timeout": 20,
    }
    try:
        yield server
    finally:
        controller.hang_up()
        controller.stop()
