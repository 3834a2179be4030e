"""The journal's files: each is named after the number of the first change in it.

``journal/0000000000000001.jsonl`` holds change 1 and those that follow it, until the next file
begins: when ``journal/0000000000048212.jsonl`` exists, the first file is complete and ends with
change 48,211. The last file is the live one; only it is written to, and only at its end. There is
no manifest: the names are the order.

**Damage and torn writes.** A file that is not the last one was synced before its successor was
made; whatever is wrong in it is damage. In the last file, what was written since the last sync may
be there, be missing, be cut anywhere or be zeros after a crash, in any combination; nobody was
told that it happened, so it is set aside and cut off. The two are told apart by ``durable`` in
the records: a bad line is damage if any whole record after it says that the change that should
have been there was on the disk. Damage stops the start; it is never skipped.
"""

import bisect
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from vitrina.adapters.journal.disk import Disk, make_folder, write_all
from vitrina.adapters.journal.record import DamagedRecord, Record, Span, decode, inspect
from vitrina.service_layer.opening import CannotOpen

MARK_BYTES: Final = 64 * 2**10
"""Bytes between two known places in a segment, so that reading starts near what is asked for."""

_DIGITS: Final = 16
_SUFFIX: Final = ".jsonl"

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Segment:
    """One file of the journal.

    Attributes:
        path: Where it is.
        first: The number of its first change, as its name says.
        last: The number of its last change; ``first - 1`` while it has none.
        size: How many bytes its whole records take.
        marks: Some of its records, in order: number of the first change, and offset.
    """

    path: Path
    first: int
    last: int
    size: int = 0
    marks: list[tuple[int, int]] = field(default_factory=list)

    def grow(self, span: Span, size: int) -> None:
        """Take in that a record of *size* bytes was written at the end."""
        if not self.marks or self.size - self.marks[-1][1] >= MARK_BYTES:
            self.marks.append((span.seq, self.size))
        self.last = span.last
        self.size += size

    def records(self, after: int) -> Iterator[Record]:
        """Yield the whole records that reach beyond change *after*.

        Raises:
            OSError: The file cannot be read.
            DamagedRecord: A line in it is not what was written.
        """
        offset = self._offset(after)
        end = self.size
        with self.path.open("rb") as file:
            file.seek(offset)
            while offset < end:
                line = file.readline()
                if not line:
                    raise DamagedRecord(f"{self.path} ends early, at byte {offset}")
                offset += len(line)
                if inspect(line.removesuffix(b"\n")).last > after:
                    yield decode(line)

    def size_after(self, seq: int) -> int:
        """How many bytes the changes after number *seq* take, or a little more."""
        return 0 if self.last <= seq else self.size - self._offset(seq)

    def records_with(self, needle: bytes) -> Iterator[Record]:
        """Yield the whole records whose lines hold *needle*, newest first.

        Raises:
            OSError: The file cannot be read.
            DamagedRecord: A line in it is not what was written.
        """
        end = self.size
        with self.path.open("rb") as file:
            data = file.read(end)
        while (found := data.rfind(needle, 0, end)) >= 0:
            end = data.rfind(b"\n", 0, found) + 1
            line = data[end : data.index(b"\n", found)]
            inspect(line)
            yield decode(line)

    def _offset(self, after: int) -> int:
        """Return a known place at or before the first change that follows number *after*."""
        place = bisect.bisect_right(self.marks, after + 1, key=lambda mark: mark[0]) - 1
        return self.marks[place][1] if place >= 0 else 0


def segment_path(folder: Path, first: int) -> Path:
    """Return the path of the segment that begins with change number *first*."""
    return folder / f"{first:0{_DIGITS}d}{_SUFFIX}"


def begin_segment(disk: Disk, folder: Path, first: int) -> Segment:
    """Make a new, empty segment that change number *first* will begin.

    Raises:
        OSError: The system refuses.
    """
    path = segment_path(folder, first)
    disk.close(disk.open(path, create=True, truncate=True))
    disk.fsync_folder(folder)
    return Segment(path, first, first - 1)


def list_segments(disk: Disk, folder: Path) -> list[Segment]:
    """Return the segments in *folder*, oldest first, not yet read."""
    return [
        Segment(folder / name, first, first - 1)
        for name in disk.names(folder)
        if name.endswith(_SUFFIX)
        and (stem := name.removesuffix(_SUFFIX)).isdecimal()
        and len(stem) == _DIGITS
        and (first := int(stem))
    ]


