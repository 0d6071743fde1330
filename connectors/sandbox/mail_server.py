"""The mail server of a sandbox: each place with a mailbox takes what is sent to its name."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from connectors.sandbox.app import Sandbox
from connectors.sandbox.mail_side import MailDesk, UnreadableMail
from connectors.sandbox.places import MailPlace
from connectors.sandbox.server import listening

#: Answers as mail servers give them (RFC 5321, RFC 3463).
_TAKEN = "250 2.0.0 Ok: queued"
_DOWN = "421 4.3.2 Service not available, closing transmission channel"
_LATER = "450 4.7.1 Greylisted, please try again later"
_TROUBLE = "451 4.3.0 Requested action aborted: local error in processing"
_NOBODY = "550 5.1.1 User unknown"


class MailAddress(NamedTuple):
    """Where the mail server listens."""

    host: str
    port: int


@asynccontextmanager
async def serve_mail(sandbox: Sandbox, port: int = 0) -> AsyncIterator[MailAddress]:
    """Serve the mailboxes of a sandbox on 127.0.0.1; their certificates are made once."""
    desks = {name: MailDesk(sandbox, name) for name in sandbox.places_of(MailPlace)}
    loop, sessions = asyncio.get_running_loop(), list[SMTP]()

    def session() -> SMTP:
        # Reasons are in Chinese. Without a host name it would ask for that of the machine.
        made = SMTP(_Mailboxes(desks), enable_SMTPUTF8=True, hostname="sandbox", loop=loop)
        sessions.append(made)
        return made

    server = await loop.create_server(session, sock=listening(port))
    try:
        yield MailAddress(*server.sockets[0].getsockname())
    finally:
        server.close()
        for one in sessions:
            _hang_up(one)
        await server.wait_closed()


def _hang_up(session: SMTP) -> None:
    if session.transport is not None:
        cast("asyncio.Transport", session.transport).abort()


class _Mailboxes:
    """What the server says, step by step; the names of the methods are those of aiosmtpd."""

    def __init__(self, desks: dict[str, MailDesk]) -> None:
        self._desks = desks

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        desk = self._desk(address)
        if desk is None:
            return _NOBODY
        if desk.faults().is_down(desk.book.now()):
            return _DOWN
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        desk = self._desk(envelope.rcpt_tos[-1])
        assert desk is not None  # noqa: S101  the address was taken
        content = envelope.original_content or b""
        try:
            rows = desk.opened(content)
        except UnreadableMail as error:
            return f"554 5.6.0 {_line(str(error))}"
        # Who is put off comes again at once, and waits only if that does not help.
        if (answer := desk.said(rows)) is not None:
            return answer
        faults = desk.faults(rows)
        if faults.is_down(desk.book.now()):
            return _DOWN
        if faults.takes("refuse_calls"):
            return desk.put_off(rows, _LATER)
        if refused := desk.take(content, rows, faults):
            return f"554 5.7.1 {_line('；'.join(refused))}"
        await asyncio.sleep(faults.slow)
        if faults.takes("drop_answers"):
            _hang_up(server)
        return desk.put_off(rows, _TROUBLE) if faults.takes("fail_answers") else _TAKEN

    def _desk(self, address: str) -> MailDesk | None:
        return self._desks.get(address.partition("@")[0].lower())


def _line(words: str) -> str:
    """Return words on one line, as an answer has them."""
    return " ".join(words.split())
