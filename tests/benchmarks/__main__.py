"""`make bench`: a table for people, bench.json for programs. Nothing asserts on time.

What a run means: rates are compared within one run on one machine that also carries broker and
database; the ratios travel, the rates do not. `python -m tests.benchmarks assess deliver` runs
some parts only.
"""

import asyncio
import os
import platform
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import psutil

from tests.benchmarks import assess, deliver, ingest, rescore, zen
from tests.benchmarks.world import World, world

Part = Callable[[World], Awaitable[dict[str, Any]]]


async def _assess(place: World) -> dict[str, Any]:
    del place
    return assess.engine()


async def _rescore(place: World) -> dict[str, Any]:
    del place
    return rescore.million()


async def _zen(place: World) -> dict[str, Any]:
    del place
    return zen.compare()


PARTS: dict[str, Part] = {
    "assess": _assess,
    "zen": _zen,
    "rescore": _rescore,
    "statements": ingest.statements,
    "textbook": ingest.textbook,
    "ingest": ingest.ingest,
    "deliver": deliver.deliver,
    "claim": deliver.claim,
}


def machine() -> dict[str, Any]:
    """Facts about where this ran."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "system": platform.platform(),
        "commit": commit.stdout.strip(),
    }


def main() -> None:
    """Run the parts that are named, or all."""
    names = sys.argv[1:] or list(PARTS)
    figures: dict[str, Any] = {}
    with world() as place:
        for name in names:
            print(f"… {name}", file=sys.stderr, flush=True)
            figures |= asyncio.run(_run(PARTS[name], place))
    if {"ingest_per_s", "textbook_per_s"} <= figures.keys():
        figures["ingest_ratio"] = round(figures["ingest_per_s"] / figures["textbook_per_s"], 2)
    figures["machine"] = machine()
    Path("bench.json").write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    for name, value in figures.items():
        print(f"{name:32} {value}")


async def _run(part: Part, place: World) -> dict[str, Any]:
    return await part(place)


if __name__ == "__main__":
    main()
