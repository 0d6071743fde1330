"""The registry and `build`: clear errors, no values shown."""

from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import pytest

import connectors
from connectors import CONNECTORS, BadSettings, ConnectorKind, UnknownKind, build, kinds


def test_an_unknown_kind_is_refused_with_a_list_of_the_known_kinds(clock: Any) -> None:
    with pytest.raises(UnknownKind, match=r"telex.*platform-json"):
        build("telex", {}, clock)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({}, "url"),
        ({"url": "ftp://x"}, "url"),
        ({"url": "http://user:hidden@x"}, "url"),
        ({"url": "http://x:hidden"}, "url"),
        ({"url": "http://[hidden"}, "url"),
        ({"url": "http://x", "batch_size": 0}, "batch_size"),
        ({"url": "http://x", "call_timeout": 0}, "call_timeout"),
        ({"url": "http://x", "api_key": ["hidden"]}, "api_key"),
        ({"url": "http://x", "colour": "hidden"}, "colour"),
    ],
)
def test_bad_settings_name_the_field_and_show_no_value(
    settings: dict[str, Any], field: str, clock: Any
) -> None:
    with pytest.raises(BadSettings, match=field) as caught:
        build("platform-json", settings, clock)

    assert "hidden" not in str(caught.value)


def test_another_package_can_add_a_kind_by_entry_point(
    monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    entry = EntryPoint("carrier-pigeon", "tests_pigeon:KIND", connectors.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda _self: CONNECTORS["memory"])
    monkeypatch.setattr(connectors, "entry_points", lambda **_kw: EntryPoints([entry]))

    built = build("carrier-pigeon", {}, clock)

    assert isinstance(kinds()["carrier-pigeon"], ConnectorKind)
    assert built.limits.has_receipts
