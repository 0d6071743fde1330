"""The JSON interface of a sandbox platform; it is kept fast, because benchmarks use it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson

from connectors.sandbox.book import Book, Entry, document_in
from connectors.sandbox.faults import Faults
from connectors.sandbox.places import Asked, Reply, json_reply

_EXTRA = {"key": "nobody-asked", "status": "accepted"}


def documents(asked: Asked) -> list[str]:
    """Return the document numbers of the rows of a call."""
    return [document_in(row["columns"]) for row in orjson.loads(asked.body)["items"]]


def records(book: Book, asked: Asked) -> Reply:
    """Store rows; a key that is already stored gets its answer again and no second effect."""
    at = book.now()
    results = []
    for row in orjson.loads(asked.body)["items"]:
        key = row["key"]
        book.received[key] += 1
        entry = book.entries.get(key)
        if entry is None:
            entry = Entry(key, row["kind"], row["verb"], row["version"], row["columns"], "", at)
            faults = book.faults_of(entry, "json")
            reasons = book.refusal(entry, faults)
            if reasons:
                results.append({"key": key, "status": "rejected", "reasons": reasons})
                continue
            entry.status = "accepted" if faults.mode == "accept" else "submitted"
            book.store(entry, faults)
        results.append(_answer(entry))
    return _deviating(book.acting, results)


def _answer(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "status": entry.status,
        "reasons": entry.reasons,
        "platform_at": None if entry.status == "submitted" else entry.stored_at,
        "reference": f"SB-{entry.key}",
    }


def _deviating(faults: Faults, results: list[dict[str, Any]]) -> Reply:
    how = "long" if faults.takes("wrong_counts") else faults.answer
    if how == "garbled":
        return Reply(body=b"<html>", handed_over=True)
    shapes: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "whole": lambda: results,
        "reversed": lambda: results[::-1],
        "short": lambda: results[:-1],
        "long": lambda: [_EXTRA, *results[:-1]],
        "twice": lambda: [each for each in results for _ in range(2)],
    }
    return json_reply({"results": shapes[how]()}, handed_over=True)


def look_up(book: Book, asked: Asked) -> Reply:
    """Return for each key its status, or absent."""
    keys = orjson.loads(asked.body)["keys"]
    found = (book.entries.get(key) or key for key in keys)
    results = [
        _answer(each) if isinstance(each, Entry) else {"key": each, "status": "absent"}
        for each in found
    ]
    return json_reply({"results": results})


def receipts(book: Book, asked: Asked) -> Reply:
    """Return the verdicts after a cursor."""
    page, cursor = book.receipts(asked.query.get("cursor", ""))
    return json_reply({"receipts": page, "cursor": cursor})


def listing(book: Book, asked: Asked) -> Reply:
    """Return one page of the public rows."""
    since = asked.query.get("since")
    start = int(asked.query.get("cursor") or 0)
    page, more = book.page(datetime.fromisoformat(since) if since else None, start)
    rows = [
        {
            "record_kind": entry.kind,
            "document_number": entry.document,
            "subject_code": entry.subject,
            "columns": {name: str(value) for name, value in entry.columns.items()},
            "shown_at": entry.stored_at,
        }
        for entry in page
    ]
    following = None if more is None else str(more)
    mark = book.complete_until
    return json_reply({"rows": rows, "cursor": following, "complete_until": mark})


def health(_book: Book, _asked: Asked) -> Reply:
    """Always report health."""
    return json_reply({"ok": True})
