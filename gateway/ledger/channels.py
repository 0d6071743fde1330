"""How a frozen ledger leaves us 台账送出: written to a folder, or sent by mail.

Doing it twice does no harm: the same bytes go to the same name, or under the same Message-ID.
"""

import os
import smtplib
import socket
import ssl
import threading
import uuid
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple

from connectors.shared.tls import TlsFileError, tls_context
from gateway.config.signing import SIGNATURE_SUFFIX
from schemas.faults import of_system
from schemas.recipient import MailBox

#: Seconds for each step of a mail, and for the whole: a server may drip its answer byte by byte.
PATIENCE, WHOLE = 30, 240
_XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")


class NotDelivered(Exception):
    """A ledger did not reach its recipient; the message says why in Chinese."""


class Parcel(NamedTuple):
    """What is sent: the name of the file, its bytes, their signature, and the words of a mail."""

    name: str
    workbook: bytes
    signature: str
    subject: str
    text: str
    message_id: str


def to_folder(folder: Path, parcel: Parcel) -> None:
    """Write the signature, then the file: whoever sees the file finds its signature.

    Raises:
        NotDelivered: the folder is not there or cannot be written.
    """
    try:
        _replace(folder / (parcel.name + SIGNATURE_SUFFIX), parcel.signature.encode() + b"\n")
        _replace(folder / parcel.name, parcel.workbook)
    except OSError as error:
        raise NotDelivered(f"不能写到 {folder}：{of_system(error)}") from error


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees a part of it."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with draft.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


class _Mail(smtplib.SMTP):
    """A connection to a mail server that is cut when it lasts too long."""

    is_late = False

    def connect(self, *place: Any, **options: Any) -> tuple[int, bytes]:
        self.end = threading.Timer(WHOLE, self.cut)
        self.end.daemon = True
        self.end.start()
        return super().connect(*place, **options)

    def getreply(self) -> tuple[int, bytes]:
        reply = super().getreply()
        if self.is_late:  # what came of a line before it was cut is no answer
            self.close()
            raise smtplib.SMTPServerDisconnected(f"{WHOLE} 秒没有答完")
        return reply

    def close(self) -> None:
        self.end.cancel()
        super().close()

    def cut(self) -> None:
        """End what the other side, or a thread of ours, still does with it."""
        self.is_late = True
        if self.sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class _MailOverTls(_Mail, smtplib.SMTP_SSL):
    """The same over TLS from its first byte on."""


def by_mail(box: MailBox, parcel: Parcel) -> None:
    """Send the file and its signature by mail.

    Raises:
        NotDelivered: the server does not answer, does not let us in, or refuses the mail.
    """
    try:
        with _connected(box) as server:
            if box.username is not None and box.password is not None:
                server.login(box.username, box.password.get_secret_value())
            server.send_message(_mail(box, parcel))
    except TlsFileError as error:
        raise NotDelivered(str(error)) from error
    except (UnicodeError, OSError) as error:  # those of smtplib are some of the system's
        raise NotDelivered(_said(error, box)) from error


def _mail(box: MailBox, parcel: Parcel) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = parcel.subject, box.sender, box.to
    mail["Message-ID"] = parcel.message_id
    mail.set_content(parcel.text)
    mail.add_attachment(parcel.workbook, maintype=_XLSX[0], subtype=_XLSX[1], filename=parcel.name)
    mail.add_attachment(
        parcel.signature.encode(),
        maintype="application",
        subtype="jose",
        filename=parcel.name + SIGNATURE_SUFFIX,
    )
    return mail


def _said(error: UnicodeError | OSError, box: MailBox) -> str:
    """Return in Chinese what went wrong with a mail."""
    match error:
        case smtplib.SMTPAuthenticationError():
            said = "拒绝登录，检查 username 和 password"
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=bytes(given)):
            said = f"拒收：{code} {given.decode('utf-8', 'replace')[:200]}"
        case smtplib.SMTPRecipientsRefused():
            said = f"拒收发给 {box.to} 的邮件"
        case UnicodeError():
            said = "不收英文以外的文字：username、password、sender 和 to 只用英文字母、数字和符号"
        case ssl.SSLError():
            said = f"的证书不可信：{error.reason}"
        case _:
            said = f"没有答复：{of_system(error)}"
    return f"邮件服务器 {box.host} {said}"


def _connected(box: MailBox) -> smtplib.SMTP:
    if box.security == "tls":
        return _MailOverTls(box.host, box.port, timeout=PATIENCE, context=tls_context(box))
    server = _Mail(box.host, box.port, timeout=PATIENCE)
    if box.security == "starttls":
        server.starttls(context=tls_context(box))
    return server
