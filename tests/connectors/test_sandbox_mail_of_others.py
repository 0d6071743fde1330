"""The sandbox's mailbox with the mails of other programs."""

import asyncio
import smtplib
from collections.abc import AsyncIterator, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from connectors.sandbox import MailPlace, Sandbox, create_sandbox, serve_mail
from connectors.sandbox.mail_server import MailAddress
from tests.connectors.conftest import SteppedClock

PLACE = "county-office"
HEADS = ("动作", "本方标识", "行政处罚决定书文号")


@pytest.fixture
def sandbox(clock: SteppedClock, tmp_path: Path) -> Sandbox:
    return create_sandbox(clock, {PLACE: MailPlace(folder=tmp_path)})


@pytest.fixture
async def address(sandbox: Sandbox) -> AsyncIterator[MailAddress]:
    async with serve_mail(sandbox) as listening:
        yield listening


class Office:
    """Another sender."""

    def __init__(self, sandbox: Sandbox, address: MailAddress, folder: Path) -> None:
        self.sandbox, self.address, self.folder = sandbox, address, folder

    async def send(self, *rows: Sequence[Any], file: str = "a.xlsx", to: str = PLACE) -> None:
        sealed = self._sealed(_workbook(rows), file)
        await asyncio.to_thread(self._post, sealed, f"{to}@sandbox.example")

    def _sealed(self, workbook: bytes, file: str) -> bytes:
        mail = EmailMessage()
        mail.set_content("见附件")
        mail.add_attachment(workbook, maintype="application", subtype="octet-stream", filename=file)
        office = x509.load_pem_x509_certificate((self.folder / "recipient.pem").read_bytes())
        made = pkcs7.PKCS7EnvelopeBuilder().set_data(mail.as_bytes()).add_recipient(office)
        sealed = made.encrypt(Encoding.SMIME, [pkcs7.PKCS7Options.Binary])
        return message_from_bytes(sealed, policy=policy.SMTP).as_bytes()

    def _post(self, mail: bytes, to: str) -> None:
        with smtplib.SMTP(*self.address, timeout=10) as server:
            server.sendmail("clerk@other.example", [to], mail)

    @property
    def entries(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.sandbox.books[PLACE].state()["entries"]
        return found


def _workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    book, target = openpyxl.Workbook(), BytesIO()
    sheet = book.worksheets[0]
    sheet.title = "行政处罚"
    for row in (HEADS, *rows):
        sheet.append(row)
    book.save(target)
    return target.getvalue()


@pytest.fixture
def office(sandbox: Sandbox, address: MailAddress, tmp_path: Path) -> Office:
    return Office(sandbox, address, tmp_path)


async def test_an_address_and_a_file_name_may_be_in_capitals(office: Office) -> None:
    await office.send(("新报", "k1", "1号"), file="名单.XLSX", to=PLACE.upper())

    assert [one["key"] for one in office.entries] == ["k1"]


async def test_rows_without_our_key_are_rows_of_their_own(office: Office) -> None:
    rows = (("新报", None, "1号"), ("新报", None, "2号"), ("新报", None, "2号"), (None, None, None))

    await office.send(*rows)
    await office.send(*rows[:2])

    assert [one["document_number"] for one in office.entries] == ["1号", "2号", "2号"]


async def test_numbers_are_as_they_were_typed(office: Office) -> None:
    await office.send(("新报", 1001, 20261))

    [one] = office.entries
    assert (one["key"], one["columns"]) == ("1001", {"CF_WSH": "20261"})
