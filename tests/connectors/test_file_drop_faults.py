"""What a sceptic did to `file-drop`: other processes, broken journals, odd servers and answers."""

import asyncio
import ftplib
import os
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from connectors import BadSettings, build
from connectors.errors import CallRejected, ConnectorError, NotSent, OutcomeUnknown
from connectors.file_drop import ftp, sftp
from schemas.delivery import OutcomeKind
from tests.connectors import file_servers
from tests.connectors.conftest import FILES, SteppedClock, make_item
from tests.connectors.file_servers import PASSWORD, Server, Troubles, all_receipts, sftp_server

ANSWERS = {"folder": "answers", "done_folder": "answers/read", "key_field": "CG_KEY"}
FIRST = "001501_20261121_00001.xml"


@pytest.fixture
async def server(tmp_path: Path, clock: SteppedClock) -> AsyncIterator[Server]:
    root, troubles = tmp_path / "files", Troubles()
    (root / "answers").mkdir(parents=True)
    async with sftp_server(root, troubles) as place:
        yield Server(root, {**place, **FILES}, troubles, clock)


def texts(server: Server) -> str:
    return "".join(one.read_text("utf-8") for one in sorted(server.root.glob("*.xml")))


class Pause:
    """Stops a call of a method of `Sftp` behind its work until `go` is set; `skip` others."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, method: str, end: str, skip: int = 0
    ) -> None:
        left = iter(range(skip))
        self.reached, self.go = asyncio.Event(), asyncio.Event()
        work = getattr(sftp.Sftp, method)

        async def paused(folder: sftp.Sftp, path: str, *rest: Any) -> Any:
            found = await work(folder, path, *rest)
            if path.endswith(end) and not self.reached.is_set() and next(left, None) is None:
                self.reached.set()
                await self.go.wait()
            return found

        monkeypatch.setattr(sftp.Sftp, method, paused)


@pytest.mark.parametrize("other", ["receipts", "look_up", "health"])
@pytest.mark.parametrize("same", [True, False])
async def test_nobody_takes_a_file_that_is_being_written_for_left_over(
    server: Server, monkeypatch: pytest.MonkeyPatch, other: str, *, same: bool
) -> None:
    ours = server.connector(answers=ANSWERS)
    theirs = ours if same else server.connector(answers=ANSWERS)
    await ours.health()
    pause = Pause(monkeypatch, "size", ".part")
    sending = asyncio.create_task(ours.send([make_item(1)]))
    await pause.reached.wait()
    arguments = {"receipts": "", "look_up": [make_item(9)]}
    call = getattr(theirs, other)
    asking = asyncio.create_task(call(arguments[other]) if other in arguments else call())
    await asyncio.sleep(0.3)
    pause.go.set()

    [outcome] = await sending
    await asking

    assert outcome.kind is OutcomeKind.SUBMITTED
    assert "key-1<" in texts(server)


@pytest.mark.parametrize(
    ("step", "end", "skip"),
    [
        ("names", ".", 0),
        ("names", ".", 1),
        ("write", ".xml.part", 0),
        ("size", ".xml.part", 0),
        ("write", ".keys.part", 0),
        ("rename", ".keys.part", 0),
    ],
)
async def test_two_processes_take_two_numbers(
    server: Server, monkeypatch: pytest.MonkeyPatch, step: str, end: str, skip: int
) -> None:
    old, new = server.connector(), server.connector()
    await old.look_up([make_item(9)])
    pause = Pause(monkeypatch, step, end, skip)
    sending = asyncio.create_task(old.send([make_item(1)]))
    await pause.reached.wait()
    await new.send([make_item(2)])
    pause.go.set()
    with suppress(ConnectorError):
        await sending

    [found, other] = await server.connector().look_up([make_item(1), make_item(2)])

    told = [not found.absent, not other.absent]
    assert [f"key-{number}<" in texts(server) for number in (1, 2)] == told
    assert told[1]


async def test_a_last_step_that_is_refused_is_unknown_since_the_next_call_makes_it(
    server: Server,
) -> None:
    server.troubles.barred = (".xml",)

    with pytest.raises(OutcomeUnknown):
        await server.connector().send([make_item(1)])
    with pytest.raises(CallRejected):  # it is not told as handed over
        await server.connector().look_up([make_item(1)])
    server.troubles.barred = ()
    [found] = await server.connector().look_up([make_item(1)])

    assert found.kind is OutcomeKind.ACCEPTED_BLIND
    assert server.names() == [FIRST]


async def test_a_journal_that_may_not_be_listed_is_not_an_empty_one(server: Server) -> None:
    await server.connector().send([make_item(1)])
    server.troubles.barred = ("journal",)

    with pytest.raises(CallRejected, match="journal"):
        await server.connector().look_up([make_item(1)])
    health = await server.connector().health()

    assert (health.ok, "journal" in health.detail) == (False, True)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[1]", b'{"key-1": 1}'])
async def test_a_broken_journal_names_its_file_and_is_not_an_empty_one(
    server: Server, data: bytes
) -> None:
    await server.connector().send([make_item(1)])
    (server.root / "journal" / f"{FIRST}.keys").write_bytes(data)

    with pytest.raises(CallRejected, match=f"journal/{FIRST}.keys"):
        await server.connector().look_up([make_item(1)])


async def test_the_doctor_tells_of_a_broken_journal(server: Server) -> None:
    await server.connector().send([make_item(1)])
    (server.root / "journal" / f"{FIRST}.keys").write_text("{")

    health = await server.connector().health()

    assert (health.ok, f"journal/{FIRST}.keys" in health.detail) == (False, True)


async def test_a_list_that_lags_behind_hides_nothing_that_this_process_wrote(
    server: Server,
) -> None:
    connector = server.connector()
    server.troubles.hidden = (FIRST, f"{FIRST}.keys")

    await connector.send([make_item(1)])
    [found] = await connector.look_up([make_item(1)])
    await connector.send([make_item(1), make_item(2)])

    assert not found.absent
    assert (texts(server).count("key-1<"), texts(server).count("key-2<")) == (1, 1)


async def test_a_server_that_lists_no_parts_gets_the_last_step_all_the_same(
    server: Server,
) -> None:
    await server.connector().send([make_item(1)])
    (server.root / FIRST).rename(server.root / f"{FIRST}.part")
    server.troubles.hidden = (".part",)

    [found] = await server.connector().look_up([make_item(1)])

    assert found.kind is OutcomeKind.ACCEPTED_BLIND
    assert server.names() == [FIRST]


async def test_a_name_that_is_taken_while_we_write_is_left_to_its_owner(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause(monkeypatch, "write", ".xml.part")
    connector = server.connector()
    sending = asyncio.create_task(connector.send([make_item(1)]))
    await pause.reached.wait()
    (server.root / FIRST).write_text("theirs")
    pause.go.set()

    with pytest.raises(CallRejected, match="被别人占用"):
        await sending
    [outcome] = await connector.send([make_item(1)])

    assert outcome.reference == "001501_20261121_00002.xml"
    assert (server.root / FIRST).read_text() == "theirs"
    assert server.names() == [FIRST, "001501_20261121_00002.xml"]


async def test_files_of_others_in_the_journal_folder_are_left_alone(server: Server) -> None:
    (server.root / "journal").mkdir()
    (server.root / "journal" / "api.keys").write_text("-----BEGIN")
    (server.root / "journal" / "001501_20200101_00001.xml").write_text("theirs")

    [outcome] = await server.connector().send([make_item(1)])

    assert outcome.kind is OutcomeKind.ACCEPTED_BLIND
    assert {"api.keys", "001501_20200101_00001.xml"} < {*server.names("journal")}


async def test_a_folder_that_may_not_be_written_is_told_by_the_doctor(server: Server) -> None:
    server.troubles.full = True

    health = await server.connector().health()

    assert (health.ok, "journal" in health.detail) == (False, True)
    server.troubles.full = False
    assert (await server.connector().health()).ok
    assert server.names("journal") == []


async def test_names_in_gbk_stop_nothing(server: Server) -> None:
    for folder in ("", "journal", "answers"):
        (server.root / folder).mkdir(exist_ok=True)
        stem = b"001501_20261121_00001_" if folder == "answers" else b""
        name = os.fsdecode(stem + "回执 一.xml".encode("gbk"))
        text = "<DATAS><DATA><CG_KEY>key-1</CG_KEY><code>0</code></DATA></DATAS>"
        (server.root / folder / name).write_text(text)
    connector = server.connector(answers=ANSWERS)

    await connector.send([make_item(1)])
    told = await all_receipts(connector)

    assert [one.key for one in told] == ["key-1"]
    assert len(server.names("answers/read")) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"answers": {"folder": "in", "done_folder": "in/read"}},
        {"answers": {"folder": "/in", "done_folder": "in/read"}},
        {"answers": {"folder": "out", "done_folder": "./out"}},
        {"journal_folder": "in"},
        {"journal_folder": "out", "answers": {"folder": "out", "done_folder": "out/read"}},
    ],
)
def test_folders_that_would_mix_files_up_are_refused(
    clock: SteppedClock, change: dict[str, Any]
) -> None:
    place = {"protocol": "ftp", "host": "h", "username": "u", "password": PASSWORD}

    with pytest.raises(BadSettings, match="目录"):
        build("file-drop", {**place, **FILES, "upload_folder": "in", **change}, clock)


def row(key: int, code: str | None, tag: str = "code") -> str:
    said = "" if code is None else f"<{tag}>{code}</{tag}>"
    return f"<DATA><CG_KEY>key-{key}</CG_KEY>{said}</DATA>"


@pytest.mark.parametrize(
    ("text", "only_errors", "told"),
    [
        (row(1, "0", "CODE"), False, {"key-1": True}),
        (row(1, None), False, {}),
        (row(1, ""), False, {}),
        (row(1, None), True, {"key-1": False, "key-2": True}),
        (f"<ROWS>{row(1, '0')}{row(2, '9')}</ROWS>", False, {"key-1": True, "key-2": False}),
        ("<b:DATA xmlns:b='u'><b:CG_KEY>key-1</b:CG_KEY><b:code> 0 </b:code></b:DATA>", False,
         {"key-1": True}),
        (row(1, "9") + row(1, "0"), False, {"key-1": False}),
        (row(1, "0") + row(1, "9"), False, {"key-1": False}),
        ("<DATA CG_KEY='key-1' code='9'/>", True, {}),
        ("<error>文件格式错误</error>", True, {}),
        ("<html><body><p>404</p></body></html>", True, {}),
    ],
)  # fmt: skip
async def test_only_what_an_answer_says_is_told(
    server: Server, text: str, only_errors: bool, told: dict[str, bool]
) -> None:
    connector = server.connector(answers={**ANSWERS, "only_errors": only_errors})
    await connector.send([make_item(1), make_item(2)])
    server.answer(FIRST, f"<DATAS>{text}</DATAS>")

    found, _ = await connector.receipts("")

    assert {one.key: one.accepted for one in found} == told


async def test_an_answer_that_is_still_being_written_is_read_once_it_is_whole(
    server: Server,
) -> None:
    connector = server.connector(answers=ANSWERS)
    await connector.send([make_item(1)])
    whole = f"<DATAS>{row(1, '0')}</DATAS>"
    server.answer(FIRST, whole[:30])
    assert await all_receipts(connector) == []
    server.clock.move(timedelta(minutes=9))
    server.answer(FIRST, whole[:40])
    assert await all_receipts(connector) == []
    server.clock.move(timedelta(minutes=9))
    assert await all_receipts(connector) == []
    server.answer(FIRST, whole)

    assert [one.key for one in await all_receipts(connector)] == ["key-1"]


async def test_a_row_that_an_answer_refused_goes_into_a_new_file_and_old_answers_say_nothing_of_it(
    server: Server,
) -> None:
    connector = server.connector(answers=ANSWERS)
    await connector.send([make_item(1), make_item(2)])
    server.answer(FIRST, f"<DATAS>{row(1, '9')}{row(2, '0')}</DATAS>")
    await all_receipts(connector)

    [first, second] = await server.connector(answers=ANSWERS).send([make_item(1), make_item(2)])
    server.answer(FIRST, f"<DATAS>{row(1, '9')}{row(2, '0')}</DATAS>")
    again = await all_receipts(server.connector(answers=ANSWERS))

    assert [first.reference, second.reference] == ["001501_20261121_00002.xml", FIRST]
    assert texts(server).count("key-1<") == 2
    assert texts(server).count("key-2<") == 1
    assert [one.key for one in again] == ["key-2"]


async def test_answers_that_cannot_be_moved_are_told_of_and_hide_no_other(server: Server) -> None:
    connector = server.connector(answers=ANSWERS)
    await connector.send([make_item(1)])
    server.answer(FIRST, f"<DATAS>{row(1, '0')}</DATAS>")
    _, cursor = await connector.receipts("")
    server.troubles.barred = (f"read/{FIRST}",)

    with pytest.raises(CallRejected, match="read"):
        await connector.receipts(cursor)


async def test_an_empty_file_that_cannot_be_put_holds_up_no_answer(server: Server) -> None:
    tables = {**FILES["tables"], "licence": {"code": "001502"}}
    connector = server.connector(tables=tables, answers=ANSWERS, empty_day="09:00")
    await connector.send([make_item(1)])
    server.answer(FIRST, f"<DATAS>{row(1, '0')}</DATAS>")
    server.troubles.full = True

    told, cursor = await connector.receipts("")
    with pytest.raises(NotSent, match="no space left"):
        await connector.receipts(cursor)

    assert [one.key for one in told] == ["key-1"]


def _chinese_ftp(greeting: bytes, answers: dict[bytes, bytes]) -> int:
    """Run a server for one connection that says these answers, in whatever encoding."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        near, _ = listening.accept()
        listening.close()
        with near, near.makefile("rb") as lines, suppress(OSError):
            near.sendall(greeting)
            for line in lines:
                near.sendall(answers.get(line.split()[0].upper(), b"200 OK\r\n"))

    threading.Thread(target=serve, daemon=True).start()
    return int(listening.getsockname()[1])


