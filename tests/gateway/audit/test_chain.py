"""The chain of audit events: whatever is changed in it shows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.chain import GENESIS, AuditedEvent, linked
from gateway.audit.export import FORMAT, check
from gateway.config.signing import Signer

START = datetime(2026, 10, 1, tzinfo=UTC)
SIGNER, _ = Signer.new()
WORDS = st.text(max_size=12)
DETAILS = st.dictionaries(WORDS, WORDS | st.integers(-(2**53), 2**53) | st.none(), max_size=3)


def export(details: list[dict[str, Any]]) -> list[bytes]:
    """Return the lines of an export of events with these details, the last one signed."""
    events = [
        AuditedEvent(number * 3, START + timedelta(seconds=number), "park", "张三", "host", detail)
        for number, detail in enumerate(details, 1)
    ]
    links = list(linked(0, GENESIS, events))
    head = {"audit_seq": links[-1].seq, "audit_hash": links[-1].hash.hex()}
    return [
        orjson.dumps({"format": FORMAT, "after": 0, "hash": GENESIS.hex()}),
        *(
            orjson.dumps(
                {
                    "seq": link.seq,
                    "digest": link.digest.hex(),
                    "hash": link.hash.hex(),
                    "event": event.as_json(),
                }
            )
            for link, event in zip(links, events, strict=True)
        ),
        orjson.dumps({"seq": links[-1].seq, "signature": SIGNER.sign(head)}),
    ]


@given(st.lists(DETAILS, min_size=1, max_size=6))
def test_an_export_that_nobody_changed_has_no_problem(details: list[dict[str, Any]]) -> None:
    found = check(export(details))

    assert found.problems == []
    assert (found.links, found.signatures, found.unsigned) == (len(details), 1, 0)
    assert found.keys == {SIGNER.name}


@given(st.lists(DETAILS, min_size=2, max_size=6, unique_by=repr), st.data())
def test_an_event_that_was_changed_removed_moved_or_doubled_shows(
    details: list[dict[str, Any]], data: st.DataObject
) -> None:
    lines = export(details)
    place = data.draw(st.integers(1, len(details) - 1))
    how = data.draw(st.sampled_from(["change", "remove", "move", "double", "cut", "forge"]))
    if how == "change":
        told = orjson.loads(lines[place])
        told["event"]["actor"] = "李四"
        lines[place] = orjson.dumps(told)
    elif how == "remove":
        del lines[place]
    elif how == "move":
        lines[place], lines[place + 1] = lines[place + 1], lines[place]
    elif how == "double":
        lines.insert(place, lines[place])
    elif how == "cut":
        del lines[place + 1 :]
    else:  # a chain of its own up to the last link, with the old signature
        lines = [*export([*details[:-1], {"another": "one"}])[:-1], lines[-1]]

    assert check(lines).problems


@given(st.binary(max_size=200))
def test_whatever_else_a_file_holds_is_said_to_be_no_export(content: bytes) -> None:
    assert check(content.splitlines() or [b""]).problems


def test_an_event_that_was_deleted_by_its_age_is_counted_and_breaks_nothing() -> None:
    lines = export([{"n": 1}, {"n": 2}, {"n": 3}])
    told = orjson.loads(lines[1])
    lines[1] = orjson.dumps(told | {"event": None})

    found = check(lines)

    assert (found.problems, found.links, found.deleted) == ([], 3, 1)
