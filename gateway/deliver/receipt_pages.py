"""Pages of receipts that come again (pure): what is new on them.

Some platforms give their last page whole at each question, or cursors that lead back to the start.
Of a page that was read before, only the rows behind those that it had then are news.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple

from schemas.delivery import Receipt

#: Pages that are remembered of a destination, the latest ones: as many as are read in one go.
REMEMBERED = 500


class News(NamedTuple):
    """The receipts of a page that it did not have before.

    `again`: the page was read before and had others, so that any of these may be an old one.
    """

    receipts: Sequence[Receipt]
    again: bool


class Pages:
    """The pages that were read last, by a digest of their cursor: how many rows, and their digest.

    `kept` is their JSON, as the store keeps it.
    """

    def __init__(self, kept: str) -> None:
        self._known: dict[str, tuple[int, str]] = {
            cursor: (count, rows) for cursor, (count, rows) in json.loads(kept or "{}").items()
        }

    def news(self, cursor: str, found: Sequence[Receipt]) -> News:
        """Return what is new on the page after a cursor, and remember the page."""
        place = _digest(cursor)
        count, rows = self._known.pop(place, (0, _digest()))
        self._known[place] = len(found), _of_rows(found)
        while len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        if count <= len(found) and _of_rows(found[:count]) == rows:
            return News(found[count:], again=False)
        return News(found, again=True)

    def kept(self) -> str:
        """Return the pages as JSON."""
        return json.dumps(self._known)


def _of_rows(rows: Sequence[Receipt]) -> str:
    return _digest(*(repr(tuple(row.__dict__.values())) for row in rows))


def _digest(*texts: str) -> str:
    hash_ = hashlib.blake2b(digest_size=8)
    for text in texts:
        hash_.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return hash_.hexdigest()
