"""Reading a store back: alone after whatever happened, or beside the processes that have it open.

Who is alone recovers: cuts off what a crash has torn, sets damaged snapshots aside, and syncs. Who is
not reads what is durable by then and changes nothing; from there on it follows the others.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from vitrina.adapters.journal.disk import Disk, make_folder
from vitrina.adapters.journal.marks import DURABLE
from vitrina.adapters.journal.presence import Presence
from vitrina.adapters.journal.record import DamagedRecord, Record, decode, inspect
from vitrina.adapters.journal.segments import (
    Segment,
    begin_segment,
    list_segments,
    recover,
)
from vitrina.adapters.journal.snapshot import (
    DAMAGED_SUFFIX,
    DamagedSnapshot,
    list_snapshots,
    read_snapshot,
    sweep,
)
from vitrina.adapters.tables import Tables
from vitrina.service_layer.opening import CannotOpen
from vitrina.service_layer.ports import Check, CheckStatus

JOURNAL_FOLDER: Final = "journal"
ASIDE_FOLDER: Final = "aside"
ATTEMPTS: Final = 5
"""How often a process begins anew to read what others fold and delete meanwhile."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A store as it was read.

    Attributes:
        segments: The journal, oldest first.
        base: The place where its last segment begins.
        tables: The catalog at the end of that.
        warnings: What somebody should look at.
    """

    segments: list[Segment]
    base: int
    tables: Tables
    warnings: list[Check] = field(default_factory=list)


def recover_folder(state: Path, disk: Disk) -> Found:
    """Bring the tables to the end of the journal, from the newest snapshot that is whole.

    Raises:
        CannotOpen: The journal is damaged.
        OSError: The system refuses.
    """
    journal = state / JOURNAL_FOLDER
    aside = state / ASIDE_FOLDER
    make_folder(disk, journal)
    sweep(disk, state)
    tables, warnings = _newest_snapshot(state, disk)
    segments = list_segments(disk, journal)
    if not segments:
        segments = [begin_segment(disk, journal, tables.seq + 1)]
    start = tables.seq
    if segments[0].first > start + 1:
        raise CannotOpen(
            f"The journal in {journal} begins with change {segments[0].first}, but the newest "
            f"whole snapshot ends with change {start}: changes between them are missing. Nothing was "
            f"changed. Restore the catalog from a backup, or keep what is whole with: vitrina repair "
            f"{state.parent}"
        )

    def follow(record: Record) -> None:
        _take_in(tables, record)

    cut = recover(disk, segments, aside, after=start, follow=follow)
    if cut:
        warnings.append(
            Check(
                "journal",
                CheckStatus.WARN,
                f"{cut} bytes of an unfinished write were cut off at the start, as after a crash; "
                f"they are kept in {aside}.",
            )
        )
    if segments[-1].last < tables.seq:
        segments = _restart(disk, journal, aside, segments, tables.seq)
    return Found(segments, 0, tables, warnings)


def join_folder(state: Path, disk: Disk, presence: Presence, *, wait_s: float) -> Found:
    """Read what is durable, as others have the store open and go on.

    Raises:
        CannotOpen: What is there cannot be read, or a writer does not end.
        OSError: The system refuses.
    """
    reason: Exception | None = None
    for _ in range(ATTEMPTS):
        try:
            return _join(state, disk, presence, wait_s)
        except (FileNotFoundError, DamagedSnapshot, DamagedRecord) as error:
            reason = error  # A checkpoint has just replaced what was being read.
    raise CannotOpen(f"The catalog that others have open cannot be read: {reason}")


def _join(state: Path, disk: Disk, presence: Presence, wait_s: float) -> Found:
    journal = state / JOURNAL_FOLDER
    snapshots = list_snapshots(disk, state)
    tables = read_snapshot(disk, snapshots[-1][1], trusted=True) if snapshots else Tables()
    with _standing_still(presence, wait_s):
        first, base = presence.marks.live
        size = presence.marks.words[DURABLE] - base
    segments = [each for each in list_segments(disk, journal) if each.first <= first]
    if not segments or segments[0].first > tables.seq + 1:
        raise DamagedRecord(f"{journal} does not begin with change {tables.seq + 1} or before")
    for segment, following in zip(segments, [*segments[1:], None], strict=True):
        if following is None:
            _read_to(disk, segment, size, tables)
        elif following.first > tables.seq + 1:
            _read_to(disk, segment, segment.path.stat().st_size, tables)
        else:
            segment.last, segment.size = following.first - 1, segment.path.stat().st_size
    return Found(segments, base, tables)


@contextmanager
def _standing_still(presence: Presence, wait_s: float) -> Iterator[None]:
    """Keep others from changing the live segment; for a moment, as everybody waits."""
    if not presence.write.take(timeout_s=wait_s):
        raise CannotOpen("Another process has been writing to this catalog for a long time.")
    try:
        yield
    finally:
        presence.write.release()


def _read_to(disk: Disk, segment: Segment, size: int, tables: Tables) -> None:
    """Take in what the first *size* bytes of a segment say that the tables do not know."""
    *lines, rest = disk.read(segment.path, size=size).split(b"\n")
    for line in lines:
        span = inspect(line)
        if span.seq > tables.seq:
            _take_in(tables, decode(line))
        segment.grow(span, len(line) + 1)
    if rest or segment.size != size:
        raise DamagedRecord(f"{segment.path} ends early, at byte {segment.size}")


def _take_in(tables: Tables, record: Record) -> None:
    tables.apply(record.changes)
    tables.remember(record.answers, record.at)


def _newest_snapshot(state: Path, disk: Disk) -> tuple[Tables, list[Check]]:
    warnings: list[Check] = []
    for _, path in reversed(list_snapshots(disk, state)):
        try:
            return read_snapshot(disk, path, keep=True), warnings
        except DamagedSnapshot as error:
            aside = path.with_name(path.name + DAMAGED_SUFFIX)
            disk.rename(path, aside)
            disk.fsync_folder(state)
            detail = f"A damaged snapshot was set aside as {aside}: {error}"
            warnings.append(Check("snapshot", CheckStatus.WARN, detail))
            _log.warning("damaged snapshot set aside", reason=detail)
            sweep(disk, state)
    return Tables(), warnings


def _restart(
    disk: Disk, journal: Path, aside: Path, segments: list[Segment], seq: int
) -> list[Segment]:
    """Begin the journal anew behind the snapshot, which knows more than the journal does.

    A crash cannot cause this; a journal that was cut or copied by somebody can.
    """
    make_folder(disk, aside)
    for segment in segments:
        disk.rename(segment.path, aside / segment.path.name)
    disk.fsync_folder(aside)
    disk.fsync_folder(journal)
    _log.warning("the journal ends before the snapshot; begun anew", after=seq, kept=str(aside))
    return [begin_segment(disk, journal, seq + 1)]
