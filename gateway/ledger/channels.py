"""How a frozen ledger leaves us 台账送出: written to a folder, or sent by mail.

Doing it twice does no harm: the same bytes go to the same name, or under the same Message-ID.
"""

import os
import uuid
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple

from connectors.shared.mail import MailRefused, send_mail
from gateway.config.signing import SIGNATURE_SUFFIX
from schemas.faults import of_system
from schemas.recipient import MailBox

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
    try:
        send_mail(box, _mail(parcel))
    except MailRefused as error:
        raise NotDelivered(str(error)) from error


def _mail(parcel: Parcel) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["Message-ID"] = parcel.subject, parcel.message_id
    mail.set_content(parcel.text)
    mail.add_attachment(parcel.workbook, maintype=_XLSX[0], subtype=_XLSX[1], filename=parcel.name)
    mail.add_attachment(
        parcel.signature.encode(),
        maintype="application",
        subtype="jose",
        filename=parcel.name + SIGNATURE_SUFFIX,
    )
    return mail
