"""What a machine without development tools installs is all that the wheel needs, from the lock."""

import re
import tomllib
from importlib.metadata import requires

from packaging.requirements import Requirement

from deploy.locked import needed, required
from tests.deploy.place import DEPLOY

ROOT = DEPLOY.parent
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def names(entries: str) -> set[str]:
    return set(re.findall(r"^([\w.-]+)==", entries, re.MULTILINE))


def closure(wanted: list[str]) -> set[str]:
    """Return the packages that these need here, as the installed ones themselves say."""
    found: set[str] = set()
    waiting = [Requirement(one) for one in wanted]
    while waiting:
        one = waiting.pop()
        mark = f"{one.name}[{','.join(sorted(one.extras))}]".lower().replace("_", "-")
        if mark in found:
            continue
        found.add(mark)
        for text in requires(one.name) or ():
            needs = Requirement(text)
            extras = one.extras or {""}
            if needs.marker is None or any(needs.marker.evaluate({"extra": e}) for e in extras):
                waiting.append(needs)
    return {mark.partition("[")[0].replace(".", "-") for mark in found}


def test_it_has_all_that_the_wheel_needs() -> None:
    assert closure(PROJECT["dependencies"]) <= names(needed(LOCK, required()))


def test_it_has_no_tools_and_no_embedded_servers() -> None:
    extras = PROJECT["optional-dependencies"]
    unwanted = [*extras["dev"], *extras["embedded"]]
    tools = {Requirement(one).name for one in unwanted} - closure(PROJECT["dependencies"])

    assert tools & names(needed(LOCK, required())) == set()
    assert tools & names(needed(LOCK, required("tracing"))) == set()


def test_it_has_an_extra_that_is_asked_for() -> None:
    extra = PROJECT["optional-dependencies"]["tracing"]

    assert closure(extra) <= names(needed(LOCK, required("tracing")))


def test_each_entry_stands_as_in_the_lock() -> None:
    assert needed(LOCK, names(LOCK)) == LOCK[LOCK.index("\n", LOCK.rindex("#    uv")) + 1 :]
