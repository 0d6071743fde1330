"""Write the audit trail to a file that proves itself 审计导出, and check such a file.

The file has one JSON object a line. The first names the link before the first one (`after`, 0 for
none, and its `hash`); then come the links in their order, each with its event, or null where it
was deleted since it is older than it is kept; a signed head stands behind its link. The last line
signs the last link. Nothing else is needed to check it: not our database, not our program.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from gateway.audit.chain import GENESIS, AuditedEvent, digest_of, hash_of
from gateway.audit.record import signature
from gateway.config.keys import Keys
from gateway.config.signing import BadSignature, signed
from gateway.store.audit import chain
from gateway.store.base.engine import Connection

FORMAT = "credit-gateway/audit/1"
#: Problems that are told; a file with more is not read to its end.
MOST_PROBLEMS = 20


async def exported(
    connection: Connection, keys: Keys, span: tuple[datetime, datetime], now: datetime
) -> AsyncIterator[dict[str, Any]]:
    """Yield the lines of the export of a span of time; nothing if nothing happened in it."""
    found = await chain.span(connection, *span)
    if found is None:
        return
    first, last = found
    before = await chain.hash_at(connection, first - 1) or GENESIS
    yield {"format": FORMAT, "after": first - 1, "hash": before.hex()}
    heads = {one.seq: one for one in await chain.checkpoints(connection, first, last)}
    async for rows in chain.links(connection, first, last):
        for row in rows:
            yield _line(row)
            if row.seq in heads:
                yield {"seq": row.seq, "signature": heads[row.seq].signature}
    head = await chain.hash_at(connection, last) or GENESIS
    yield {"seq": last, "signature": await signature(connection, keys, last, head, now)}


def _line(row: Any) -> dict[str, Any]:
    event = None
    if row.event is not None:
        found = (row.event_id, row.at, row.event, row.actor, row.source, row.detail)
        event = AuditedEvent(*found).as_json()
    return {"seq": row.seq, "digest": row.digest.hex(), "hash": row.hash.hex(), "event": event}


@dataclass(slots=True)
class Proof:
    """What an export proves, and what is wrong with it."""

    links: int = 0
    deleted: int = 0  #: links whose events are deleted
    signatures: int = 0
    keys: set[str] = field(default_factory=set)  #: names of the keys that signed
    unsigned: int = 0  #: links behind the last signed one
    problems: list[str] = field(default_factory=list)


def check(lines: Iterable[bytes]) -> Proof:
    """Check an export line by line; problems are sentences with the number of the line."""
    found, state = Proof(), _State()
    for number, line in enumerate(lines, 1):
        try:
            told = orjson.loads(line)
            wrong = list(state.step(told, found) if number > 1 else state.begin(told))
        except (ValueError, KeyError, TypeError, AttributeError):
            wrong = ["不是审计导出的内容"]
        found.problems += [f"第{number}行：{one}" for one in wrong]
        if len(found.problems) >= MOST_PROBLEMS or (number == 1 and wrong):
            return found
    if not found.links:
        found.problems.append("里面没有审计事件")
    elif found.unsigned:
        found.problems.append(f"最后 {found.unsigned} 条没有签名：文件末尾被截断")
    return found


@dataclass(slots=True)
class _State:
    """The last link that was read, as it must be."""

    seq: int = 0
    hash: bytes = GENESIS

    def begin(self, told: Any) -> Iterator[str]:
        """Read the first line; yield what is wrong."""
        if told["format"] != FORMAT:
            yield "不是审计导出，或是别的版本"
        self.seq, self.hash = int(told["after"]), bytes.fromhex(told["hash"])
        if self.seq == 0 and self.hash != GENESIS:
            yield "链的起点不对"

    def step(self, told: Any, found: Proof) -> Iterator[str]:
        """Read a link or a signature; yield what is wrong."""
        if "signature" in told:
            yield from self._signature(told, found)
            return
        found.links += 1
        found.unsigned += 1
        if told["seq"] != self.seq + 1:
            yield f"第 {self.seq} 条后面是第 {told['seq']} 条：少了，或次序变了"
        digest, event = bytes.fromhex(told["digest"]), told["event"]
        if event is None:
            found.deleted += 1
        elif digest_of(event) != digest:
            yield f"第 {told['seq']} 条的内容被改动过"
        if hash_of(self.hash, digest) != bytes.fromhex(told["hash"]):
            yield f"第 {told['seq']} 条与前一条接不上"
        self.seq, self.hash = told["seq"], bytes.fromhex(told["hash"])

    def _signature(self, told: Any, found: Proof) -> Iterator[str]:
        try:
            content, key = signed(told["signature"])
        except BadSignature:
            yield f"第 {told['seq']} 条的签名无效"
            return
        if (content["audit_seq"], content["audit_hash"]) != (self.seq, self.hash.hex()):
            yield f"签名不是第 {self.seq} 条的：内容被改动过"
            return
        found.signatures += 1
        found.keys.add(key)
        found.unsigned = 0
