r"""A snapshot: the whole catalog of one moment, as JSON Lines of the canonical bytes.

``snapshot-0000000000048211.jsonl`` is the catalog after change 48,211::

    {"format":"vitrina-snapshot","version":1,"seq":48211,"at":"2026-01-31T12:00:00.000000Z",
     "categories":54,"products":2465,"answers":3}\n
    {"id":"home","name":"Home","parent_id":null,"version":1}\n        54 categories, parents first
    {"id":"LAMP-1","sku":"LAMP-1","title": … }\n                      2,465 products
    {"key":"…","at":"…","fingerprint":"…","id":"…","version":1,"body":{ … }}\n      3 answers
    {"crc":"5f0e6a1c","bytes":1937482}\n

The first line is shown in two here. A line of a category or a product is exactly what the catalog
answers with. ``answers`` are those of idempotency keys that are still kept. The last line holds the
CRC-32 of all bytes before it and their number; a snapshot whose last line does not match is set
aside (``….damaged``) and the one before it is used, together with more of the journal.

The process that recovers the catalog holds every byte against that sum. It does not load the products:
they are looked up in the file (:mod:`.mapped`), by keys in a file beside it (:mod:`.keys`). The
others that join it rely on its having looked.

A snapshot and its keys are written beside their places and synced; then the keys are renamed, and
then the snapshot. So a crash leaves a whole one or none, and one whose keys are there. The two
newest are kept. Losing all of them costs nothing while the journal begins with change 1; otherwise
the catalog falls back to the person's file.
"""

import zlib
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

from vitrina.adapters import codec
from vitrina.adapters.journal.disk import TEMPORARY_SUFFIX, Disk, replace_file
from vitrina.adapters.journal.keys import (
    KEYS_SUFFIX,
    DamagedKeys,
    Extent,
    SnapshotKeys,
    keys_parts,
    keys_path,
    read_keys,
)
from vitrina.adapters.journal.mapped import Mapped, OpenFile
from vitrina.adapters.journal.new_keys import NewKeys
from vitrina.adapters.journal.pace import Pace, at_full_speed
from vitrina.adapters.journal.record import decode_answer
from vitrina.adapters.levels import Keys, Tally
from vitrina.adapters.remembered import Remembered
from vitrina.adapters.tables import Tables
from vitrina.domain.errors import InvalidValue
from vitrina.service_layer.ports import Stored
from vitrina.service_layer.times import format_time, parse_time

DAMAGED_SUFFIX: Final = ".damaged"

_PREFIX: Final = "snapshot-"
_SUFFIX: Final = ".jsonl"
_DIGITS: Final = 16
_FORMAT: Final = "vitrina-snapshot"
_VERSION: Final = 1
_HEADER_BYTES_MAX: Final = 1_024
_FOOTER_BYTES_MAX: Final = 64

_log = structlog.get_logger(__name__)


class DamagedSnapshot(Exception):
    """A snapshot is not what was once written."""


class UnknownSnapshot(DamagedSnapshot):
    """A snapshot is whole, and of a format that this version of the program does not know."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a snapshot.

    Attributes:
        seq: The number of the last change in it.
        at: When that was committed.
        categories, products, answers: How many there are.
    """

    seq: int
    at: datetime
    categories: int
    products: int
    answers: int

    def line(self) -> bytes:
        document = {
            "format": _FORMAT,
            "version": _VERSION,
            "seq": self.seq,
            "at": format_time(self.at),
            "categories": self.categories,
            "products": self.products,
            "answers": self.answers,
        }
        return orjson.dumps(document) + b"\n"


def last_line(crc: int, size: int) -> bytes:
    """Return the line that proves the *size* bytes before it."""
    return b'{"crc":"%08x","bytes":%d}\n' % (crc, size)


def snapshot_path(folder: Path, seq: int) -> Path:
    """Return the path of the snapshot that holds all changes up to *seq*."""
    return folder / f"{_PREFIX}{seq:0{_DIGITS}d}{_SUFFIX}"


def list_snapshots(disk: Disk, folder: Path) -> list[tuple[int, Path]]:
    """Return number and path of each snapshot in *folder*, oldest first."""
    return [
        (int(digits), folder / name)
        for name in disk.names(folder)
        if name.startswith(_PREFIX)
        and name.endswith(_SUFFIX)
        and len(digits := name.removeprefix(_PREFIX).removesuffix(_SUFFIX)) == _DIGITS
        and digits.isdecimal()
    ]


