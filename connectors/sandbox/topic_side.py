"""The topics of a sandbox platform: takes events from one, and writes receipts into another."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from connectors.sandbox.book import Book, Entry, document_in
from connectors.sandbox.faults import Faults
from connectors.sandbox.odd import GARBAGE

#: A row that nobody has sent.
_EXTRA = {"key": "nobody-asked", "accepted": True, "reasons": []}


class TopicDesk:
    """What a platform has taken from its topic, and what it has not answered yet."""

    def __init__(self, name: str, book: Book) -> None:
        self.book = book
        self._source = f"sandbox/{name}"
        self._cursor = ""
        #: The faults of the message that brought a row, by its key.
        self._faults: dict[str, Faults] = {}

    def take(self, value: bytes | None) -> None:
        """Take the row of an event; it gets its verdict. What is no event of ours is counted."""
        book = self.book
        event = _event(value)
        if event is None:
            book.calls["unreadable"] += 1
            return
        book.calls["events"] += 1
        data, at = event["data"], book.now()
        entry = Entry(event["id"], "", "", 0, data["columns"], "submitted", at)
        entry.kind, entry.verb, entry.version = data["kind"], data["verb"], data["version"]
        book.received[entry.key] += 1
        faults = book.acting = book.faults_of_call("kafka", [document_in(entry.columns)])
        self._faults[entry.key] = faults
        if (known := book.entries.get(entry.key)) is not None:
            if known.decided_at is not None:  # who sends again has not read it
                book.schedule(known, at, known.status, known.reasons)
            return
        chosen = book.faults_of(entry, "kafka")
        if reasons := book.refusal(entry, chosen):
            book.schedule(entry, at, "rejected", reasons)
        else:
            book.store(entry, chosen)

    def due(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the key and the bytes of each receipt that is due now."""
        while True:
            page, self._cursor = self.book.receipts(self._cursor)
            if not page:
                return
            for said in page:
                for value in self._written(said, self._faults[said["key"]]):
                    yield said["key"].encode(), value

    def _written(self, said: Mapping[str, Any], faults: Faults) -> Iterator[bytes]:
        if faults.odd.endswith("garbage"):
            yield GARBAGE
            return
        encoding = "gbk" if faults.odd.endswith("wrong-encoding") else "utf-8"
        if faults.wrong_counts:
            yield self._receipt({**said, **_EXTRA}).encode(encoding, "replace")
        for _ in range(2 if faults.answer == "twice" else 1):
            yield self._receipt(said).encode(encoding, "replace")

    def _receipt(self, said: Mapping[str, Any]) -> str:
        """Return a receipt as a CloudEvent; the id of our event is in its data."""
        event = {
            "specversion": "1.0",
            "id": f"receipt-{said['key']}-{said['platform_at']}",
            "source": self._source,
            "type": "credit.receipt",
            "time": said["platform_at"],
            "data": {
                "id": said["key"],
                "status": "accepted" if said["accepted"] else "rejected",
                "message": "操作成功" if said["accepted"] else "未入库",
                "reasons": said["reasons"],
            },
        }
        return orjson.dumps(event).decode()


def _event(value: bytes | None) -> dict[str, Any] | None:
    """Return an event with all that a row needs; None for anything else."""
    try:
        event = orjson.loads(value or b"")
        data = event["data"]
        texts = (event["id"], data["kind"], data["verb"])
        whole = all(isinstance(one, str) for one in texts) and isinstance(data["columns"], dict)
        return event if whole and type(data["version"]) is int else None
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None
