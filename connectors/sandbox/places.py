"""The places of a sandbox: their configuration, and the types of requests and replies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import Field, SecretStr

from schemas.base import Schema


class PlatformPlace(Schema):
    """A credit platform that speaks JSON and SOAP."""

    role: Literal["platform"] = "platform"
    api_key: SecretStr | None = None
    api_key_header: str = "X-Api-Key"
    #: SOAP: table code → record kind.
    tables: dict[str, str] = Field(default={"XZCF": "penalty", "XZXK": "licence"})
    #: SOAP: the known department codes; empty: every code is known.
    departments: frozenset[str] = frozenset()
    #: SOAP: the column that carries the sender's key, used for receipts.
    key_column: str = "CG_KEY"
    #: Document numbers may choose their answer by a mark (`rehearsals.py`).
    marks: bool = True


class BankPlace(Schema):
    """A bank's webhook receiver."""

    role: Literal["bank"] = "bank"
    secrets: tuple[SecretStr, ...] = Field(min_length=1)


class FilesPlace(Schema):
    """A platform that takes XML files by SFTP; the name of the place is the user."""

    role: Literal["files"] = "files"
    folder: Path
    password: SecretStr
    #: 报文号, with which the name of a file begins → record kind.
    tables: dict[str, str] = Field(default={"001501": "penalty", "001502": "licence"})
    #: The column that carries the sender's key.
    key_column: str = "CG_KEY"
    #: The column of the status, and its value in a row that is taken back.
    status_column: str = "CF_ZT"
    withdrawn: str = "1"
    #: Document numbers may choose their answer by a mark.
    marks: bool = True


class ExchangePlace(Schema):
    """An exchange database 前置库; the place, the database and its account have one name."""

    role: Literal["exchange"] = "exchange"
    #: A PostgreSQL, reached as its administrator by the folder of its socket:
    #: postgresql+asyncpg://postgres@/postgres?host=FOLDER.
    server: str
    password: SecretStr
    #: Staging table 暂存表 → record kind; what passes is moved to the table of that name with _zs.
    tables: dict[str, str] = Field(default={"frxzcf": "penalty", "frxzxk": "licence"})
    #: Document numbers may choose their answer by a mark.
    marks: bool = True


class MailPlace(Schema):
    """The mailbox of an office; mails to the name of the place, in whatever domain, are for it."""

    role: Literal["mailbox"] = "mailbox"
    #: Its mails, its certificate and key, and those of a sender.
    folder: Path
    #: Document numbers may choose their answer by a mark.
    marks: bool = True


class TopicPlace(Schema):
    """A platform that takes events from a topic of Kafka, and writes receipts into another."""

    role: Literal["topic"] = "topic"
    topic: str
    receipts_topic: str
    #: Document numbers may choose their answer by a mark.
    marks: bool = True


Place = PlatformPlace | BankPlace | FilesPlace | ExchangePlace | MailPlace | TopicPlace


@dataclass(slots=True)
class Asked:
    """One request, read completely; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Reply:
    """One answer; `handed_over`: the faults may drop it or turn it into a 500.

    `wire` are the bytes that go out instead of an answer, before the connection is closed, or
    `reset`.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    handed_over: bool = False
    wire: bytes | None = None
    reset: bool = False


def json_reply(value: Any, status: int = 200, *, handed_over: bool = False) -> Reply:
    """Make a JSON reply."""
    return Reply(status, orjson.dumps(value, default=str), handed_over=handed_over)
