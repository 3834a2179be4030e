r"""The keys of a snapshot: a binary file beside it, by which a product is found in it at once.

``snapshot-0000000000048211.keys`` belongs to ``snapshot-0000000000048211.jsonl``. It is derived from
it: one that is missing, damaged, of another format or of another snapshot is made anew at the start,
which reads the whole snapshot (about 10 µs for each product). It is mapped into memory, not loaded,
so all processes share one copy, and opening it costs the time to check its sum.

::

    {"format":"vitrina-keys","version":1,"order":"little","seq":48211,"bytes":1937482,
     "crc":"5f0e6a1c","start":5214,"end":1937001,"products":2465,"rows":2470,"salt":"…",
     "slots":[[8192,2465,2466],[8192,2465,2465],[8192,2463,2463]],
     "filed":{"lamps":120, … },"active":{"lamps":97, … }}      \n
    blocks    for each 64 rows: where the first of them begins           64 bits each
    lengths   for each row: its bytes with the LF; 0 when it is gone     32 bits each
    versions  for each row: the version of the product                   32 bits each
    digests   for each row: BLAKE2b of the body, 4 bytes, big-endian     32 bits each
    ids, skus, slugs    hash tables (:mod:`.slots`): key → row           64 bits a slot
    {"crc":"7d1c0e55","bytes":221184}\n

A *row* is a product, in the order of the snapshot. A product keeps its row as long as it lives; the row
of one that was deleted has no bytes. ``bytes`` and ``crc`` are those of the snapshot's last line,
``start`` and ``end`` the place of its products. Each of ``slots`` tells size, rows and used slots of
a table. Keys are hashed with BLAKE2b (4 bytes) and a ``salt`` of their own, so nobody can choose ids
that all have one hash. Numbers are in the byte order of the machine that wrote them; on another one
the file is made anew. The first line is filled up with blanks, and each part with zeros, to whole
8 bytes. The last line is as in the snapshot.
"""

import os
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Literal

import orjson

from vitrina.adapters.journal.slots import NO_SLOTS, SLOT_BYTES, Slots
from vitrina.adapters.levels import Tally

KEYS_SUFFIX: Final = ".keys"
BLOCK_ROWS: Final = 64

_FORMAT: Final = "vitrina-keys"
_VERSION: Final = 1
_SALT_BYTES: Final = 8
_FOOTER_BYTES_MAX: Final = 64
_COPIED_ROWS: Final = 2**16
_FIRST_LINE_BYTES: Final = 2**12


class DamagedKeys(Exception):
    """The file is not what was written, or not of this snapshot or machine."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Which snapshot the keys are of, and where its products are.

    Attributes:
        seq: The number of its last change.
        size, crc: What its last line says.
        start, end: The bytes of its products.
        products: How many there are.
    """

    seq: int
    size: int
    crc: int
    start: int
    end: int
    products: int


@dataclass(frozen=True, slots=True)
class SnapshotKeys:
    """The keys, wherever their bytes are."""

    extent: Extent
    tally: Tally
    salt: bytes
    blocks: memoryview
    lengths: memoryview
    versions: memoryview
    digests: memoryview
    ids: Slots
    skus: Slots
    slugs: Slots

    def hash(self, key: str) -> int:
        """Return the hash of an id, a SKU or a slug."""
        return hash_of(key, self.salt)

    def place(self, row: int) -> int:
        """Return where the row begins; of the row behind the last one, where that ends."""
        block = row // BLOCK_ROWS
        if block == len(self.blocks):
            return self.extent.end
        place: int = self.blocks[block]
        return place + sum(self.lengths[block * BLOCK_ROWS : row])


def hash_of(key: str, salt: bytes) -> int:
    return int.from_bytes(blake2b(key.encode(errors="replace"), digest_size=4, salt=salt).digest())


def digest_of(tag: str) -> int:
    """Return the digest of a body, which is part of its entity tag."""
    return int(tag[-8:], 16)


NO_KEYS: Final = SnapshotKeys(
    Extent(0, 0, 0, 0, 0, 0),
    Tally(),
    b"",
    memoryview(b"").cast("Q"),
    memoryview(b"").cast("I"),
    memoryview(b"").cast("I"),
    memoryview(b"").cast("I"),
    NO_SLOTS,
    NO_SLOTS,
    NO_SLOTS,
)


def keys_path(snapshot: Path) -> Path:
    """Return the path of the keys of a snapshot."""
    return snapshot.with_suffix(KEYS_SUFFIX)


