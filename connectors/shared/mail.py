"""Mail by the server of the bureau 邮件: bounded in time, refusals told in Chinese."""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from typing import Any

from connectors.shared.tls import TlsFileError, tls_context
from schemas.faults import of_system
from schemas.recipient import MailBox

#: Seconds for each step of a mail, and for the whole: a server may drip its answer byte by byte.
PATIENCE, WHOLE = 30, 240
#: Seconds for the farewell: it changes nothing of what the server has.
_FAREWELL = 5
#: Answers (RFC 5321, 4.2): the text may come, and what was asked was refused, at first for now.
_GO_ON, _REFUSED, FOR_GOOD = 354, 400, 500


class MailRefused(Exception):
    """A mail was not taken; the message says why in Chinese.

    `may_have_arrived`: the text of the mail has left us, and no answer says that it was refused.
    """

    def __init__(self, words: str, *, may_have_arrived: bool = False) -> None:
        super().__init__(words)
        self.may_have_arrived = may_have_arrived


class _Mail(smtplib.SMTP):
    """A connection to a mail server that is cut when it lasts too long."""

    is_late = False
    may_have_arrived = False  #: the text was asked for, and not refused since

    def __init__(self, *place: Any, whole: float, **options: Any) -> None:
        self.whole = whole
        super().__init__(*place, **options)

    def connect(self, *place: Any, **options: Any) -> tuple[int, bytes]:
        self.end = threading.Timer(self.whole, self.cut)
        self.end.daemon = True
        self.end.start()
        return super().connect(*place, **options)

    def getreply(self) -> tuple[int, bytes]:
        reply = super().getreply()
        if self.is_late:  # what came of a line before it was cut is no answer
            self.close()
            raise smtplib.SMTPServerDisconnected(f"{self.whole:.0f} 秒没有答完")
        if reply[0] == _GO_ON:
            self.may_have_arrived = True
        return reply

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Give the text; every 2xx says that it was taken, which smtplib believes of 250 only."""
        code, said = super().data(msg)
        if code >= _REFUSED:
            self.may_have_arrived = False
        return (250 if code // 100 == 2 else code), said

    def leave(self) -> None:
        """End the connection; whatever the server says to it, a mail that was taken stays taken."""
        try:
            with suppress(OSError):  # those of smtplib are some of the system's
                if self.sock is not None:
                    self.sock.settimeout(_FAREWELL)
                self.docmd("QUIT")
        finally:
            self.close()

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


def send_mail(box: MailBox, mail: EmailMessage, *, whole: float | None = None) -> None:
    """Send a mail from the sender of a mail box to its address; this blocks.

    For `whole` seconds at most, else for `WHOLE`.

    Raises:
        MailRefused: the server does not answer, does not let us in, or refuses the mail.
    """
    server: _Mail | None = None
    try:
        mail["From"], mail["To"] = box.sender, box.to
        with _connected(box, WHOLE if whole is None else whole) as server:
            if box.username is not None and box.password is not None:
                server.login(box.username, box.password.get_secret_value())
            server.send_message(mail)
    except TlsFileError as error:
        raise MailRefused(str(error)) from error
    except (UnicodeError, OSError) as error:  # those of smtplib are some of the system's
        arrived = server is not None and server.may_have_arrived
        raise MailRefused(_said(error, box), may_have_arrived=arrived) from error


def refusal_of(error: BaseException | None) -> int | None:
    """Return the code with which a server refused a mail; None if it gave none."""
    match error:
        case smtplib.SMTPResponseException(smtp_code=code):
            return int(code)
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            return max((code for code, _ in refused.values()), default=None)
        case _:
            return None


def _said(error: UnicodeError | OSError, box: MailBox) -> str:
    """Return in Chinese what went wrong with a mail."""
    match error:
        case smtplib.SMTPAuthenticationError(smtp_code=code) if code >= FOR_GOOD:
            said = "拒绝登录，检查 username 和 password"
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=bytes(given)):
            said = f"拒收：{code} {_read(given)}"
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            why = "；".join(f"{code} {_read(given)}" for code, given in refused.values())
            said = f"拒收发给 {box.to} 的邮件：{why}"
        case smtplib.SMTPNotSupportedError() if "STARTTLS" in str(error):
            said = "不肯加密（STARTTLS），什么也没有发：请管理员开通，或改用 security: tls"
        case smtplib.SMTPNotSupportedError() if "AUTH" in str(error):
            said = "不提供登录：请管理员开通，或不写 username 和 password"
        case UnicodeError() | smtplib.SMTPNotSupportedError():
            said = "不收英文以外的文字：username、password、sender 和 to 只用英文字母、数字和符号"
        case ssl.SSLError():
            said = f"的证书不可信：{error.reason}"
        case _:
            said = f"没有答复：{of_system(error)}"
    return f"邮件服务器 {box.host} {said}"


def _read(given: bytes) -> str:
    return given.decode("utf-8", "replace")[:200]


@contextmanager
def _connected(box: MailBox, whole: float) -> Iterator[_Mail]:
    """Connect for the block, encrypted as the mail box says."""
    step = min(PATIENCE, whole)
    if box.security == "tls":
        context = tls_context(box)
        server: _Mail = _MailOverTls(box.host, box.port, timeout=step, context=context, whole=whole)
    else:
        server = _Mail(box.host, box.port, timeout=step, whole=whole)
    try:
        if box.security == "starttls":
            _encrypt(server, box)
        yield server
    finally:
        server.leave()


def _encrypt(server: _Mail, box: MailBox) -> None:
    """Go on over TLS; a server that refuses it for good does not have it."""
    try:
        server.starttls(context=tls_context(box))
    except smtplib.SMTPResponseException as error:
        if error.smtp_code < FOR_GOOD:
            raise
        raise smtplib.SMTPNotSupportedError("STARTTLS") from error
