"""How many items are processed at once: a count, and bytes."""

from collections.abc import Iterator

import pytest

from gateway.check.raw import PORTION_BYTES, Raw, portion


def items(*sizes: int) -> Iterator[Raw]:
    return iter([Raw("test", n, b"a" * size, None) for n, size in enumerate(sizes)])


@pytest.mark.parametrize(
    ("sizes", "counts"),
    [
        ([1] * 7, [3, 3, 1]),
        ([PORTION_BYTES // 2] * 5, [2, 2, 1]),
        ([PORTION_BYTES * 3, 1, 1], [1, 2]),
        ([1, PORTION_BYTES * 3, 1], [2, 1]),
        ([], []),
    ],
)
def test_a_portion_ends_at_its_count_or_its_bytes(sizes: list[int], counts: list[int]) -> None:
    left = items(*sizes)

    found = list(iter(lambda: portion(left, 3), []))

    assert [len(one) for one in found] == counts
    assert [raw.position for one in found for raw in one] == list(range(len(sizes)))
