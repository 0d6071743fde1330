"""Mail by the server of the bureau 邮件: bounded in time, refusals told in Chinese."""

import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from email.message import EmailMessage
from typing import Any

from connectors.shared.tls import TlsFileError, tls_context
from schemas.faults import of_system
from schemas.recipient import MailBox

#: Seconds for each step of a mail, and for the whole: a server may drip its answer byte by byte.
PATIENCE, WHOLE = 30, 240


class MailRefused(Exception):
    """A mail was not taken; the message says why in Chinese."""


class _Mail(smtplib.SMTP):
    """A connection to a mail server that is cut when it lasts too long."""

    is_late = False

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
        return reply

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
    try:
        mail["From"], mail["To"] = box.sender, box.to
        with _connected(box, WHOLE if whole is None else whole) as server:
            if box.username is not None and box.password is not None:
                server.login(box.username, box.password.get_secret_value())
            server.send_message(mail)
    except TlsFileError as error:
        raise MailRefused(str(error)) from error
    except (UnicodeError, OSError) as error:  # those of smtplib are some of the system's
        raise MailRefused(_said(error, box)) from error


def _said(error: UnicodeError | OSError, box: MailBox) -> str:
    """Return in Chinese what went wrong with a mail."""
    match error:
        case smtplib.SMTPAuthenticationError():
            said = "拒绝登录，检查 username 和 password"
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=bytes(given)):
            said = f"拒收：{code} {given.decode('utf-8', 'replace')[:200]}"
        case smtplib.SMTPRecipientsRefused():
            said = f"拒收发给 {box.to} 的邮件"
        case UnicodeError():
            said = "不收英文以外的文字：username、password、sender 和 to 只用英文字母、数字和符号"
        case ssl.SSLError():
            said = f"的证书不可信：{error.reason}"
        case _:
            said = f"没有答复：{of_system(error)}"
    return f"邮件服务器 {box.host} {said}"


def _connected(box: MailBox, whole: float) -> smtplib.SMTP:
    step = min(PATIENCE, whole)
    if box.security == "tls":
        context = tls_context(box)
        return _MailOverTls(box.host, box.port, timeout=step, context=context, whole=whole)
    server = _Mail(box.host, box.port, timeout=step, whole=whole)
    if box.security == "starttls":
        server.starttls(context=tls_context(box))
    return server
