"""Unpack batches of Kafka within a bound of memory.

aiokafka unpacks a batch whole. One of 48 KB may have 1.5 GB in it: where memory is short, its
decoders in Rust then end the process, at every start again.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

import cramjam
from aiokafka import codec
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException, KafkaError
from aiokafka.record import default_records, legacy_records

try:
    from aiokafka.record._crecords import default_records as fast_default
    from aiokafka.record._crecords import legacy_records as fast_legacy
except ImportError:  # where it has no compiled part
    fast_default, fast_legacy = default_records, legacy_records

#: Where aiokafka has its decoders, in Python and compiled.
MODULES = (default_records, legacy_records, fast_default, fast_legacy)
#: Bytes of an unpacked batch. Brokers take a megabyte by default, and texts make ten of one.
MOST_UNPACKED = 128 * 2**20
_GZIP = 31
#: Bytes of the head of a stream of snappy blocks, and of the length before each.
_SNAPPY_HEAD, _SNAPPY_LENGTH = 16, 4
#: Most batches unpack to less than so many times their bytes.
_USUAL_TIMES, _LEAST = 64, 2**20
#: What the decoders say where the buffer has no room.
_FULL = "whole buffer"


class BatchTooLarge(CorruptRecordException):  # type: ignore[misc]  # aiokafka has no types
    """A batch has more in it than may be unpacked; nobody can read it here."""

    def __init__(self) -> None:
        super().__init__(
            f"一批消息解开后超过 {MOST_UNPACKED // 2**20} MB，不读：请发送方改小每批重发，"
            "再用 credit-gateway skip 跳过它"
        )


class PollTooLarge(KafkaError):  # type: ignore[misc]
    """The batches of one poll have too much in them together; fewer at a time can be read."""


class _Poll:
    """What was unpacked since a poll began."""

    bytes = 0
    batches = 0


#: The poll that is made now; what is unpacked outside of one is not counted.
_POLL: ContextVar[_Poll | None] = ContextVar("poll", default=None)


@contextmanager
def one_poll() -> Iterator[None]:
    """Count what is unpacked in the block: it raises PollTooLarge beyond the bound."""
    token = _POLL.set(_Poll())
    try:
        yield
    finally:
        _POLL.reset(token)


def _counted(unpack: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    @wraps(unpack)
    def counted(payload: bytes) -> bytes:
        unpacked, poll = unpack(payload), _POLL.get()
        if poll is not None:
            poll.bytes += len(unpacked)
            poll.batches += 1
            if poll.batches > 1 and poll.bytes > MOST_UNPACKED:
                raise PollTooLarge
        return unpacked

    return counted


def gzip_decode(payload: bytes) -> bytes:
    """Unpack gzip, of one or more members."""
    parts, left, rest = [], MOST_UNPACKED, bytes(payload)
    while rest:
        member = zlib.decompressobj(_GZIP)
        parts.append(member.decompress(rest, left + 1))
        left -= len(parts[-1])
        if left < 0:
            raise BatchTooLarge
        rest = member.unused_data
    return b"".join(parts)


def zstd_decode(payload: bytes) -> bytes:
    """Unpack Zstandard."""
    return _into(cramjam.zstd.decompress_into, payload)


def lz4_decode(payload: bytes) -> bytes:
    """Unpack an LZ4 frame."""
    return _into(cramjam.lz4.decompress_into, payload)


def snappy_decode(payload: bytes) -> bytes:
    """Unpack snappy: one block, or the stream of blocks that Java makes."""
    view = memoryview(payload)
    blocks = [view]
    if codec._detect_xerial_stream(payload):  # noqa: SLF001  aiokafka's own unpacks without a bound
        blocks, place = [], _SNAPPY_HEAD
        while place < len(view):
            end = place + _SNAPPY_LENGTH + struct.unpack_from("!i", view, place)[0]
            blocks.append(view[place + _SNAPPY_LENGTH : end])
            place = max(end, place + _SNAPPY_LENGTH)
    if sum(cramjam.snappy.decompress_raw_len(block) for block in blocks) > MOST_UNPACKED:
        raise BatchTooLarge
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def _into(unpack: Callable[[bytes, bytearray], int], payload: bytes) -> bytes:
    """Unpack into a buffer, whose pages cost nothing before they are written."""
    usual = min(MOST_UNPACKED, max(_LEAST, len(payload) * _USUAL_TIMES))
    for size in dict.fromkeys((usual, MOST_UNPACKED)):
        buffer = bytearray(size)
        try:
            return bytes(memoryview(buffer)[: unpack(payload, buffer)])
        except cramjam.DecompressionError as error:
            if _FULL not in str(error):
                raise
    raise BatchTooLarge


class _Batches:
    """The batches of one fetch, with the last offset of the present one."""

    def __init__(self, records: Any) -> None:
        self._records = records
        self.last: int | None = None

    def has_next(self) -> bool:
        return bool(self._records.has_next())

    def next_batch(self) -> Any:
        self.last = None
        batch = self._records.next_batch()
        self.last = batch.next_offset - 1
        return batch


class EndingRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """Records of one fetch: an error says where the batch ends that a person has to skip."""

    _records: Any

    def _unpack_records(self) -> Iterator[Any]:
        self._records = batches = _Batches(self._records)
        try:
            yield from super()._unpack_records()
        except Exception as error:  # codecs raise errors of their own
            if batches.last is not None:
                error.batch = self._tp, batches.last  # type: ignore[attr-defined]
            raise


def bound() -> None:
    """Let aiokafka unpack by these decoders in this process, and say what it cannot read."""
    fetcher.PartitionRecords = EndingRecords
    each = (gzip_decode, zstd_decode, lz4_decode, snappy_decode)
    ours = {one.__name__: _counted(one) for one in each}
    for module in MODULES:
        for name in vars(module).keys() & ours.keys():
            setattr(module, name, ours[name])
