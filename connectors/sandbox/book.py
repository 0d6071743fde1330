"""The data of a sandbox place: stored rows, their verdicts, and how often each took effect."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from connectors.sandbox.faults import Faults
from connectors.sandbox.rehearsals import EVERY, SIGN, Interface
from connectors.sandbox.rehearsing import Rehearsing
from connectors.shared import Clock

_DOCUMENT = ("CF_WSH", "XK_WSH", "document_number")
_SUBJECT = ("CF_XDR_SHXYM", "XK_XDR_SHXYM", "CF_XDR_ZJHM", "XK_XDR_ZJHM", "subject_code")


@dataclass(slots=True)
class Entry:
    """One stored row and its verdict."""

    key: str
    kind: str
    verb: str
    version: int
    columns: Mapping[str, Any]
    status: str
    stored_at: datetime
    reasons: Sequence[str] = ()
    decided_at: datetime | None = None

    @property
    def document(self) -> str:
        """The document number 文书号 from the columns; empty if there is none."""
        return document_in(self.columns)

    @property
    def subject(self) -> str:
        """The subject's code from the columns; empty if there is none."""
        return first_of(self.columns, _SUBJECT) or _by_end(self.columns, "_XDR_SHXYM")

    @property
    def content(self) -> bytes:
        """Verb and columns as bytes; entries with equal content are the same effect done twice."""
        return orjson.dumps([self.verb, self.columns], option=orjson.OPT_SORT_KEYS)


