"""What mails become of at mail servers that answer oddly."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connectors import build
from connectors.errors import CallRejected, NotSent, OutcomeUnknown
from connectors.mail_drop import MailDrop
from connectors.shared.mail import send_mail
from connectors.shared.xlsx import workbook
from schemas.configured import ConfiguredKind, adopt
from schemas.delivery import OutcomeKind
from schemas.kinds import KINDS
from schemas.recipient import MailBox
from tests.connectors.conftest import SteppedClock, make_item
from tests.connectors.mail_server import MailServer, mail_server
from tests.connectors.scripted_mail import ScriptedMail, scripted_mail

#: Encryption is offered.
_OFFERED = "250-scripted\r\n250 STARTTLS"


@pytest.fixture
def kinds() -> Iterator[None]:
    """Kinds that a test adopts are gone after it."""
    yield
    KINDS.adopt(())


def drop(server: ScriptedMail | MailServer, clock: Any, **changes: Any) -> MailDrop:
    made = build("mail-drop", {**server.settings, **changes}, clock)
    assert isinstance(made, MailDrop)
    return made


@pytest.mark.parametrize("bye", ["421 closing", "500 what?", "250 ok", "nonsense", ""])
async def test_a_mail_that_was_taken_stays_taken_whatever_is_said_to_the_farewell(
    tmp_path: Path, clock: SteppedClock, bye: str
) -> None:
    async with scripted_mail(tmp_path, QUIT=bye) as server:
        [outcome] = await drop(server, clock).send([make_item(1)])

    assert (server.taken, outcome.kind) == (1, OutcomeKind.ACCEPTED_BLIND)


@pytest.mark.parametrize("taken", ["251 forwarded", "252 taken, I think"])
async def test_every_answer_of_the_second_hundred_says_that_it_was_taken(
    tmp_path: Path, clock: SteppedClock, taken: str
) -> None:
    async with scripted_mail(tmp_path, TAKEN=taken) as server:
        [outcome] = await drop(server, clock).send([make_item(1)])

    assert (server.taken, outcome.kind) == (1, OutcomeKind.ACCEPTED_BLIND)


async def test_mails_of_ours_to_ourselves_are_taken_alike(tmp_path: Path) -> None:
    names = ("host", "port", "security", "sender", "to")
    async with scripted_mail(tmp_path, QUIT="421 closing", TAKEN="251 forwarded") as server:
        box = MailBox(**{name: server.settings[name] for name in names})
        mail = EmailMessage()
        mail.set_content("台账")
        await asyncio.to_thread(send_mail, box, mail)

    assert server.taken == 1


@pytest.mark.parametrize("answer", ["", "nonsense", "354 go on", f"250 {'x' * 9_000}"])
async def test_what_came_of_a_text_without_an_answer_is_not_known(
    tmp_path: Path, clock: SteppedClock, answer: str
) -> None:
    async with scripted_mail(tmp_path, TAKEN=answer) as server:
        with pytest.raises(OutcomeUnknown):
            await drop(server, clock).send([make_item(1)])


@pytest.mark.parametrize("where", ["HELLO", "EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", ["", "451 greylisted, try again", "421 closing"])
async def test_nobody_has_what_was_refused_for_now_or_cut_before_its_text(
    tmp_path: Path, clock: SteppedClock, where: str, answer: str
) -> None:
    others = {"HELO": "421 closing"} if where == "EHLO" else {}
    async with scripted_mail(tmp_path, **{where: answer}, **others) as server:
        with pytest.raises(NotSent):
            await drop(server, clock).send([make_item(1)])

    assert server.taken == 0


@pytest.mark.parametrize("hello", ["250 scripted", _OFFERED])
async def test_without_the_encryption_that_we_want_nothing_is_handed_over(
    tmp_path: Path, clock: SteppedClock, hello: str
) -> None:
    async with scripted_mail(tmp_path, EHLO=hello) as server:
        with pytest.raises(CallRejected, match="不肯加密（STARTTLS），什么也没有发") as told:
            await drop(server, clock, security="starttls").send([make_item(1)])

    assert (server.taken, told.value.theirs) == (0, False)


async def test_encryption_that_is_not_there_for_now_is_waited_for(
    tmp_path: Path, clock: SteppedClock
) -> None:
    answers = {"EHLO": _OFFERED, "STARTTLS": "454 not now"}
    async with scripted_mail(tmp_path, **answers) as server:
        with pytest.raises(NotSent, match="454 not now"):
            await drop(server, clock, security="starttls").send([make_item(1)])


def configured(title: str) -> None:
    given = {"name": "damage", "title": "生态损害", "prefix": "SH_"}
    kind = ConfiguredKind.model_validate(given)
    adopt((kind.model_copy(update={"title": title}),))


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize(
    ("title", "sheet"),
    [
        ("损害赔偿/修复", "损害赔偿／修复"),
        ("名单[试行]", "名单［试行］"),
        ("一行\n两行", "一行 两行"),
        ("登记" * 20, "登记" * 15 + "登"),
    ],
)
async def test_any_title_of_a_kind_can_be_sent(
    tmp_path: Path, clock: SteppedClock, title: str, sheet: str
) -> None:
    configured(title)
    with mail_server(tmp_path) as server:
        item = make_item(1, record_kind="damage", columns={"SH_WSH": "1号"})
        await drop(server, clock).send([item])

    assert list(server.rows()) == [sheet]
    assert str(server.mails[0]["Subject"]).endswith("1条（2026-11-21）")


def test_sheets_of_one_name_are_told_apart() -> None:
    target = BytesIO()
    with workbook(target) as book:
        for name in ("登记" * 20, "登记" * 30, "a", "A", "", "history", "🙂" * 20):
            book.sheet(name, [10.0])

    names = openpyxl.load_workbook(target).sheetnames
    assert names[:2] == ["登记" * 15 + "登", "登记" * 14 + "登~2"]
    assert names[2:] == ["a", "A~2", "Sheet", "history~2", "🙂" * 15]


async def test_a_mail_of_the_early_morning_has_the_day_of_china(tmp_path: Path) -> None:
    early = datetime(2026, 11, 20, 23, tzinfo=UTC)
    with mail_server(tmp_path) as server:
        await drop(server, lambda: early).send([make_item(1)])

    [attachment] = server.opened().iter_attachments()
    mail = message_from_bytes(server.raw[0], policy=policy.default)
    assert attachment.get_filename() == "20261121.xlsx"
    assert mail["Date"] == "Sat, 21 Nov 2026 07:00:00 +0800"
