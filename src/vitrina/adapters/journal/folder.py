"""Opening and closing the store of one catalog folder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from vitrina.adapters.journal.checkpoint import Checkpointer
from vitrina.adapters.journal.disk import Disk, make_folder
from vitrina.adapters.journal.lock import FolderLock, refuse_network_file_system
from vitrina.adapters.journal.log import Log
from vitrina.adapters.journal.record import Record
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
from vitrina.adapters.journal.store import JournalStore, StoreLimits
from vitrina.adapters.memory import utc_now
from vitrina.adapters.tables import Tables
from vitrina.service_layer.opening import CannotOpen
from vitrina.service_layer.ports import Check, CheckStatus

STATE_FOLDER: Final = ".vitrina"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A store that is open, and what can be done to it beyond reading and writing.

    Attributes:
        store: Reads, writes, and the change log.
        checkpoint: Makes a snapshot now; False when the newest one is current already.
        checks: Tells how the store is.
    """

    store: JournalStore
    checkpoint: Callable[[], bool]
    checks: Callable[[], list[Check]]


@contextmanager
def open_store(
    state: Path,
    *,
    limits: StoreLimits | None = None,
    disk: Disk | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Iterator[OpenStore]:
    """Open the store in the folder *state*, which is made when it is missing.

    On the way out a last snapshot is made, and the lock let go.

    Raises:
        CannotOpen: Another process has it open, it is damaged, on a network file system, or the
            system refuses to write to it.
    """
    limits = limits or StoreLimits()
    disk = disk or Disk()
    with locked(state, disk):
        log, tables, warnings = _recover(state, disk, limits)
        try:
            yield from _serve(state, disk, limits, clock, log, tables, warnings)
        finally:
            log.close()


@contextmanager
def locked(state: Path, disk: Disk) -> Iterator[None]:
    """Hold the lock of the folder *state*, which is made when it is missing.

    Raises:
        CannotOpen: Another process holds it, the folder is on a network file system, or the system
            refuses to write to it.
    """
    try:
        make_folder(disk, state)
        refuse_network_file_system(state)
        lock = FolderLock.acquire(state / "lock")
    except OSError as error:
        raise refused(state, error) from error
    try:
        yield
    finally:
        lock.close()


def _serve(
    state: Path,
    disk: Disk,
    limits: StoreLimits,
    clock: Callable[[], datetime],
    log: Log,
    tables: Tables,
    warnings: list[Check],
) -> Iterator[OpenStore]:
    store = JournalStore(log, tables, limits=limits, clock=clock)
    checkpointer = Checkpointer(disk, state, store=store, tables=tables, log=log, limits=limits)
    checkpointer.start()
    try:
        yield OpenStore(
            store,
            checkpointer.checkpoint,
            lambda: [*store.checks(), *checkpointer.checks(), *warnings],
        )
    finally:
        checkpointer.stop()
        store.stop("the catalog is being closed")
        try:
            checkpointer.checkpoint()
        except OSError as error:
            _log.warning("no snapshot at the end; the next start takes longer", reason=str(error))


def refused(state: Path, error: OSError) -> CannotOpen:
    """Return the error that tells that the system does not let us work in the folder."""
    where = error.filename or state
    return CannotOpen(
        f"The catalog cannot be opened: {error.strerror or error} ({where}). Vitrina keeps its "
        f"journal in {state}: the user who runs it must be able to read and write there."
    )


def _recover(state: Path, disk: Disk, limits: StoreLimits) -> tuple[Log, Tables, list[Check]]:
    try:
        return read_back(state, disk, limits)
    except OSError as error:
        raise refused(state, error) from error


def read_back(state: Path, disk: Disk, limits: StoreLimits) -> tuple[Log, Tables, list[Check]]:
    """Bring the tables to the end of the journal, from the newest snapshot that is whole."""
    journal = state / "journal"
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
            f"whole snapshot ends with change {start}: changes between them are missing. Restore "
            f"{state} from a backup; or delete it to start again from the product file alone."
        )

    def follow(record: Record) -> None:
        tables.apply(record.changes)
        tables.remember(record.answers, record.at)

    cut = recover(disk, segments, state / "aside", after=start, follow=follow)
    if cut:
        warnings.append(
            Check(
                "journal",
                CheckStatus.WARN,
                f"{cut} bytes of an unfinished write were cut off at the start, as after a crash; "
                f"they are kept in {state / 'aside'}.",
            )
        )
    if segments[-1].last < tables.seq:
        segments = _restart(disk, journal, state / "aside", segments, tables.seq)
    return Log(disk, journal, segments, segment_bytes=limits.segment_bytes), tables, warnings


def _newest_snapshot(state: Path, disk: Disk) -> tuple[Tables, list[Check]]:
    warnings: list[Check] = []
    for _, path in reversed(list_snapshots(disk, state)):
        try:
            return read_snapshot(disk, path), warnings
        except DamagedSnapshot as error:
            aside = path.with_name(path.name + DAMAGED_SUFFIX)
            disk.rename(path, aside)
            disk.fsync_folder(state)
            detail = f"A damaged snapshot was set aside as {aside}: {error}"
            warnings.append(Check("snapshot", CheckStatus.WARN, detail))
            _log.warning("damaged snapshot set aside", reason=detail)
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