def recover(
    disk: Disk,
    segments: list[Segment],
    aside: Path,
    *,
    after: int,
    follow: Callable[[Record], None],
) -> int:
    """Read and verify all segments, and cut off the torn end of the last one.

    Args:
        disk: Where they are.
        segments: Oldest first; their ends and marks are filled in.
        aside: The folder that takes what is cut off; made when needed.
        after: The records that begin after this change are handed to *follow*, in order.
        follow: Takes in a record.

    Returns:
        How many bytes were cut off. What is left is on the disk.

    Raises:
        CannotOpen: A segment is damaged or missing.
        OSError: A segment cannot be read or cut.
    """
    cut = 0
    for place, segment in enumerate(segments):
        if place and segment.first != segments[place - 1].last + 1:
            raise damaged(
                segments[place - 1].path,
                segments[place - 1].size,
                f"it ends with change {segments[place - 1].last}, but the next file "
                f"begins with {segment.first}",
            )
        data = disk.read(segment.path)
        flaw = _follow(segment, data, after, follow)
        if flaw is None:
            continue
        if place < len(segments) - 1 or _was_durable(data, segment):
            raise damaged(segment.path, segment.size, flaw)
        cut = len(data) - segment.size
        cut_off(disk, segment, data[segment.size :], aside, flaw)
    _sync(disk, segments[-1])
    return cut


def damaged(path: Path, offset: int, reason: str) -> CannotOpen:
    """Return the error that tells of damage, and of the way out."""
    folder = path.parent.parent.parent
    return CannotOpen(
        f"The journal is damaged: {path}, byte {offset}: {reason}. Nothing was changed. Restore the "
        f"file from a backup, or keep what is whole with: vitrina repair {folder}"
    )


def _follow(
    segment: Segment, data: bytes, after: int, follow: Callable[[Record], None]
) -> str | None:
    """Walk through the whole records; return what is wrong with the first bytes that are none."""
    while segment.size < len(data):
        end = data.find(b"\n", segment.size)
        if end < 0:
            return "the last line has no end"
        line = data[segment.size : end]
        try:
            span = inspect(line)
            record = decode(line) if span.seq > after else None
        except DamagedRecord as error:
            return str(error)
        if span.seq != segment.last + 1:
            # The line is whole, so this is no torn write: a line before it is gone.
            raise damaged(
                segment.path, segment.size, f"change {span.seq} follows change {segment.last}"
            )
        segment.grow(span, end + 1 - segment.size)
        if record is not None:
            follow(record)
    return None


def _was_durable(data: bytes, segment: Segment) -> bool:
    """Say whether a later record knows that what should follow the whole records was synced."""
    for line in data[segment.size :].split(b"\n")[1:]:
        with contextlib.suppress(DamagedRecord):
            if inspect(line).durable > segment.last:
                return True
    return False


def cut_off(disk: Disk, segment: Segment, torn: bytes, aside: Path, reason: str) -> None:
    """Cut the torn end off, once its bytes are kept in the folder *aside*.

    Raises:
        OSError: The system refuses.
    """
    make_folder(disk, aside)
    kept = _free_name(disk, aside, f"{segment.path.stem}-{segment.size}")
    fd = disk.open(kept, create=True)
    try:
        write_all(disk, fd, torn, 0)
        disk.fsync(fd)
    finally:
        disk.close(fd)
    disk.fsync_folder(aside)
    fd = disk.open(segment.path)
    try:
        disk.truncate(fd, segment.size)
    finally:
        disk.close(fd)
    _log.warning(
        "torn write cut off the journal",
        file=str(segment.path),
        offset=segment.size,
        bytes=len(torn),
        reason=reason,
        kept=str(kept),
    )


def _sync(disk: Disk, segment: Segment) -> None:
    """Sync what a process that was killed had written: it will be read, and built upon."""
    fd = disk.open(segment.path)
    try:
        disk.fsync(fd)
    finally:
        disk.close(fd)
    disk.fsync_folder(segment.path.parent)


def _free_name(disk: Disk, folder: Path, stem: str) -> Path:
    taken = set(disk.names(folder))
    number = 1
    while (name := f"{stem}-{number}.torn") in taken:
        number += 1
    return folder / name
