"""A mail server that keeps what it is given."""

import email.policy
import socket
from email import message_from_bytes
from email.message import EmailMessage
from typing import Any


class Post:
    """A mail server that keeps what it is given, and may refuse."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse = ""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refuse:
            return self.refuse
        mail = message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    def told(self) -> list[str]:
        """Return the subjects, and forget them."""
        subjects = [str(mail["Subject"]) for mail in self.mails]
        self.mails.clear()
        return subjects


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port