async def test_a_server_that_speaks_gbk_is_understood_and_our_password_is_left_out(
    clock: SteppedClock,
) -> None:
    words = f"530 用户 hb 的口令 {PASSWORD} 错误\r\n".encode("gbk")
    port = _chinese_ftp("220 欢迎\r\n".encode("gbk"), {b"USER": b"331 ?\r\n", b"PASS": words})
    place = {"protocol": "ftp", "host": "127.0.0.1", "port": port, "username": "hb"}
    connector = build("file-drop", {**place, "password": PASSWORD, **FILES}, clock)

    with pytest.raises(CallRejected, match="用户 hb 的口令 … 错误"):
        await connector.send([make_item(1)])


class _OldClient(ftplib.FTP):
    """Stands for a server without MLSD: `folders` are lines, or what it says of a listing."""

    def __init__(self, refusal: str, folders: dict[str, list[str] | str]) -> None:
        super().__init__()
        self.refusal, self.folders, self.here = refusal, folders, "/"

    def mlsd(self, *_: object) -> Any:
        raise ftplib.error_perm(self.refusal)  # noqa: S321  an error

    def pwd(self) -> str:
        return self.here

    def cwd(self, dirname: str) -> str:
        if dirname not in {"/", *self.folders}:
            raise ftplib.error_perm("550 Failed to change directory.")  # noqa: S321  an error
        self.here = dirname
        return "250"

    def retrlines(self, cmd: str, callback: Any = None) -> str:
        found = self.folders[self.here]
        if isinstance(found, list):
            for line in found:
                callback(line)
            return f"226 {cmd} OK."
        if found.startswith("5"):
            raise ftplib.error_perm(found)  # noqa: S321  an error
        return found


