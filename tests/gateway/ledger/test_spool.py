"""Rows on disk: in their order, as often as wanted, by several readers at once."""

import gc
import warnings

from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.spool import IN_MEMORY, Spool


@given(st.lists(st.lists(st.text())))
def test_rows_come_back_in_their_order(slices: list[list[str]]) -> None:
    spool = Spool[str]()
    for rows in slices:
        spool.add(rows)

    everything = [row for rows in slices for row in rows]
    assert list(spool) == list(spool) == everything
    assert len(spool) == len(everything)


def test_two_readers_do_not_disturb_each_other() -> None:
    spool = Spool[int]()
    for start in range(0, 40, 10):
        spool.add(range(start, start + 10))

    assert list(zip(spool, spool, strict=True)) == [(n, n) for n in range(40)]
    assert 39 in spool


def test_a_spool_larger_than_its_memory_is_read_and_leaves_no_open_file() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spool = Spool[bytes]()
        row = b"x" * (IN_MEMORY // 4)
        for _ in range(8):
            spool.add([row])

        assert list(spool) == [row] * 8
        del spool
        gc.collect()