class Book:
    """The data of one place; the interfaces store each key only once."""

    def __init__(self, now: Clock, *, marks: bool = False) -> None:
        self.now = now
        self.faults = Faults()
        self.rehearsing = Rehearsing(marks=marks)
        #: The faults of the call that is being answered.
        self.acting = self.faults
        self.entries: dict[str, Entry] = {}
        self.log: list[Entry] = []
        self.received: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.bad_signatures = 0
        #: What SOAP, which has no keys, recognises a repeat by: kind, document, subject, content.
        self.marks: set[tuple[str, str, str, bytes]] = set()
        self._snapshot: list[Entry] = []
        self._pending: list[tuple[datetime, Entry, str, Sequence[str]]] = []
        self._issued: list[dict[str, Any]] = []

    def faults_of_call(self, interface: Interface | None, documents: Iterable[str] = ()) -> Faults:
        """Return the faults of the next call; the interface is None if it hands nothing over."""
        return self.rehearsing.of_call(self.faults, interface, documents)

    def faults_of(self, entry: Entry, interface: Interface) -> Faults:
        """Return the faults of one row of the call: a mark in its document number chooses them."""
        document = entry.document
        if SIGN not in document:
            return self.acting
        return self.rehearsing.of_row(self.acting, interface, document, entry.content)

    def refusal(self, entry: Entry, faults: Faults) -> list[str]:
        """Return the reasons to reject a row at once; empty if it is accepted."""
        missing = [
            f"必填列 {name} 为空"
            for name in faults.required_columns.get(entry.kind, ())
            if entry.columns.get(name) in (None, "")
        ]
        return [*missing, *(_reasons(faults.reject_now, entry) or ())]

    def store(self, entry: Entry, faults: Faults) -> None:
        """Store a row; if its verdict comes later, schedule it."""
        self.entries[entry.key] = entry
        self.log.append(entry)
        reasons = _reasons(faults.reject_later, entry)
        if reasons is not None:
            self.schedule(entry, entry.stored_at + faults.reject_after, "rejected", reasons)
        elif entry.status == "submitted" and faults.mode != "silent":
            self.schedule(entry, entry.stored_at + faults.receipt_after, "accepted")

    def schedule(
        self, entry: Entry, due: datetime, status: str, reasons: Sequence[str] = ()
    ) -> None:
        """Let the receipt of a row come at a time."""
        self._pending.append((due, entry, status, reasons))

    def receipts(self, cursor: str) -> tuple[list[dict[str, Any]], str]:
        """Return at most one page of verdicts issued after a cursor, and the next cursor."""
        self._decide()
        start = int(cursor or 0)
        if start > len(self._issued):  # it was restarted since, and begins anew
            start = 0
        page = self._issued[start : start + self.faults.page_size]
        return page, str(start + len(page))

    def _decide(self) -> None:
        now = self.now()
        due = sorted((each for each in self._pending if each[0] <= now), key=lambda each: each[0])
        if not due:
            return
        self._pending = [each for each in self._pending if each[0] > now]
        for at, entry, status, reasons in due:
            entry.status, entry.reasons, entry.decided_at = status, reasons, at
            self._issued.append(
                {
                    "key": entry.key,
                    "accepted": status == "accepted",
                    "reasons": list(reasons),
                    "platform_at": at.isoformat(),
                    "reference": f"SB-{entry.key}",
                }
            )

    def page(self, since: datetime | None, start: int) -> tuple[list[Entry], int | None]:
        """Return a page of public rows and the next start; the first page fixes all others."""
        if start == 0:
            self._snapshot = self._shown(since)
        end = start + self.faults.page_size
        return self._snapshot[start:end], end if end < len(self._snapshot) else None

    @property
    def complete_until(self) -> datetime:
        """Up to when the listing is complete."""
        return self.now() - self.faults.listing_behind

    def _shown(self, since: datetime | None) -> list[Entry]:
        """Return the last accepted version of each decision, unless withdrawn or hidden."""
        self._decide()
        last: dict[tuple[str, str, str], Entry] = {}
        for entry in self.log:
            if entry.stored_at > self.complete_until:
                break
            if entry.status == "accepted" and entry.document:
                last[entry.kind, entry.document, entry.subject] = entry
        return [
            entry
            for entry in last.values()
            if entry.verb != "withdraw"
            and entry.document not in self.faults.hidden
            and (since is None or entry.stored_at >= since)
        ]

    def state(self) -> dict[str, Any]:
        """Return everything stored and counted; `doubled` lists effects that happened twice."""
        self._decide()
        same = Counter((e.document, e.subject, e.content) for e in self.log)
        return {
            "entries": [_shown(entry) for entry in self.log],
            "effects": dict(Counter(entry.key for entry in self.log)),
            "effects_by_document": list(_by_document(self.log)),
            "doubled": [list(mark[:2]) for mark, times in same.items() if times > 1],
            "received": dict(self.received),
            "calls": dict(self.calls),
            "bad_signatures": self.bad_signatures,
            "receipts_issued": len(self._issued),
            "receipts_pending": len(self._pending),
        }


def _reasons(faults: Mapping[str, Sequence[str]], entry: Entry) -> Sequence[str] | None:
    return faults.get(entry.document, faults.get(EVERY)) if faults else None


def document_in(columns: Mapping[str, Any]) -> str:
    """Return the document number of a row, of a configured kind too; empty if there is none."""
    return first_of(columns, _DOCUMENT) or _by_end(columns, "_WSH")


def _by_end(columns: Mapping[str, Any], end: str) -> str:
    return first_of(columns, (name for name in columns if name.endswith(end)))


def first_of(columns: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return the first column that is not empty, as text; empty if all are."""
    return next((str(columns[name]) for name in names if columns.get(name)), "")


def _by_document(log: Sequence[Entry]) -> Iterator[dict[str, Any]]:
    counts = Counter((entry.document, entry.subject) for entry in log)
    for (document, subject), times in counts.items():
        yield {"document_number": document, "subject_code": subject, "effects": times}


def _shown(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "kind": entry.kind,
        "verb": entry.verb,
        "version": entry.version,
        "document_number": entry.document,
        "subject_code": entry.subject,
        "columns": dict(entry.columns),
        "status": entry.status,
        "reasons": list(entry.reasons),
        "stored_at": entry.stored_at.isoformat(),
    }
