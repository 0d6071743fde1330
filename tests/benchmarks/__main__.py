"""`make bench`: print a table, and write bench.json for programs. Nothing asserts on time.

Rates are compared within one run on one machine, which also runs broker and database: the ratios
hold on other machines, the rates do not. `python -m tests.benchmarks assess deliver` runs only
these parts.
"""

import asyncio
import os
import platform
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import psutil

from tests.benchmarks import (
    assess,
    capacity,
    deliver,
    held,
    ingest,
    neighbours,
    reconcile,
    reconcile_peer,
    rescore,
    tick,
    worklist,
    zen,
)
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


async def _reconcile_peer(place: World) -> dict[str, Any]:
    del place
    return reconcile_peer.peer()


PARTS: dict[str, Part] = {
    "assess": _assess,
    "zen": _zen,
    "rescore": _rescore,
    "statements": ingest.statements,
    "textbook": ingest.textbook,
    "ingest": ingest.ingest,
    "deliver": deliver.deliver,
    "claim": deliver.claim,
    "held": held.held,
    "neighbours": neighbours.neighbours,
    "reconcile": reconcile.reconcile,
    "reconcile_peer": _reconcile_peer,
    "worklist": worklist.worklist,
    "tick": tick.tick,
    "capacity": capacity.capacity,
}


def machine() -> dict[str, Any]:
    """Return facts about the machine and the commit."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "python_mops": _interpreter_speed(),
        "system": platform.platform(),
        "commit": commit.stdout.strip(),
    }


def _interpreter_speed() -> float:
    """Return million turns per second of a plain loop; a build without PGO makes two thirds."""
    turns, best = 1_000_000, float("inf")
    for _ in range(5):
        start, words = time.process_time(), dict[int, str]()
        for turn in range(turns):
            words[turn % 1000] = str(turn).strip()
        best = min(best, time.process_time() - start)
    return round(turns / best / 1e6, 2)


def main() -> None:
    """Run the named parts, or all."""
    names = sys.argv[1:] or list(PARTS)
    if unknown := set(names) - PARTS.keys():
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; parts: {', '.join(PARTS)}")
    figures: dict[str, Any] = {}
    with world() as place:
        for name in names:
            print(f"… {name}", file=sys.stderr, flush=True)
            figures |= asyncio.run(_run(PARTS[name], place))
    if {"ingest_per_s", "textbook_per_s"} <= figures.keys():
        for name in ("ingest", "ingest_one_process"):
            ratio = figures[f"{name}_per_s"] / figures["textbook_per_s"]
            figures[f"{name}_ratio"] = round(ratio, 2)
    figures["machine"] = machine()
    Path("bench.json").write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    for name, value in figures.items():
        print(f"{name:32} {value}")


async def _run(part: Part, place: World) -> dict[str, Any]:
    return await part(place)


if __name__ == "__main__":
    main()
