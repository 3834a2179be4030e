"""Reads a journal that may be damaged: what in it is whole, what is not, and what is missing.

Opening a store stops at the first damage; this goes on behind it. A segment is read as *runs* of
whole records that follow one another, and *flaws*, which are the bytes between them. A record that
is whole is found also where the LF before or after it is lost. Nothing is changed.

One segment is in memory at a time.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.journal.record import DamagedRecord, Record, Span, decode, inspect
from vitrina.adapters.journal.segments import list_segments

IDS_TOLD_MAX: Final = 20
"""How many ids are read out of one stretch of damaged bytes."""

_HEAD: Final = re.compile(rb'\{"crc":"[0-9a-f]{8}","seq":\d')
_IDS: Final = re.compile(rb'"type":"(?:product|category)\.[a-z]+","id":"([A-Za-z0-9._~:-]{1,128})"')


class UnknownFormat(Exception):
    """A file is whole, and of a format that this version of the program does not know."""


@dataclass(slots=True)
class Run:
    """Whole records that follow one another without a gap, in bytes and in numbers.

    Attributes:
        path: The segment.
        offset, end: The bytes.
        first: The number that the first record begins with.
        last: The number of the last change; ``first - 1`` when the records hold none.
        since, until: When the first and the last record were written.
        count: How many records.
    """

    path: Path
    offset: int
    end: int
    first: int
    last: int
    since: datetime
    until: datetime
    count: int = 1


@dataclass(frozen=True, slots=True)
class Flaw:
    """Bytes of a segment that are no record.

    Attributes:
        path: The segment.
        offset, size: The bytes.
        reason: What is wrong.
        ids: Products and categories that they seem to speak of.
    """

    path: Path
    offset: int
    size: int
    reason: str
    ids: tuple[str, ...] = ()


@dataclass(slots=True)
class SegmentReading:
    """What is in one segment.

    Attributes:
        path: Where it is.
        first: The number of its first change, as its name says.
        size: Its bytes.
        parts: Runs and flaws in the order of the file.
        torn: The end, where it is an unfinished write, which nobody was told of.
        ended: Its last record ends with an LF.
    """

    path: Path
    first: int
    size: int
    parts: list[Run | Flaw] = field(default_factory=list)
    torn: Flaw | None = None
    ended: bool = True

    @property
    def runs(self) -> list[Run]:
        return [each for each in self.parts if isinstance(each, Run)]

    @property
    def whole(self) -> bool:
        """Whether it is what a store writes: records from its first change on, and no other bytes."""
        match self.parts:
            case []:
                return True
            case [Run() as only]:
                return only.first == self.first and only.offset == 0 and self.ended
        return False

    @property
    def last(self) -> int:
        """The number of the last change in it; ``first - 1`` when there is none."""
        return max((each.last for each in self.runs), default=self.first - 1)


type Follow = Callable[[Record], None]


def read_segments(
    disk: Disk, folder: Path, *, known: int, follow: Follow
) -> Iterator[SegmentReading]:
    """Yield what is in each segment, oldest first.

    Args:
        disk: Where they are.
        folder: Of the journal; it may be missing.
        known: Some change that was durable, for another file holds what follows from it.
        follow: Takes in each whole record, in the order of the files.

    Raises:
        UnknownFormat: A record is whole and cannot be understood.
        OSError: A segment cannot be read; it may just have been dropped.
    """
    if not folder.is_dir():
        return
    segments = list_segments(disk, folder)
    for place, segment in enumerate(segments):
        data = disk.read(segment.path)
        reading = SegmentReading(segment.path, segment.first, len(data))
        durable = known if place == len(segments) - 1 else None
        _read(reading, data, durable, follow)
        yield reading


def whole_bytes(path: Path, first: int, data: bytes) -> int | None:
    """Return how many bytes at the start of a live segment are whole records; None when damaged.

    Args:
        path: The segment, for messages.
        first: The number of its first change.
        data: Its bytes, as they were read while it may have been written to.

    Raises:
        UnknownFormat: A record is whole and cannot be understood.
    """
    reading = SegmentReading(path, first, len(data))
    _read(reading, data, 0, lambda _: None)
    if not reading.whole:
        return None
    return len(data) if reading.torn is None else reading.torn.offset


def _read(reading: SegmentReading, data: bytes, durable: int | None, follow: Follow) -> None:
    """Fill in the parts.

    Args:
        reading: Of the segment.
        data: Its bytes.
        durable: Of the live segment, a change that is known to have been durable; None of one
            that is complete.
        follow: Takes in each whole record.
    """
    pieces = list(_pieces(data))
    last = reading.first - 1
    for place, (offset, end, found) in enumerate(pieces):
        unended = end == len(data) and isinstance(found, Span)
        if isinstance(found, str) or unended:
            reason = found if isinstance(found, str) else "the last line has no end"
            if durable is not None and _is_torn(pieces[place + 1 :], last, durable):
                reading.torn = Flaw(reading.path, offset, len(data) - offset, reason)
                return
        if isinstance(found, str):
            _add_flaw(reading, offset, end, data, found)
            continue
        record = _decoded(reading.path, offset, data[offset:end])
        _add_record(reading, offset, end, record)
        reading.ended = not unended
        last = found.last
        follow(record)


def _is_torn(later: "list[_Piece]", last: int, durable: int) -> bool:
    """Say whether nothing shows that what should follow change *last* was on the disk."""
    return max([durable, *(each.durable for _, _, each in later if isinstance(each, Span))]) <= last


def _decoded(path: Path, offset: int, line: bytes) -> Record:
    try:
        return decode(line)
    except DamagedRecord as error:
        raise UnknownFormat(
            f"{path}, byte {offset}: {error}. The checksum is right, so this was written by "
            f"another version of Vitrina; use that one."
        ) from error


def _add_record(reading: SegmentReading, offset: int, end: int, record: Record) -> None:
    """Add a record to the run before it, or begin another."""
    span = record.span
    before = reading.parts[-1] if reading.parts else None
    # Between two records there is an LF, and nothing else.
    if isinstance(before, Run) and before.end + 1 == offset and span.seq == before.last + 1:
        before.end, before.last, before.until = end, span.last, record.at
        before.count += 1
    else:
        run = Run(reading.path, offset, end, span.seq, span.last, record.at, record.at)
        reading.parts.append(run)


def _add_flaw(reading: SegmentReading, offset: int, end: int, data: bytes, reason: str) -> None:
    """Add bytes that are no record to those before them, or begin another flaw."""
    before = reading.parts[-1] if reading.parts else None
    if isinstance(before, Flaw) and before.offset + before.size == offset:
        offset, reason = before.offset, before.reason
        reading.parts.pop()
    ids = _ids(data[offset:end])
    reading.parts.append(Flaw(reading.path, offset, end - offset, reason, ids))


type _Piece = tuple[int, int, Span | str]
"""Start, end without the LF, and the span of a record; or start, end, and what is wrong."""


def _pieces(data: bytes) -> Iterator[_Piece]:
    start = 0
    while start < len(data):
        found = data.find(b"\n", start)
        end = len(data) if found < 0 else found
        try:
            yield start, end, inspect(data[start:end])
        except DamagedRecord as error:
            yield from _within(data, start, end, str(error))
        start = end + 1


def _within(data: bytes, start: int, end: int, reason: str) -> Iterator[_Piece]:
    """Look for whole records in a line that is none: one whose LF was lost holds two."""
    heads = [match.start() for match in _HEAD.finditer(data, start, end)]
    flawed = start
    for head, following in pairwise([*heads, end]):
        for stop in {following, data.rfind(b"}", head, following) + 1}:
            try:
                span = inspect(data[head:stop])
            except DamagedRecord:
                continue
            if flawed < head:
                yield flawed, head, reason
            yield head, stop, span
            flawed = stop
            break
    if flawed < end or start == end:
        yield flawed, min(end + 1, len(data)), reason


def _ids(data: bytes) -> tuple[str, ...]:
    found = dict.fromkeys(match[1].decode() for match in _IDS.finditer(data))
    return tuple(found)[:IDS_TOLD_MAX]
