"""Files 报文 for a platform, on a real SFTP server and a real FTP server over TLS."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from defusedxml import ElementTree

from connectors import BadSettings, build
from connectors.errors import CallRejected, NotSent, OutcomeUnknown
from connectors.file_drop import ftp, journal
from schemas.codes import Verb
from schemas.delivery import Item, OutcomeKind
from tests.certificates import Authority
from tests.connectors.conftest import FILES, SteppedClock, make_item
from tests.connectors.file_servers import (
    PASSWORD,
    Server,
    Troubles,
    all_receipts,
    ftps_server,
    sftp_server,
)

ItemFactory = Callable[..., Item]
ANSWERS = {"folder": "answers", "done_folder": "answers/read", "key_field": "CG_KEY"}
FIRST = "001501_20261121_00001.xml"


@pytest.fixture
async def server(tmp_path: Path, clock: SteppedClock) -> AsyncIterator[Server]:
    root, troubles = tmp_path / "files", Troubles()
    (root / "answers").mkdir(parents=True)
    async with sftp_server(root, troubles) as place:
        yield Server(root, {**place, **FILES}, troubles, clock)


async def test_a_file_has_the_name_and_the_rows_that_the_platform_expects(server: Server) -> None:
    table = {**FILES["tables"]["penalty"], "columns": {"CF_WSH": "WSH"}, "constants": {"LY": "环"}}
    connector = server.connector(tables={"penalty": table})
    given = {"CF_WSH": "豫环罚〔2026〕1号", "CF_NR": '<3> & "万元"\x0b\r\n', "CF_NR_FK": None}

    [outcome] = await connector.send([make_item(1, verb=Verb.WITHDRAW, columns=given)])

    data = (server.root / FIRST).read_bytes()
    [row] = ElementTree.fromstring(data)
    assert outcome.kind is OutcomeKind.ACCEPTED_BLIND
    assert outcome.reference == FIRST
    assert data.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert {one.tag: one.text for one in row} == {
        "WSH": "豫环罚〔2026〕1号",
        "CF_NR": '<3> & "万元"\ufffd\r\n',
        "LY": "环",
        "CF_ZT": "1",
        "CG_KEY": "key-1",
    }


async def test_numbers_go_on_over_a_restart_and_after_the_platform_has_collected(
    server: Server,
) -> None:
    await server.connector().send([make_item(1)])
    (server.root / FIRST).unlink()

    await server.connector().send([make_item(2)])
    (server.root / "001501_20261121_00007.xml").touch()  # written by hand
    await server.connector().send([make_item(3)])
    server.clock.move(timedelta(days=1))
    await server.connector().send([make_item(4)])

    assert server.names() == [
        "001501_20261121_00002.xml",
        "001501_20261121_00007.xml",
        "001501_20261121_00008.xml",
        "001501_20261122_00001.xml",
    ]


async def test_what_a_crash_left_is_finished_or_made_anew(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "PATIENCE", 0)
    await server.connector().send([make_item(1), make_item(2)])
    (server.root / FIRST).rename(server.root / f"{FIRST}.part")  # all but the last step
    half = server.root / "001501_20261121_00002.xml.part"
    half.write_text("<DATAS><DATA>")
    (server.root / "others.part").touch()

    found = await server.connector().look_up([make_item(2), make_item(3)])
    await server.connector().send([make_item(2), make_item(3)])

    assert [one.absent for one in found] == [False, True]
    assert server.names() == [FIRST, "001501_20261121_00002.xml", "others.part"]
    text = (server.root / "001501_20261121_00002.xml").read_text("utf-8")
    assert ("key-3" in text, "key-2" in text) == (True, False)


async def test_a_name_that_somebody_else_took_meanwhile_is_left_to_him(server: Server) -> None:
    await server.connector().send([make_item(1)])
    (server.root / FIRST).rename(server.root / f"{FIRST}.part")
    (server.root / FIRST).write_text("theirs")

    [found] = await server.connector().look_up([make_item(1)])
    await server.connector().send([make_item(1)])

    assert found.absent
    assert (server.root / FIRST).read_text() == "theirs"
    assert server.names() == [FIRST, "001501_20261121_00002.xml"]


async def test_answers_tell_the_rows_by_our_key_or_by_a_number_that_one_row_has(
    server: Server,
) -> None:
    connector = server.connector(answers=ANSWERS)
    outcomes = await connector.send([make_item(n) for n in (1, 2, 3)])
    server.answer(
        "001501_20261121_00001_result.xml",
        "<DATAS><DATA><CG_KEY>key-1</CG_KEY><code>200</code></DATA>"
        "<DATA><CF_WSH>豫环罚决字（2026）2号</CF_WSH><code>1001</code>"
        "<message>未查询到主体</message></DATA>"
        "<DATA><CF_WSH>谁的号</CF_WSH><code>1</code></DATA></DATAS>",
        "gb18030",
    )
    server.answer("990101_20261121_00001.xml", "<DATAS/>")  # of another department

    told = await all_receipts(connector)

    assert {one.kind for one in outcomes} == {OutcomeKind.SUBMITTED}
    assert [(one.key, one.accepted, one.reasons) for one in told] == [
        ("key-1", True, ()),
        ("key-2", False, ("对方返回 1001：未查询到主体",)),
    ]
    assert server.names("answers") == ["990101_20261121_00001.xml"]
    assert server.names("answers/read") == ["001501_20261121_00001_result.xml"]


async def test_an_answer_is_put_aside_only_once_it_was_stored(server: Server) -> None:
    connector = server.connector(answers=ANSWERS)
    await connector.health()
    await connector.send([make_item(1)])
    server.answer(FIRST, "<DATAS><DATA><CG_KEY>key-1</CG_KEY><code>0</code></DATA></DATAS>")

    first, cursor = await connector.receipts("")
    again, _ = await server.connector(answers=ANSWERS).receipts("")  # it was killed before
    after, _ = await connector.receipts(cursor)

    assert first == again != []
    assert after == []


@pytest.mark.parametrize(
    ("text", "only_errors", "told"),
    [
        ("<DATAS><code>0</code></DATAS>", False, {"key-1": True, "key-2": True}),
        ("<DATAS><code>9</code><message>坏</message></DATAS>", False, {"key-1": False,
                                                                    "key-2": False}),
        ("<DATAS><DATA><CG_KEY>key-1</CG_KEY><code>9</code></DATA></DATAS>", True,
         {"key-1": False, "key-2": True}),
        ("<DATAS><DATA><CG_KEY>key-1</CG_KEY><code>9</code></DATA></DATAS>", False,
         {"key-1": False}),
        ("<DATAS><DATA><CG_KEY>key-9</CG_KEY><code>9</code></DATA></DATAS>", True, {}),
        ("<DATAS/>", True, {"key-1": True, "key-2": True}),
        ("<DATAS/>", False, {}),
    ],
)  # fmt: skip
async def test_an_answer_may_speak_of_the_file_as_a_whole_or_of_errors_only(
    server: Server, text: str, only_errors: bool, told: dict[str, bool]
) -> None:
    connector = server.connector(answers={**ANSWERS, "only_errors": only_errors})
    await connector.health()
    await connector.send([make_item(1), make_item(2)])
    server.answer(FIRST, text)

    found, _ = await connector.receipts("")

    assert {one.key: one.accepted for one in found} == told


@pytest.mark.parametrize("text", ["", "no xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a>"])
async def test_an_answer_that_cannot_be_read_is_put_aside_and_stops_no_other(
    server: Server, text: str
) -> None:
    connector = server.connector(answers=ANSWERS)
    await connector.send([make_item(1)])
    await connector.send([make_item(2)])
    await connector.health()
    server.answer(FIRST, text)
    second = "001501_20261121_00002.xml"
    server.answer(second, "<DATAS><DATA><CG_KEY>key-2</CG_KEY><code>0</code></DATA></DATAS>")

    told = await all_receipts(connector)
    server.clock.move(timedelta(minutes=10))
    await all_receipts(connector)

    assert [one.key for one in told] == ["key-2"]
    assert server.names("answers/read") == [second, f"unread-{FIRST}"]


async def test_a_day_without_data_has_one_empty_file_once_its_time_has_come(server: Server) -> None:
    tables = {"penalty": {"code": "001501"}, "licence": {"code": "001502"}}
    connector = server.connector(tables=tables, empty_day="11:00")  # it is 10:00 in China
    await connector.receipts("")
    assert server.names() == []
    await connector.send([make_item(1)])
    server.clock.move(timedelta(hours=2))

    await connector.receipts("")
    await connector.receipts("")
    await server.connector(tables=tables, empty_day="11:00").receipts("")

    assert server.names() == [FIRST, "001502_20261121_00001.xml"]
    assert len(ElementTree.parse(server.root / "001502_20261121_00001.xml").getroot()) == 0


async def test_keys_are_forgotten_after_two_months(server: Server) -> None:
    await server.connector().send([make_item(1)])
    server.clock.move(journal.KEPT + timedelta(days=1))

    await server.connector().send([make_item(2)])

    assert server.names("journal") == ["001501_20270121_00001.xml.keys"]


async def test_a_server_without_room_has_nothing_and_is_tried_again(server: Server) -> None:
    server.troubles.full = True
    with pytest.raises(NotSent, match="no space left"):
        await server.connector().send([make_item(1)])
    server.troubles.full = False

    [outcome] = await server.connector().send([make_item(1)])

    assert outcome.kind is OutcomeKind.ACCEPTED_BLIND
    assert server.names() == [FIRST]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password": "wrong-word"}, "登录被拒绝"),
        ({"upload_folder": "nowhere"}, "nowhere 不存在或没有权限"),
        ({"password": None, "ssh_key_file": "/no/key"}, "/no/key 读不出来"),
    ],
)
async def test_what_the_account_may_not_is_told(
    server: Server, change: dict[str, Any], said: str
) -> None:
    connector = server.connector(**change)

    with pytest.raises(CallRejected, match=said) as told:
        await connector.send([make_item(1)])
    health = await connector.health()

    assert not told.value.theirs
    assert (health.ok, said in health.detail) == (False, True)
    assert "wrong-word" not in health.detail


async def test_a_host_with_another_key_gets_no_password(server: Server) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()

    with pytest.raises(CallRejected, match="主机密钥与 host_key 不符"):
        await server.connector(host_key=other).send([make_item(1)])


async def test_nobody_there_loses_nothing(server: Server) -> None:
    with pytest.raises(NotSent, match="连不上服务器"):
        await server.connector(port=1).send([make_item(1)])


async def test_ftps_continues_the_session_and_trusts_only_its_ca(
    tmp_path: Path, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "files"
    root.mkdir()
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "别的 CA")
    reused: list[bool | None] = []
    transfer = ftp._FtpTls.ntransfercmd

    def noted(client: Any, *arguments: Any) -> Any:
        connection, size = transfer(client, *arguments)
        reused.append(connection.session_reused)  # type: ignore[attr-defined]
        return connection, size

    monkeypatch.setattr(ftp._FtpTls, "ntransfercmd", noted)
    with ftps_server(root, Troubles(), Authority(tmp_path)) as place:
        good = build("file-drop", {**place, **FILES}, clock)
        [outcome] = await good.send([make_item(1)])
        untrusted = build("file-drop", {**place, **FILES, "ca_file": str(stranger.file)}, clock)
        with pytest.raises(CallRejected, match="服务器的证书不能信任"):
            await untrusted.send([make_item(2)])
        denied = build("file-drop", {**place, **FILES, "password": "wrong"}, clock)
        with pytest.raises(CallRejected, match="登录被拒绝"):
            await denied.send([make_item(2)])

    assert outcome.kind is OutcomeKind.ACCEPTED_BLIND
    assert len(reused) >= 3
    assert all(reused)


async def test_five_thousand_rows_are_one_file(server: Server) -> None:
    items = [make_item(n) for n in range(1, 5001)]

    outcomes = await server.connector(call_timeout=120).send(items)
    found = await server.connector().look_up([items[0], items[-1]])

    assert {one.reference for one in outcomes} == {FIRST}
    assert [one.absent for one in found] == [False, False]
    assert len(ElementTree.parse(server.root / FIRST).getroot()) == 5000


async def test_the_file_of_one_kind_is_handed_over_though_that_of_another_fails(
    server: Server,
) -> None:
    tables = {**FILES["tables"], "licence": {"code": "001502"}}
    connector = server.connector(tables=tables)
    await connector.health()
    server.troubles.lose = 1

    with pytest.raises(OutcomeUnknown):
        await connector.send([make_item(1), make_item(2, record_kind="licence")])
    [first, second, third] = await server.connector(tables=tables).send(
        [make_item(1), make_item(2, record_kind="licence"), make_item(3, record_kind="grade")]
    )

    assert [one.reference for one in (first, second)] == [FIRST, "001502_20261121_00001.xml"]
    assert third.kind is OutcomeKind.REJECTED
    assert "没有配置 grade 的报文" in third.reasons[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"host_key": None}, "sftp 要写 host_key"),
        ({"host_key": "ssh-ed25519 nonsense"}, "不是 SSH 公钥"),
        ({"password": None}, "sftp 要写 password 或 ssh_key_file"),
        ({"protocol": "ftps", "password": None}, "ftps 要写 password"),
        ({"tables": {"penalty": {"code": "15"}}}, "code"),
        ({"tables": {"penalty": {"code": "001501"}, "licence": {"code": "001501"}}}, "报文号相同"),
        ({"tables": {"penalties": {"code": "001501"}}}, "不认识 penalties；可用：penalty、"),
        (
            {"tables": {"penalty": {"code": "001501", "columns": {"CF_WHS": "WSH"}}}},
            "没有列 CF_WHS；是否应为 CF_WSH",
        ),
        ({"tables": {"penalty": {"code": "001501", "columns": {"A": "1 x"}}}}, "columns"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(
    clock: SteppedClock, change: dict[str, Any], said: str
) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    place = {"protocol": "sftp", "host": "h", "username": "u", "password": PASSWORD}

    with pytest.raises(BadSettings) as told:
        build("file-drop", {**place, "host_key": key, **FILES, **change}, clock)

    assert said in str(told.value)
    assert PASSWORD not in str(told.value)