def sweep(disk: Disk, folder: Path) -> None:
    """Delete what an interrupted write left behind, and keys whose snapshot is gone."""
    names = disk.names(folder)
    kept = {keys_path(path).name for _, path in list_snapshots(disk, folder)}
    for name in names:
        lonely = name.startswith(_PREFIX) and name.endswith(KEYS_SUFFIX) and name not in kept
        if lonely or name.endswith(TEMPORARY_SUFFIX):
            disk.unlink(folder / name)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that is open, and whole.

    Attributes:
        file: Its bytes.
        header: Its first line.
        extent: Where its products are.
    """

    file: OpenFile
    header: Header
    extent: Extent

    def categories(self) -> list[bytes]:
        """Return canonical JSON, parents before children."""
        return self.file.read(self.extent.start, 0).split(b"\n")[1:-1]

    def products(self) -> Iterator[bytes]:
        """Yield canonical JSON.

        Raises:
            OSError: The system refuses.
        """
        rest = b""
        for chunk in self.file.chunks(self.extent.start, self.extent.end):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines

    def answers(self) -> list[Remembered]:
        """Return the remembered answers, oldest first."""
        data = self.file.read(self.extent.size - self.extent.end, self.extent.end)
        documents = map(orjson.loads, data.splitlines())
        return [decode_answer(each, parse_time(each["at"])) for each in documents]


def open_snapshot(disk: Disk, path: Path, *, trusted: Extent | None = None) -> Snapshot:
    """Open a snapshot.

    Args:
        disk: Where it is.
        path: Its path.
        trusted: What is known of it; None to look at every byte.

    Raises:
        DamagedSnapshot: It is not whole.
        OSError: It cannot be read.
    """
    file = OpenFile(disk, path)
    try:
        size, crc = _read_last_line(file)
        if trusted is None or (trusted.size, trusted.crc) != (size, crc):
            return _look_through(file, size, crc)
        return Snapshot(file, _read_header(file), trusted)
    except (InvalidValue, KeyError, TypeError, ValueError) as error:
        raise DamagedSnapshot(f"{path} is not in this format: {error!r}") from error


def read_snapshot(disk: Disk, path: Path, *, trusted: bool = False, keep: bool = False) -> Tables:
    """Return the tables as they were when the snapshot was made.

    Args:
        disk: Where it is.
        path: Its path.
        trusted: Another process has looked at every byte.
        keep: Write its keys if they are missing or of no use.

    Raises:
        DamagedSnapshot: It is not whole.
        OSError: It cannot be read.
    """
    keys = _read_keys(disk, path)
    snapshot = open_snapshot(disk, path, trusted=keys.extent if trusted and keys else None)
    try:
        if keys is None or keys.extent != snapshot.extent:
            keys = _keys_made_anew(disk, snapshot, keep=keep)
        tables = Tables()
        tables.load(
            seq=snapshot.header.seq,
            at=snapshot.header.at,
            categories=snapshot.categories(),
            answers=snapshot.answers(),
            base=(Mapped(snapshot.file, keys), keys.extent.products, keys.tally.copy()),
        )
    except (InvalidValue, KeyError, TypeError, ValueError) as error:
        raise DamagedSnapshot(f"{path} is not in this format: {error!r}") from error
    return tables


def open_base(disk: Disk, path: Path) -> Mapped | None:
    """Return the products of a snapshot that another process, or this one, has just written.

    Returns:
        Them, or None when it has been replaced, or has no keys.

    Raises:
        DamagedSnapshot: It is not whole.
        OSError: It cannot be read.
    """
    try:
        keys = _read_keys(disk, path)
        if keys is None:
            return None
        snapshot = open_snapshot(disk, path, trusted=keys.extent)
    except FileNotFoundError:
        return None
    return Mapped(snapshot.file, keys) if snapshot.extent == keys.extent else None


def flaw_of_keys(disk: Disk, snapshot: Snapshot) -> str | None:
    """Say what is wrong with the keys that are kept of a snapshot; None when they are right, or missing.

    Raises:
        OSError: They cannot be read.
        StoreUnreadable: The snapshot cannot be read.
    """
    path = keys_path(snapshot.file.path)
    try:
        keys = read_keys(memoryview(disk.map(path)))
    except FileNotFoundError:
        return None
    except DamagedKeys as error:
        return str(error)
    if keys.extent != snapshot.extent:
        return "they are those of another snapshot"
    return Mapped(snapshot.file, keys).flaw()


def keys_of(snapshot: Snapshot, pace: Pace = at_full_speed) -> SnapshotKeys:
    """Make the keys of a snapshot, which is read through.

    Raises:
        KeyError, TypeError, ValueError: A product is not what the catalog writes.
        OSError: It cannot be read.
    """
    count = snapshot.extent.products
    new = NewKeys(adding=count, adding_skus=count, adding_slugs=count, pace=pace)
    tally = Tally()
    for body in snapshot.products():
        document = codec.load(body)
        key, version = document["id"], document["version"]
        if not isinstance(key, str) or not isinstance(version, int):
            raise TypeError(f"{key!r}, {version!r}: no identity and version of a product")
        keys = Keys.of(document)
        row = new.add(Stored.of(key, version, body))
        if keys.sku is not None:
            new.put_sku(keys.sku, row)
        if keys.slug is not None:
            new.put_slug(keys.slug, row)
        tally.add(keys)
        pace()
    return new.done(snapshot.extent, tally)


def _keys_made_anew(disk: Disk, snapshot: Snapshot, *, keep: bool) -> SnapshotKeys:
    path = keys_path(snapshot.file.path)
    _log.info("the keys of the snapshot are made anew", file=str(path))
    keys = keys_of(snapshot)
    if keep:
        replace_file(disk, path, keys_parts(keys))
        # What is mapped is shared with the other processes.
        keys = _read_keys(disk, snapshot.file.path) or keys
    return keys


def _read_keys(disk: Disk, path: Path) -> SnapshotKeys | None:
    """Return the keys of the snapshot at *path*; None when they are of no use.

    Raises:
        OSError: The system refuses to read them.
    """
    try:
        return read_keys(memoryview(disk.map(keys_path(path))))
    except FileNotFoundError:
        return None
    except DamagedKeys as error:
        _log.warning(
            "the keys of a snapshot are of no use", file=str(keys_path(path)), reason=str(error)
        )
        return None


def _read_last_line(file: OpenFile) -> tuple[int, int]:
    """Return how many bytes a snapshot has before its last line, and what their CRC must be."""
    size = file.size
    tail = file.read(_FOOTER_BYTES_MAX, max(size - _FOOTER_BYTES_MAX, 0))
    line = tail[tail.rfind(b"\n", 0, -1) + 1 :]
    document: dict[str, Any] = orjson.loads(line)
    before, crc = size - len(line), int(document["crc"], 16)
    if line != last_line(crc, before):
        raise ValueError("the last line is not that of a snapshot")
    return before, crc


def _read_header(file: OpenFile) -> Header:
    start = file.read(_HEADER_BYTES_MAX, 0)
    header: dict[str, Any] = orjson.loads(start[: start.index(b"\n")])
    if (header["format"], header["version"]) != (_FORMAT, _VERSION):
        found = f"{header['format']!r} {header['version']!r}"
        raise UnknownSnapshot(f"{file.path} is of the unknown format {found}")
    return Header(
        header["seq"],
        parse_time(header["at"]),
        header["categories"],
        header["products"],
        header["answers"],
    )


def _look_through(file: OpenFile, size: int, crc: int) -> Snapshot:
    """Hold every byte against the checksum, and find where the products are."""
    found = 0
    lines = _Lines()
    for chunk in file.chunks(0, size):
        found = zlib.crc32(chunk, found)
        lines.count(chunk)
    if found != crc:
        raise ValueError("the checksum does not match")
    header = _read_header(file)
    before = 1 + header.categories
    if lines.number != before + header.products + header.answers:
        raise ValueError(f"it has {lines.number} lines")
    start = lines.end_of(before, file)
    end = lines.end_of(before + header.products, file)
    return Snapshot(file, header, Extent(header.seq, size, crc, start, end, header.products))


class _Lines:
    """Where the lines of a file end, as far as it was read.

    Attributes:
        number: How many there are.
    """

    def __init__(self) -> None:
        self.number = 0
        self._size = 0
        # Behind each chunk: how many lines ended by then, and how many bytes.
        self._marks = [(0, 0)]

    def count(self, chunk: bytes) -> None:
        self.number += chunk.count(b"\n")
        self._size += len(chunk)
        self._marks.append((self.number, self._size))

    def end_of(self, number: int, file: OpenFile) -> int:
        """Return where the first *number* lines end."""
        place = bisect_left(self._marks, (number, 0))
        if not place:
            return 0
        (before, start), (_, end) = self._marks[place - 1 : place + 1]
        chunk = file.read(end - start, start)
        at = -1
        for _ in range(number - before):
            at = chunk.index(b"\n", at + 1)
        return start + at + 1
