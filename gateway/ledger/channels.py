"""How a frozen ledger leaves us 台账送出: written to a folder, or sent by mail.

Doing it twice does no harm: the same bytes go to the same name, or under the same Message-ID.
"""

import os
import smtplib
import ssl
import uuid
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple

from connectors.shared.tls import TlsFileError, tls_context
from gateway.config.signing import SIGNATURE_SUFFIX
from schemas.faults import of_system
from schemas.recipient import MailBox

#: Seconds for each step of a mail.
PATIENCE = 30
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


def by_mail(box: MailBox, parcel: Parcel) -> None:
    """Send the file and its signature by mail.

    Raises:
        NotDelivered: the server does not answer, does not let us in, or refuses the mail.
    """
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
    try:
        with _connected(box) as server:
            if box.username is not None and box.password is not None:
                server.login(box.username, box.password.get_secret_value())
            server.send_message(mail)
    except smtplib.SMTPAuthenticationError as error:
        raise NotDelivered(f"邮件服务器 {box.host} 拒绝登录，检查 username 和 password") from error
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise NotDelivered(
            f"邮件服务器 {box.host} 拒收：{error.smtp_code} {words[:200]}"
        ) from error
    except smtplib.SMTPRecipientsRefused as error:
        raise NotDelivered(f"邮件服务器 {box.host} 拒收发给 {box.to} 的邮件") from error
    except TlsFileError as error:
        raise NotDelivered(str(error)) from error
    except ssl.SSLError as error:
        raise NotDelivered(f"邮件服务器 {box.host} 的证书不可信：{error.reason}") from error
    except (smtplib.SMTPException, OSError) as error:
        words = of_system(error) if isinstance(error, OSError) else str(error)
        raise NotDelivered(f"邮件服务器 {box.host} 没有答复：{words}") from error


def _connected(box: MailBox) -> smtplib.SMTP:
    if box.security == "tls":
        return smtplib.SMTP_SSL(box.host, box.port, timeout=PATIENCE, context=tls_context(box))
    server = smtplib.SMTP(box.host, box.port, timeout=PATIENCE)
    if box.security == "starttls":
        server.starttls(context=tls_context(box))
    return server
