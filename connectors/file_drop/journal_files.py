"""The small files of the journal: their names, and what is in them."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date

import orjson

from connectors.errors import refused_for_us

#: 报文号_日期_序号.xml
FILE = re.compile(r"([0-9A-Za-z]{6})_(\d{8})_(\d{5})\.xml")
#: The end of a name under which a file is not complete, or not handed over yet.
PART = ".part"
#: The end of the name of the keys of a file.
KEYS = ".keys"
#: The end of the name of a folder that takes a number.
TAKEN = ".taken"
#: Which rows of a file the platform has refused; the number says how many were known then.
REFUSED = re.compile(rf"({FILE.pattern})\.(\d+)\.refused")


def rows_of(data: bytes, home: str, name: str) -> Mapping[str, str]:
    """Return the keys of a file; raises CallRejected if somebody has spoilt them."""
    with suppress(ValueError):
        rows = orjson.loads(data)
        if isinstance(rows, dict) and all(isinstance(one, str) for one in rows.values()):
            return rows
    raise refused_for_us(
        f"{home}/{name}{KEYS} 读不懂，不知道 {name} 里有哪些行：从备份恢复它；"
        "没有备份的，核对平台已收哪些行以后再删除它，查不到的行会重新报送"
    )


def keys_of(data: bytes) -> list[str]:
    """Return the keys that were refused; nothing of what is no list of texts."""
    with suppress(ValueError):
        found = orjson.loads(data)
        if isinstance(found, list):
            return [one for one in found if isinstance(one, str)]
    return []


def is_ours(name: str) -> bool:
    """Whether a name in the folder of the journal is one that we write there."""
    found = FILE.match(name)
    rest = name[found.end() :].removesuffix(PART) if found else ""
    return rest in {KEYS, TAKEN} or rest.endswith(".refused")


def day_of(name: str) -> date:
    """Return the day in a name; a name without one is of no day to forget."""
    found = FILE.match(name)
    try:
        return date.fromisoformat(found[2]) if found else date.max
    except ValueError:
        return date.max
