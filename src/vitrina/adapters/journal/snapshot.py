r"""A snapshot: the whole catalog of one moment, as JSON Lines of the canonical bytes.

``snapshot-0000000000048211.jsonl`` is the catalog after change 48,211::

    {"format":"vitrina-snapshot","version":1,"seq":48211,"at":"2026-01-31T12:00:00.000000Z",
     "categories":54,"products":2465,"answers":3}\n
    {"id":"home","name":"Home","parent_id":null,"version":1}\n        54 categories, parents first
    {"id":"LAMP-1","sku":"LAMP-1","title": … }\n                      2,465 products
    {"key":"…","at":"…","fingerprint":"…","id":"…","version":1,"body":{ … }}\n      3 answers
    {"crc":"5f0e6a1c","bytes":1937482}\n

The first line is shown in two here. A line of a category or a product is exactly what the catalog
keeps in memory, so a later version may map the file instead of reading it. ``answers`` are those
of idempotency keys that are still kept. The last line holds the CRC-32 of all bytes before it and
their number; a snapshot whose last line does not match is set aside (``….damaged``) and the one
before it is used, together with more of the journal.

It is written beside its place, synced and renamed, so a crash leaves a whole one or none. The two
newest are kept. Losing all of them costs nothing while the journal begins with change 1;
otherwise the catalog falls back to the person's file.
"""

import zlib
from collections.abc import Iterable, Iterator
from itertools import batched
from pathlib import Path
from typing import Any, Final

import orjson

from vitrina.adapters.journal.disk import TEMPORARY_SUFFIX, Disk, replace_file
from vitrina.adapters.journal.record import decode_answer, encode_answer
from vitrina.adapters.tables import Image, Remembered, Tables
from vitrina.domain.errors import InvalidValue
from vitrina.service_layer.documents import format_time, parse_time

DAMAGED_SUFFIX: Final = ".damaged"

_PREFIX: Final = "snapshot-"
_SUFFIX: Final = ".jsonl"
_DIGITS: Final = 16
_FORMAT: Final = "vitrina-snapshot"
_VERSION: Final = 1
_BATCH: Final = 512
_FOOTER_BYTES_MAX: Final = 64


class DamagedSnapshot(Exception):
    """A snapshot is not what was once written."""


class UnknownSnapshot(DamagedSnapshot):
    """A snapshot is whole, and of a format that this version of the program does not know."""


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
    """Delete what an interrupted write left behind."""
    for name in disk.names(folder):
        if name.endswith(TEMPORARY_SUFFIX):
            disk.unlink(folder / name)


def write_snapshot(disk: Disk, folder: Path, image: Image) -> Path:
    """Write *image* durably and return its path; nobody has to wait for this.

    Raises:
        OSError: The system refused; nothing changed.
    """
    path = snapshot_path(folder, image.seq)
    replace_file(disk, path, _checked(_parts(image)))
    return path


def read_snapshot(disk: Disk, path: Path) -> Tables:
    """Return the tables as they were when the snapshot was made.

    Raises:
        DamagedSnapshot: It is not whole.
        OSError: It cannot be read.
    """
    image = read_image(disk, path)
    tables = Tables()
    try:
        tables.load(image)
    except (InvalidValue, KeyError, TypeError, ValueError) as error:
        raise DamagedSnapshot(f"{path} is not in this format: {error!r}") from error
    return tables


def read_image(disk: Disk, path: Path) -> Image:
    """Return what a snapshot holds, without making tables of it.

    Raises:
        DamagedSnapshot: It is not whole.
        OSError: It cannot be read.
    """
    try:
        return _read(disk.read(path), path)
    except (InvalidValue, KeyError, StopIteration, TypeError, ValueError) as error:
        raise DamagedSnapshot(f"{path} is not in this format: {error!r}") from error


def _parts(image: Image) -> Iterator[bytes]:
    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "seq": image.seq,
        "at": format_time(image.at),
        "categories": len(image.categories),
        "products": len(image.products),
        "answers": len(image.answers),
    }
    yield orjson.dumps(header) + b"\n"
    for resources in (image.categories, image.products):
        for some in batched(resources, _BATCH, strict=False):
            yield b"\n".join((*some, b""))
    for each in image.answers:
        yield orjson.dumps({"at": format_time(each.at), **encode_answer(each)}) + b"\n"


def _checked(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the parts, and last the line that proves them."""
    crc = size = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
        size += len(part)
        yield part
    yield b'{"crc":"%08x","bytes":%d}\n' % (crc, size)


def _read(data: bytes, path: Path) -> Image:
    start = data.rfind(b"\n", 0, len(data) - 1) + 1
    if not start or len(data) - start > _FOOTER_BYTES_MAX:
        raise ValueError("the last line is missing")
    crc = zlib.crc32(memoryview(data)[:start])
    if data[start:] != b'{"crc":"%08x","bytes":%d}\n' % (crc, start):
        raise ValueError("the checksum does not match")
    lines = iter(data.split(b"\n"))
    header: dict[str, Any] = orjson.loads(next(lines))
    if (header["format"], header["version"]) != (_FORMAT, _VERSION):
        found = f"{header['format']!r} {header['version']!r}"
        raise UnknownSnapshot(f"{path} is of the unknown format {found}")
    return Image(
        header["seq"],
        parse_time(header["at"]),
        categories=[next(lines) for _ in range(header["categories"])],
        products=[next(lines) for _ in range(header["products"])],
        answers=[_answer(next(lines)) for _ in range(header["answers"])],
    )


def _answer(line: bytes) -> Remembered:
    document = orjson.loads(line)
    return decode_answer(document, parse_time(document["at"]))