def new_salt() -> bytes:
    return os.urandom(_SALT_BYTES)


def keys_parts(keys: SnapshotKeys) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a file of keys."""
    crc = size = 0
    for part in _parts(keys):
        crc = zlib.crc32(part, crc)
        size += len(part)
        yield part
    yield b'{"crc":"%08x","bytes":%d}\n' % (crc, size)


def read_keys(data: memoryview) -> SnapshotKeys:
    """Return the keys that a file holds, which is *data*; they go on using it.

    Raises:
        DamagedKeys: It is not what was written, or not on such a machine.
    """
    try:
        return _read(data)
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedKeys(f"not in this format: {error!r}") from error


def _parts(keys: SnapshotKeys) -> Iterator[bytes | memoryview]:
    extent = keys.extent
    head = orjson.dumps(
        {
            "format": _FORMAT,
            "version": _VERSION,
            "order": sys.byteorder,
            "seq": extent.seq,
            "bytes": extent.size,
            "crc": f"{extent.crc:08x}",
            "start": extent.start,
            "end": extent.end,
            "products": extent.products,
            "rows": len(keys.lengths),
            "salt": keys.salt.hex(),
            "slots": [[len(each.words), each.live, each.used] for each in _slots(keys)],
            "filed": keys.tally.filed,
            "active": keys.tally.active,
        }
    )
    yield head + b" " * _missing(len(head) + 1) + b"\n"
    yield from _in_pieces(keys.blocks)
    for each in (keys.lengths, keys.versions, keys.digests):
        yield from _in_pieces(each)
        yield bytes(_missing(each.nbytes))
    for table in _slots(keys):
        yield from _in_pieces(table.words)


def _slots(keys: SnapshotKeys) -> tuple[Slots, Slots, Slots]:
    return keys.ids, keys.skus, keys.slugs


def _missing(size: int) -> int:
    """Return how many bytes are missing to a whole number of slots."""
    return -size % SLOT_BYTES


def _in_pieces(numbers: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(numbers), _COPIED_ROWS):
        yield numbers[start : start + _COPIED_ROWS].cast("B")


def _read(data: memoryview) -> SnapshotKeys:
    tail = bytes(data[-_FOOTER_BYTES_MAX:])
    footer = tail[tail.rfind(b'{"crc":') :]
    size = len(data) - len(footer)
    if footer != b'{"crc":"%08x","bytes":%d}\n' % (zlib.crc32(data[:size]), size):
        raise ValueError("the checksum does not match")
    end = _first_line(data)
    head: dict[str, Any] = orjson.loads(data[:end])
    if (head["format"], head["version"], head["order"]) != (_FORMAT, _VERSION, sys.byteorder):
        raise ValueError("another version of the format, or another byte order")
    rest = _Parts(data[:size], end)
    rows = head["rows"]
    blocks = rest.take(-(-rows // BLOCK_ROWS), "Q")
    lengths, versions, digests = (rest.take(rows, "I") for _ in range(3))
    ids, skus, slugs = (
        Slots(rest.take(slots, "Q"), live, used) for slots, live, used in head["slots"]
    )
    if rest.left:
        raise ValueError(f"{rest.left} bytes too many")
    extent = Extent(
        head["seq"],
        head["bytes"],
        int(head["crc"], 16),
        head["start"],
        head["end"],
        head["products"],
    )
    tally = Tally(Counter(head["filed"]), Counter(head["active"]))
    salt = bytes.fromhex(head["salt"])
    return SnapshotKeys(extent, tally, salt, blocks, lengths, versions, digests, ids, skus, slugs)


def _first_line(data: memoryview) -> int:
    """Return where the first line ends, behind its LF."""
    step = _FIRST_LINE_BYTES
    while (end := bytes(data[:step]).find(b"\n")) < 0:
        if step >= len(data):
            raise ValueError("there is no first line")
        step *= 2
    return end + 1


class _Parts:
    """What is left of the file."""

    def __init__(self, data: memoryview, place: int) -> None:
        self._data = data
        self._place = place

    @property
    def left(self) -> int:
        return len(self._data) - self._place

    def take(self, count: int, code: Literal["Q", "I"]) -> memoryview:
        width = SLOT_BYTES if code == "Q" else 4
        size = count * width
        if size > self.left:
            raise ValueError("it ends early")
        part = self._data[self._place : self._place + size].cast(code)
        self._place += size + _missing(size)
        return part
