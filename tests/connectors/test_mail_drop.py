"""Mails for who has no system: what the recipient opens, and what a refusal means."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors import BadSettings, build
from connectors.errors import CallRejected, NotSent, OutcomeUnknown
from connectors.mail_drop import MailDrop
from schemas.codes import Verb
from schemas.delivery import OutcomeKind
from tests.certificates import Authority
from tests.connectors.conftest import SteppedClock, make_item
from tests.connectors.mail_server import MailServer, certified, mail_server
from tests.integration.post import free_port


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    with mail_server(tmp_path) as server:
        yield server


def drop(server: MailServer, clock: Any, **changes: Any) -> MailDrop:
    made = build("mail-drop", {**server.settings, **changes}, clock)
    assert isinstance(made, MailDrop)
    return made


async def test_the_recipient_opens_a_note_and_a_workbook_that_we_signed(
    server: MailServer, clock: SteppedClock
) -> None:
    licence = make_item(
        3, record_kind="licence", verb=Verb.WITHDRAW, columns={"XK_WSH": "豫许〔2026〕3号"}
    )
    outcomes = await drop(server, clock).send([make_item(1), licence])

    content = server.opened()
    body = content.get_body()
    assert body is not None
    note = str(body.get_content())
    assert {one.kind for one in outcomes} == {OutcomeKind.ACCEPTED_BLIND}
    assert "送达时间：2026-11-21 10:00" in note
    assert "行政处罚1条、行政许可1条" in note
    rows = server.rows()
    assert rows["行政处罚"][0]["行政处罚决定书文号"] == "豫环罚决字〔2026〕1号"
    assert rows["行政处罚"][0]["动作"] == "新报"
    assert rows["行政许可"][0]["动作"] == "撤回"
    assert rows["行政许可"][0]["本方标识"] == "key-3"


async def test_the_recipient_gets_his_own_columns_and_no_more(
    server: MailServer, clock: SteppedClock
) -> None:
    layout = {
        "columns": {"CF_NR": "处罚决定"},
        "left_out": ["BZ"],
        "masked": ["CF_XDR_ZJHM"],
        "constants": {"来源": "环保"},
    }
    given = {"CF_WSH": "豫环罚〔2026〕1号", "CF_NR": "罚款", "BZ": "内部"}
    given |= {"CF_XDR_ZJHM": "11010519491231002X"}

    await drop(server, clock, tables={"penalty": layout}).send([make_item(1, columns=given)])

    [row] = server.rows()["行政处罚"]
    assert (row["处罚决定"], row["来源"]) == ("罚款", "环保")
    assert "110105********002X" in row.values()
    assert "内部" not in row.values()


async def test_natural_persons_have_a_sheet_of_their_own_where_the_recipient_wants_it(
    server: MailServer, clock: SteppedClock
) -> None:
    tables = {"penalty/persons": {"masked": ["CF_XDR_ZJHM"], "columns": {"CF_NR_FK": "罚款（元）"}}}
    given = {"CF_WSH": "1号", "CF_XDR_ZJHM": "11010519491231002X", "CF_NR_FK": "2"}
    items = [make_item(1), make_item(2, columns=given, person=True)]

    await drop(server, clock, tables=tables).send(items)

    assert len(server.rows()["行政处罚"]) == 1
    [row] = server.rows()["行政处罚（自然人）"]
    assert (row["证件号码"], row["罚款（元）"]) == ("110105********002X", "20000")


def test_two_columns_of_one_name_are_refused(server: MailServer, clock: SteppedClock) -> None:
    layout = {"columns": {"CF_WSH": "文号"}, "constants": {"文号": "x"}}

    with pytest.raises(BadSettings, match=r"CF_WSH 和 constants\.文号"):
        drop(server, clock, tables={"penalty": layout})


async def test_nothing_of_a_decision_can_be_read_on_the_way(
    server: MailServer, clock: SteppedClock
) -> None:
    await drop(server, clock).send([make_item(1)])

    [sealed] = server.raw
    [mail] = server.mails
    assert mail["Subject"] == "行政处罚1条（2026-11-21）"
    assert mail.get_content_type() in {"application/pkcs7-mime", "application/x-pkcs7-mime"}
    assert "豫环罚决字".encode() not in sealed
    assert b"key-1" not in sealed


async def test_the_same_items_have_the_same_message_id(
    server: MailServer, clock: SteppedClock
) -> None:
    [first] = await drop(server, clock).send([make_item(1)])
    server.troubles.lose = 1
    with pytest.raises(OutcomeUnknown):
        await drop(server, clock).send([make_item(1)])
    [other] = await drop(server, clock).send([make_item(2)])

    ids = [str(mail["Message-ID"]) for mail in server.mails]
    assert ids == [first.reference, first.reference, other.reference]


async def test_a_mail_that_is_too_large_is_halved(server: MailServer, clock: SteppedClock) -> None:
    connector = drop(server, clock)
    await connector.send([make_item(1)])
    server.most = len(server.raw[0]) + 7_000
    server.raw.clear()
    packed_badly = [Random(n).randbytes(2000).hex() for n in range(4)]  # noqa: S311
    items = [make_item(n, columns={"CF_NR": text}) for n, text in enumerate(packed_badly)]

    outcomes = await connector.send(items)

    assert {one.kind for one in outcomes} == {OutcomeKind.ACCEPTED_BLIND}
    assert len(server.raw) > 1


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        ("451 try later", NotSent),
        ("550 no such box", CallRejected),
    ],
)
async def test_a_refusal_says_that_nobody_has_it(
    server: MailServer, clock: SteppedClock, refusal: str, error: type[Exception]
) -> None:
    server.refuse = refusal

    with pytest.raises(error, match=refusal[4:]):
        await drop(server, clock).send([make_item(1)])

    server.refuse = ""
    [outcome] = await drop(server, clock).send([make_item(1)])
    assert outcome.kind is OutcomeKind.ACCEPTED_BLIND


async def test_a_key_that_vanished_is_told_and_one_that_came_back_is_used(
    server: MailServer, clock: SteppedClock, tmp_path: Path
) -> None:
    connector = drop(server, clock)
    key = tmp_path / "bureau.key"
    kept = key.read_bytes()
    key.unlink()

    with pytest.raises(CallRejected, match="signer_key") as told:
        await connector.send([make_item(1)])
    key.write_bytes(kept)
    [outcome] = await connector.send([make_item(1)])

    assert not told.value.theirs
    assert outcome.kind is OutcomeKind.ACCEPTED_BLIND


async def test_nobody_there_has_nothing(server: MailServer, clock: SteppedClock) -> None:
    away = drop(server, clock, port=free_port())

    with pytest.raises(NotSent, match="没有在该端口接受连接"):
        await away.send([make_item(1)])
    assert not (await away.health()).ok


async def test_a_certificate_that_has_ended_is_told_before_anything_is_sent(
    server: MailServer, clock: SteppedClock, tmp_path: Path
) -> None:
    old, _ = certified(tmp_path, "old", datetime(2025, 1, 1, tzinfo=UTC))
    connector = drop(server, clock, recipient_certificate=str(old))

    with pytest.raises(CallRejected, match="对方的证书 2025-01-01 已到期"):
        await connector.send([make_item(1)])
    health = await connector.health()

    assert (health.ok, "已到期" in health.detail) == (False, True)
    assert server.raw == []


async def test_a_certificate_that_is_not_valid_yet_is_named(
    server: MailServer, tmp_path: Path
) -> None:
    """A clock that stands years back would else sign what nobody accepts."""
    early = SteppedClock(datetime(2019, 12, 31, tzinfo=UTC))

    with pytest.raises(CallRejected, match="证书 2020-01-01 才生效"):
        await drop(server, early).send([make_item(1)])


def test_what_cannot_work_is_refused_at_the_start(
    server: MailServer, clock: SteppedClock, tmp_path: Path
) -> None:
    elliptic, key = Authority(tmp_path).issue("ec")
    (tmp_path / "no.pem").write_text("nonsense")
    _, other = certified(tmp_path, "other")
    said = {
        "recipient_certificate：S/MIME 加密要 RSA 的证书": {"recipient_certificate": str(elliptic)},
        "recipient_certificate：/no/file": {"recipient_certificate": "/no/file"},
        "不是 PEM 格式的证书": {"signer_certificate": str(tmp_path / "no.pem")},
        "应为与 signer_certificate 相配的 RSA 私钥": {"signer_key": str(other)},
        "signer_key：应为": {"signer_key": str(key)},
        "signer_key：不是 PEM 私钥": {"signer_key": str(tmp_path / "no.pem")},
    }
    for words, change in said.items():
        with pytest.raises(BadSettings) as told:
            drop(server, clock, **change)
        assert words in str(told.value)
