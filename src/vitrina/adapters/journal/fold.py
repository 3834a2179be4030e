"""Writes a snapshot: the one before, with what was changed since.

What did not change is copied from the file of the one before, in large pieces; Python touches only
what did. While that goes on, the disk is synced every few megabytes and the processor left to
others every millisecond, so that a snapshot of any size keeps no write waiting for long.

All bytes of the one before are read on the way and held against its checksum: damage is not
copied into a file that would say that it is whole.
"""

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import orjson

from vitrina.adapters.journal.disk import Disk, written_beside
from vitrina.adapters.journal.keys import NO_KEYS, Extent, SnapshotKeys, keys_parts, keys_path
from vitrina.adapters.journal.mapped import CHUNK_BYTES, Mapped, OpenFile
from vitrina.adapters.journal.new_keys import NewKeys
from vitrina.adapters.journal.pace import Pace, at_full_speed, release
from vitrina.adapters.journal.record import encode_answer
from vitrina.adapters.journal.snapshot import (
    Header,
    Snapshot,
    keys_of,
    last_line,
    snapshot_path,
)
from vitrina.adapters.tables import Image
from vitrina.service_layer.ports import Stored
from vitrina.service_layer.times import format_time

SYNC_BYTES: Final = 4 * 2**20
"""How much is written between two syncs."""

GONE_MAX: Final = 1_024
"""How many rows of deleted products may be left, beside as many as there are products."""


def write_snapshot(disk: Disk, folder: Path, image: Image, *, pace: Pace = at_full_speed) -> Path:
    """Write *image* and its keys durably, and return its path; nobody has to wait for this.

    Raises:
        OSError: The system refused; nothing changed.
        StoreUnreadable: The snapshot before it cannot be read, or is damaged; nothing changed.
    """
    path = snapshot_path(folder, image.seq)
    fold = _Fold(image, pace)
    with written_beside(disk, path, fold.parts(), sync_bytes=SYNC_BYTES) as temporary:
        keys = fold.keys()
        if len(keys.lengths) > 2 * keys.extent.products + GONE_MAX:
            snapshot = Snapshot(OpenFile(disk, temporary), fold.header, keys.extent)
            keys = keys_of(snapshot, pace)
        parts = keys_parts(keys)
        with written_beside(disk, keys_path(path), parts, sync_bytes=SYNC_BYTES) as keys_file:
            disk.rename(keys_file, keys_path(path))
        disk.rename(temporary, path)
    disk.fsync_folder(folder)
    fold.release()
    return path


