"""The sandbox as the mailbox of an office, which mails with workbooks are sent to."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors import build
from connectors.errors import CallRejected, NotSent, OutcomeUnknown
from connectors.mail_drop import MailDrop
from connectors.sandbox import MailPlace, Sandbox, create_sandbox, serve_mail, serve_sandbox
from schemas.codes import Verb
from schemas.delivery import Item
from tests.connectors.conftest import CODE, SteppedClock
from tests.connectors.mail_server import certified

ItemFactory = Callable[..., Item]
PLACE = "county-office"


@pytest.fixture
def sandbox(clock: SteppedClock, tmp_path: Path) -> Sandbox:
    return create_sandbox(clock, {PLACE: MailPlace(folder=tmp_path / "mailbox")})


@pytest.fixture
async def settings(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    async with serve_mail(sandbox) as address:
        folder = tmp_path / "mailbox"
        yield {
            "host": address.host,
            "port": address.port,
            "security": "none",
            "sender": "credit@bureau.example",
            "to": f"{PLACE}@sandbox.example",
            "recipient_certificate": str(folder / "recipient.pem"),
            "signer_certificate": str(folder / "signer.pem"),
            "signer_key": str(folder / "signer.key"),
            "call_timeout": 15,
        }


@pytest.fixture
def connector(settings: dict[str, Any], clock: SteppedClock) -> MailDrop:
    made = build("mail-drop", settings, clock)
    assert isinstance(made, MailDrop)
    return made


def marked(item: ItemFactory, number: int, mark: str = "", **changes: Any) -> Item:
    document = f"样环罚字〔2026〕{number}号{mark and f'-演练-{mark}'}"
    columns = {"CF_WSH": document, "CF_XDR_SHXYM": CODE, "CF_JDRQ": "2026-11-20"}
    return item(number, columns=columns, document_number=document, **changes)


async def test_it_opens_the_mail_and_has_its_rows(
    connector: MailDrop, sandbox: Sandbox, item: ItemFactory, tmp_path: Path
) -> None:
    sent = await connector.send([marked(item, 1), marked(item, 2, "入库", verb=Verb.WITHDRAW)])

    assert [one.kind for one in sent] == ["accepted_blind"] * 2
    first, second = sandbox.books[PLACE].state()["entries"]
    assert (first["key"], first["kind"], first["verb"]) == ("key-1", "penalty", "new")
    assert first["columns"] == {
        "CF_WSH": "样环罚字〔2026〕1号",
        "CF_XDR_SHXYM": CODE,
        "CF_JDRQ": "2026-11-20",
    }
    assert (second["key"], second["verb"]) == ("key-2", "withdraw")
    [kept] = (tmp_path / "mailbox" / "mails").iterdir()
    assert kept.name == "00001.eml"
    assert b"application/pkcs7-mime" in kept.read_bytes()
    for key in ("recipient.key", "signer.key"):
        assert (tmp_path / "mailbox" / key).stat().st_mode & 0o077 == 0


async def test_a_mail_whose_answer_is_lost_comes_twice_and_is_counted_once(
    connector: MailDrop, sandbox: Sandbox, item: ItemFactory
) -> None:
    row = marked(item, 1, "断线")

    with pytest.raises(OutcomeUnknown, match="没有答复"):
        await connector.send([row])
    [taken] = await connector.send([row])

    assert taken.kind == "accepted_blind"
    state = sandbox.books[PLACE].state()
    assert (state["effects"], state["received"]) == ({"key-1": 1}, {"key-1": 2})


@pytest.mark.parametrize(
    ("mark", "said", "kept"), [("出错", "451 4.3.0", 1), ("限流", "450 4.7.1", 0)]
)
async def test_a_mail_that_is_put_off_is_taken_half_a_minute_later(  # noqa: PLR0917
    connector: MailDrop,
    sandbox: Sandbox,
    item: ItemFactory,
    clock: SteppedClock,
    mark: str,
    said: str,
    kept: int,
) -> None:
    row = marked(item, 1, mark)

    for _ in range(2):
        with pytest.raises(NotSent, match=said):
            await connector.send([row])
    assert len(sandbox.books[PLACE].log) == kept
    clock.move(timedelta(seconds=30))
    [taken] = await connector.send([row])

    assert taken.kind == "accepted_blind"
    assert sandbox.books[PLACE].state()["effects"] == {"key-1": 1}


async def test_five_seconds_are_no_fault_of_a_mail(connector: MailDrop, item: ItemFactory) -> None:
    [taken] = await connector.send([marked(item, 1, "慢")])

    assert taken.kind == "accepted_blind"


@pytest.mark.parametrize("by_order", [True, False])
async def test_a_server_that_is_down_takes_the_mail_later(
    connector: MailDrop, sandbox: Sandbox, item: ItemFactory, by_order: bool
) -> None:
    if by_order:
        sandbox.rehearse(PLACE, "down", 3)
    row = marked(item, 1, "" if by_order else "停机")

    for _ in range(3):
        with pytest.raises(NotSent, match=r"421 4\.3\.2"):
            await connector.send([row])
    [taken] = await connector.send([row])

    assert taken.kind == "accepted_blind"
    assert sandbox.books[PLACE].state()["effects"] == {"key-1": 1}


@pytest.mark.parametrize(
    ("mark", "said"), [("退回", "未查询到主体"), ("网页", "演练词“网页”这里没有：可用 入库、退回")]
)
async def test_a_mail_that_is_refused_is_halved_down_to_the_row(
    connector: MailDrop, sandbox: Sandbox, item: ItemFactory, mark: str, said: str
) -> None:
    one, other, third = await connector.send(
        [marked(item, 1), marked(item, 2, mark), marked(item, 3)]
    )

    assert (one.kind, other.kind, third.kind) == ("accepted_blind", "rejected", "accepted_blind")
    assert said in other.reasons[0]
    assert sandbox.books[PLACE].state()["effects"] == {"key-1": 1, "key-3": 1}


async def test_a_mail_to_somebody_else_or_with_another_certificate_is_refused(
    settings: dict[str, Any], clock: SteppedClock, item: ItemFactory, tmp_path: Path
) -> None:
    other, _ = certified(tmp_path, "other")

    for wrong, said in (
        ({"to": "nobody@sandbox.example"}, "550 5.1.1"),
        ({"recipient_certificate": str(other)}, "解不开，请用 recipient.pem 加密"),
    ):
        with pytest.raises(CallRejected, match=said):
            await build("mail-drop", settings | wrong, clock).send([item(1)])


async def test_it_is_controlled_over_http_and_keeps_its_certificates(
    sandbox: Sandbox, settings: dict[str, Any], clock: SteppedClock, item: ItemFactory
) -> None:
    marked(item, 1)
    async with serve_sandbox(sandbox) as url, httpx.AsyncClient(base_url=url) as client:
        ordered = await client.put(f"/{PLACE}/control/rehearsal", json={"name": "429", "calls": 1})
        refused = await client.put(f"/{PLACE}/control/rehearsal", json={"name": "silent"})
        with pytest.raises(NotSent):
            await build("mail-drop", settings, clock).send([item(1)])

    assert (ordered.status_code, refused.status_code) == (200, 422)
    async with serve_mail(sandbox) as again:
        changed = settings | {"port": again.port}
        [taken] = await build("mail-drop", changed, clock).send([item(1)])
    assert taken.kind == "accepted_blind"
