"""Batches of Kafka are unpacked as aiokafka does it, and within a bound."""

from collections.abc import Callable

import cramjam
import pytest
from aiokafka import codec
from aiokafka.record import default_records
from hypothesis import given
from hypothesis import strategies as st

from connectors.shared import kafka_unpacking as unpacking
from connectors.shared.kafka_unpacking import BatchTooLarge

Pack = Callable[[bytes], bytes]
Unpack = Callable[[bytes], bytes]
CODECS: dict[str, tuple[Pack, Unpack]] = {
    "gzip": (codec.gzip_encode, unpacking.gzip_decode),
    "zstd": (codec.zstd_encode, unpacking.zstd_decode),
    "lz4": (codec.lz4_encode, unpacking.lz4_decode),
    "snappy": (codec.snappy_encode, unpacking.snappy_decode),
    "one block": (lambda b: bytes(cramjam.snappy.compress_raw(b)), unpacking.snappy_decode),
}
pytestmark = pytest.mark.parametrize(("pack", "unpack"), CODECS.values(), ids=CODECS)


SHORT = st.binary(min_size=1, max_size=3000)


@given(content=st.one_of(SHORT, SHORT.map(lambda content: content[:30] * 9999)))
def test_what_was_packed_comes_back(pack: Pack, unpack: Unpack, content: bytes) -> None:
    assert unpack(pack(content)) == content


def test_what_unpacks_to_too_much_is_told(
    pack: Pack, unpack: Unpack, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = pack(b"0" * 3_000_000)
    assert len(unpack(packed)) == 3_000_000
    monkeypatch.setattr(unpacking, "MOST_UNPACKED", 2_000_000)

    with pytest.raises(BatchTooLarge):
        unpack(packed)


def test_what_is_damaged_is_not_called_too_large(pack: Pack, unpack: Unpack) -> None:
    packed = pack(b"0" * 1000)

    with pytest.raises(Exception) as caught:  # noqa: PT011  each codec has its own
        unpack(b"\x07" * 20 + packed[20:] if unpack is not unpacking.snappy_decode else b"\xff")

    assert not isinstance(caught.value, BatchTooLarge)


def test_aiokafka_uses_them(pack: Pack, unpack: Unpack) -> None:
    unpacking.bound()

    have = [module for module in unpacking.MODULES if hasattr(module, unpack.__name__)]
    assert default_records in have
    assert all(getattr(module, unpack.__name__).__wrapped__ is unpack for module in have)
