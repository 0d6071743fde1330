"""What a JSON listing shows, whatever moves while it is read."""

from typing import Any

import orjson
import pytest

from connectors.shared.http_read import Answer
from schemas.delivery import Listed
from tests.connectors.test_json_feeds import Told, feeds


def listed(number: int) -> dict[str, Any]:
    return {
        "record_kind": "penalty",
        "document_number": f"号{number}",
        "subject_code": "c",
        "columns": {"CF_NR": None, "CF_NR_FK": 2},
        "shown_at": "2026-10-12T09:00:00+08:00",
    }


@pytest.mark.parametrize(
    "pages",
    [
        [[3, 2], [2, 1]],
        [[2, 1], [4, 3], [2, 1]],  # moved by a page and more
        [[2], [2], [1]],
    ],
)
async def test_a_row_that_moved_to_a_later_page_counts_once(
    clock: Any, pages: list[list[int]]
) -> None:
    """New rows came before them while the pages were read."""
    told = [
        {"rows": list(map(listed, page)), "cursor": str(at) if pages[at:] else None}
        for at, page in enumerate(pages, 1)
    ]

    class Paged(Told):
        async def ask(self, _method: str, _url: str) -> Answer:
            return Answer(200, {}, orjson.dumps(told.pop(0)))

    listing = feeds(Paged({})).listing("http://x", clock())
    found = [one async for one in listing if isinstance(one, Listed)]

    wanted = dict.fromkeys(f"号{number}" for page in pages for number in page)
    assert [one.document_number for one in found] == list(wanted)
    assert found[0].columns == {"CF_NR": "", "CF_NR_FK": "2"}


async def test_a_row_that_stands_twice_on_a_page_counts_twice(clock: Any) -> None:
    told = Told({"rows": [listed(1), listed(1)]})

    assert len([one async for one in feeds(told).listing("http://x", clock())]) == 2


@pytest.mark.parametrize(("code", "read"), [(None, ""), (7, "7"), ("c", "c")])
async def test_a_subject_whose_code_the_platform_hides_is_shown(
    clock: Any, code: object, read: str
) -> None:
    told = Told({"rows": [{**listed(1), "subject_code": code}]})

    [row] = [one async for one in feeds(told).listing("http://x", clock())]

    assert isinstance(row, Listed)
    assert row.subject_code == read