@pytest.mark.parametrize("refusal", ["500 Unknown command.", "550 Unable to handle command"])
async def test_an_older_ftp_server_says_which_folders_are_empty_and_which_cannot_be_listed(
    refusal: str,
) -> None:
    unreadable = "226 Transfer done (but failed to open directory)."  # vsftpd
    name = "中 文.xml".encode("gbk").decode("latin-1")
    folders: dict[str, list[str] | str] = {"full": ["full/1.xml", name], "empty": []}
    folder = ftp.Ftp(_OldClient(refusal, {**folders, "shut": unreadable, "no": "550 denied"}))

    assert await folder.names("full") == ["1.xml", os.fsdecode("中 文.xml".encode("gbk"))]
    assert await folder.names("empty") == []
    for one in ("shut", "no", "nowhere"):
        with pytest.raises(CallRejected, match=f"{one} 不存在或没有权限"):
            await folder.names(one)


async def test_a_key_that_cannot_be_read_is_told_with_what_to_do(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("nonsense")
    connector = server.connector(password=None, ssh_key_file=str(tmp_path / "key"))

    with pytest.raises(CallRejected, match="ssh_key_file 读不懂"):
        await connector.send([make_item(1)])


class _Asking(asyncssh.SSHServer):
    """Takes a password only as the answer to a question."""

    def password_auth_supported(self) -> bool:
        return False

    def kbdint_auth_supported(self) -> bool:
        return True

    def get_kbdint_challenge(self, username: str, *_: str) -> Any:
        return "", "", "zh", [(f"{username} 的口令：", False)]

    def validate_kbdint_response(self, _username: str, responses: Any) -> bool:
        return list(responses) == [PASSWORD]


async def test_a_server_that_asks_for_the_password_in_chinese_is_answered_once(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_servers, "_Account", _Asking)
    async with sftp_server(server.root, server.troubles) as place:
        asking = {**server.place, **place}
        [outcome] = await build("file-drop", asking, server.clock).send([make_item(1)])
        wrong = build("file-drop", {**asking, "password": "wrong-word"}, server.clock)
        with pytest.raises(CallRejected, match="登录被拒绝"):
            await wrong.send([make_item(2)])

    assert outcome.kind is OutcomeKind.ACCEPTED_BLIND
