"""The registry and `build`: clear errors, no values shown."""

from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import pytest

import connectors
from connectors import (
    CONNECTORS,
    BadSettings,
    UnknownKind,
    UnusablePackage,
    build,
    kind_of,
    plugged_in,
)
from connectors.memory import MemoryConnector, MemorySettings
from connectors.shared import Clock


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


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kinds of other packages: one that works, and others that do not."""
    entries = [
        EntryPoint("carrier-pigeon", "tests.connectors.test_registry:PIGEON", connectors.GROUP),
        EntryPoint("gone", "no_such_module:KIND", connectors.GROUP),
        EntryPoint("odd", "tests.connectors.test_registry:ITS_NAME", connectors.GROUP),
        EntryPoint("clumsy", "tests.connectors.test_registry:CLUMSY", connectors.GROUP),
        EntryPoint("memory", "tests.connectors.test_registry:PIGEON", connectors.GROUP),
    ]
    monkeypatch.setattr(connectors, "entry_points", lambda **_kw: EntryPoints(entries))


def clumsy(_settings: MemorySettings, _now: Clock) -> MemoryConnector:
    raise TypeError("of an older release")


PIGEON = CONNECTORS["memory"]
CLUMSY = kind_of(MemorySettings, clumsy)
ITS_NAME = "carrier-pigeon"


def test_another_package_can_add_a_kind_by_entry_point(plugged: None, clock: Any) -> None:
    assert build("carrier-pigeon", {}, clock).limits.has_receipts


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("gone", "通道 gone（no_such_module:KIND）载入失败（ModuleNotFoundError：.*；装上它缺的"),
        ("clumsy", "通道 clumsy 用这些设置建不起来（TypeError：of an older release）"),
        ("odd", "不是 ConnectorKind；入口点应指向 kind_of"),
    ],
)
def test_a_package_that_cannot_be_used_is_a_fault_of_its_own_kind_only(
    plugged: None, clock: Any, kind: str, words: str
) -> None:
    with pytest.raises(UnusablePackage, match=words):
        build(kind, {}, clock)

    assert build("carrier-pigeon", {}, clock)
    with pytest.raises(UnknownKind, match=r"carrier-pigeon.*gone"):
        build("telex", {}, clock)


def test_a_built_in_kind_wins_over_one_of_the_same_name(plugged: None, clock: Any) -> None:
    [same] = [one for one in plugged_in() if one.name == "memory"]

    with pytest.raises(UnusablePackage, match="与自带的通道同名"):
        same.load()

    assert build("memory", {}, clock)


def test_bad_settings_say_where_each_fault_is(clock: Any) -> None:
    settings = {"url": "http://x", "wrapper": {"path": 1}, "colour": "red"}

    with pytest.raises(BadSettings) as caught:
        build("platform-json", settings, clock)

    assert [place for place, _ in caught.value.faults] == [("wrapper", "path"), ("colour",)]
