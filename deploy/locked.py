"""Print the entries of requirements.lock that the wheel needs, or that the named packages need.

The lock has the tools of development and the embedded servers, too; a machine that runs the
gateway on servers of its own needs neither: `python3 deploy/locked.py > needed.txt`, or with
extras `python3 deploy/locked.py '[tracing,mysql]'`.
"""

import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: A version with its hashes, and the comment that says what needs it.
ENTRY = re.compile(r"^([\w.-]+)==(?:.*\\\n)*.*\n(?:    #.*\n)*", re.MULTILINE)
NEEDED_BY = re.compile(r"^    # (?:via |  )([\w.-]+)", re.MULTILINE)


def required(extras: str = "") -> list[str]:
    """Return what the wheel requires, with extras that commas set apart or without."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [extra for extra in extras.split(",") if extra]
    more = [one for extra in named for one in project["optional-dependencies"][extra]]
    return [re.split(r"[^\w.-]", one)[0] for one in (*project["dependencies"], *more)]


def needed(lock: str, roots: Iterable[str]) -> str:
    """Return the entries of these packages, and of what they need in their turn.

    Raises:
        SystemExit: the lock lacks one.
    """
    entries = [(found[1], found[0]) for found in ENTRY.finditer(lock)]
    wanted = {re.sub(r"[-_.]+", "-", name).lower() for name in roots}
    if lacking := wanted - {name for name, _ in entries}:
        raise SystemExit(f"requirements.lock 里没有 {'、'.join(sorted(lacking))}：重新生成")
    while more := {
        name
        for name, entry in entries
        if name not in wanted and not wanted.isdisjoint(NEEDED_BY.findall(entry))
    }:
        wanted |= more
    return "".join(entry for name, entry in entries if name in wanted)


if __name__ == "__main__":
    text = (ROOT / "requirements.lock").read_text("utf-8")
    names = sys.argv[1:] or ["[]"]
    wheel = names[0].startswith("[")
    sys.stdout.write(needed(text, required(names[0].strip("[]")) if wheel else names))
