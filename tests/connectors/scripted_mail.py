"""A mail server of which each answer is given; it counts the mails that it took."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.connectors.mail_server import certified


class ScriptedMail:
    """Answers each command with a line; `TAKEN` is that to the text."""

    def __init__(self, **answers: str) -> None:
        self.answers = {
            "HELLO": "220 ready",
            "EHLO": "250 scripted",
            "MAIL": "250 ok",
            "RCPT": "250 ok",
            "DATA": "354 go",
            "TAKEN": "250 queued",
            "RSET": "250 ok",
            "QUIT": "221 bye",
            "STARTTLS": "502 no",
        } | answers
        self.taken = 0
        self.settings: dict[str, Any] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._say(writer, "HELLO")
        while line := await reader.readline():
            word = line.split()[0].decode().upper()
            self._say(writer, word)
            if word == "DATA" and self.answers["DATA"].startswith("354"):
                await reader.readuntil(b"\r\n.\r\n")
                self.taken += self.answers["TAKEN"].startswith("2")
                self._say(writer, "TAKEN")
            if word == "QUIT":
                break
        writer.close()

    def _say(self, writer: asyncio.StreamWriter, what: str) -> None:
        if answer := self.answers[what]:
            writer.write(answer.encode() + b"\r\n")
        else:
            writer.close()


@asynccontextmanager
async def scripted_mail(folder: Path, **answers: str) -> AsyncIterator[ScriptedMail]:
    """Run such a server for the block, with the settings of a mail-drop to it."""
    office, _ = certified(folder, "office")
    bureau, key = certified(folder, "bureau")
    server = ScriptedMail(**answers)
    serving: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.create_task(server.serve(reader, writer)))

    listening = await asyncio.start_server(begin, "127.0.0.1", 0, limit=2**24)
    server.settings = {
        "host": "127.0.0.1",
        "port": listening.sockets[0].getsockname()[1],
        "security": "none",
        "sender": "credit@bureau.example",
        "to": "office@county.example",
        "recipient_certificate": str(office),
        "signer_certificate": str(bureau),
        "signer_key": str(key),
        "call_timeout": 20,
    }
    try:
        yield server
    finally:
        listening.close()
        await asyncio.gather(*serving, return_exceptions=True)