class _Fold:
    """One snapshot that is being written.

    Attributes:
        header: Its first line.
    """

    def __init__(self, image: Image, pace: Pace) -> None:
        self.header = Header(
            image.seq, image.at, len(image.categories), image.count, len(image.answers)
        )
        self._image = image
        self._level = image.level
        self._old = image.base if isinstance(image.base, Mapped) else None
        self._pace = pace
        self._changed: dict[int, tuple[str, Stored | None]] = {}
        self._added: dict[str, int] = {}
        self._keys: NewKeys
        self._extent: Extent

    def parts(self) -> Iterator[bytes]:
        """Yield the bytes of the file."""
        crc = size = start = end = 0
        for section in (self._head(), self._products(), self._answers()):
            start, end = end, size
            for part in _gathered(section):
                crc = zlib.crc32(part, crc)
                size += len(part)
                yield part
        yield last_line(crc, size)
        image = self._image
        self._extent = Extent(image.seq, size, crc, start, end, image.count)

    def keys(self) -> SnapshotKeys:
        """Return the keys of what :meth:`parts` has yielded.

        Raises:
            StoreUnreadable: The snapshot before it cannot be read.
        """
        old = self._old
        for sku, owner in self._level.skus.items():
            if old is not None and (row := old.row_of_sku(sku)) is not None:
                self._keys.take_sku(sku, row)
            if owner is not None:
                self._keys.put_sku(sku, self._row(owner))
            self._pace()
        for slug, owner in self._level.slugs.items():
            if old is not None and (row := old.row_of_slug(slug)) is not None:
                self._keys.take_slug(slug, row)
            if owner is not None:
                self._keys.put_slug(slug, self._row(owner))
            self._pace()
        return self._keys.done(self._extent, self._image.tally)

    def release(self) -> None:
        """Let go of what was noted of the products, little by little."""
        release(self._changed, self._pace)
        release(self._added, self._pace)

    def _head(self) -> Iterator[bytes]:
        yield self.header.line()
        for body in self._image.categories:
            yield body + b"\n"

    def _answers(self) -> Iterator[bytes]:
        for each in self._image.answers:
            yield orjson.dumps({"at": format_time(each.at), **encode_answer(each)}) + b"\n"
            self._pace()

    def _products(self) -> Iterator[bytes]:
        """Yield the lines of the products, and make their rows."""
        marks = bytearray(0 if self._old is None else len(self._old.keys.lengths))
        added = self._sort_out(marks)
        self._keys = NewKeys(
            NO_KEYS if self._old is None else self._old.keys,
            adding=len(added),
            adding_skus=len(self._level.skus),
            adding_slugs=len(self._level.slugs),
            pace=self._pace,
        )
        if self._old is not None:
            yield from self._with_changes(self._old, marks)
        for stored in added:
            self._added[stored.id] = self._keys.add(stored)
            yield stored.body + b"\n"
            self._pace()

    def _sort_out(self, marks: bytearray) -> list[Stored]:
        """Mark the rows that change, and return the products that have none yet."""
        added = []
        for key, stored in self._level.products.items():
            row = None if self._old is None else self._old.row(key)
            if row is not None:
                self._changed[row] = (key, stored)
                marks[row] = True
            elif stored is not None:
                added.append(stored)
            self._pace()
        return added

    def _with_changes(self, old: Mapped, marks: bytearray) -> Iterator[bytes]:
        """Yield the lines of the snapshot before, but for those of the rows that are marked."""
        source = _Source(old)
        source.skip_to(old.keys.extent.start)
        row = 0
        while row < len(marks):
            place = marks.find(True, row)
            changed = place if place >= 0 else len(marks)
            self._keys.keep(row, changed)
            yield from source.copy_to(old.keys.place(changed))
            if changed < len(marks):
                source.skip_to(old.keys.place(changed + 1))
                key, stored = self._changed[changed]
                if stored is None:
                    self._keys.remove(key)
                else:
                    self._keys.replace(stored)
                    yield stored.body + b"\n"
            row = changed + 1
            self._pace()
        source.finish()

    def _row(self, product_id: str) -> int:
        """Return the row of a product that is there."""
        row = self._added.get(product_id)
        if row is None and self._old is not None:
            row = self._old.row(product_id)
        if row is None:
            raise KeyError(product_id)
        return row


class _Source:
    """Reads through the whole snapshot before, from its first byte to its last line."""

    def __init__(self, old: Mapped) -> None:
        self._old = old
        self._place = 0
        self._crc = 0

    def copy_to(self, end: int) -> Iterator[bytes]:
        """Yield the bytes before the place *end*."""
        for chunk in self._old.chunks(self._place, end):
            self._crc = zlib.crc32(chunk, self._crc)
            self._place += len(chunk)
            yield chunk
        if self._place < end:
            raise self._old.damaged("it ends early")

    def skip_to(self, end: int) -> None:
        """Pass the bytes before the place *end*."""
        for _ in self.copy_to(end):
            pass

    def finish(self) -> None:
        """Read the rest, and see that all of it was what was written.

        Raises:
            StoreUnreadable: It was not.
        """
        extent = self._old.keys.extent
        self.skip_to(extent.size)
        if self._crc != extent.crc:
            raise self._old.damaged("the checksum does not match")


def _gathered(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in large pieces."""
    waiting: list[bytes] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= CHUNK_BYTES:
            yield b"".join(waiting) if len(waiting) > 1 else part
            waiting.clear()
            size = 0
    if waiting:
        yield b"".join(waiting)
