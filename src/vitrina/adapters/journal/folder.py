"""Opening and closing the store of one catalog folder."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from vitrina.adapters.journal.checkpoint import Checkpointer
from vitrina.adapters.journal.disk import Disk, make_folder
from vitrina.adapters.journal.follower import Follower
from vitrina.adapters.journal.lock import FolderLock, refuse_network_file_system
from vitrina.adapters.journal.log import Log
from vitrina.adapters.journal.marks import Marks, Notice
from vitrina.adapters.journal.presence import RUN_FOLDER, Presence
from vitrina.adapters.journal.recovery import (
    ASIDE_FOLDER,
    JOURNAL_FOLDER,
    join_folder,
    recover_folder,
)
from vitrina.adapters.journal.snapshot import DamagedSnapshot
from vitrina.adapters.journal.store import JournalStore, StoreLimits
from vitrina.adapters.memory import utc_now
from vitrina.adapters.meters import private_meters
from vitrina.adapters.tables import Tables
from vitrina.domain.errors import StoreUnreadable
from vitrina.service_layer.metrics import Figure, Meters
from vitrina.service_layer.opening import CannotOpen, InUse
from vitrina.service_layer.ports import Check, CheckStatus

STATE_FOLDER: Final = ".vitrina"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A store that is open, and what can be done to it beyond reading and writing.

    Attributes:
        store: Reads, writes, and the change log.
        presence: The other processes that have it open.
        checkpoint: Makes a snapshot now; False when the newest one is current already, or another
            process makes them.
        checks: Tells how the store is.
        figures: Tells it in numbers.
    """

    store: JournalStore
    presence: Presence
    checkpoint: Callable[[], bool]
    checks: Callable[[], list[Check]]
    figures: Callable[[], list[Figure]]


@contextmanager
def locked(state: Path, disk: Disk) -> Iterator[FolderLock]:
    """Be the one service of the folder *state*, which is made when it is missing.

    Raises:
        CannotOpen: Another service has it, it is on a network file system, or the system refuses to
            write to it.
    """
    try:
        make_folder(disk, state)
        refuse_network_file_system(state)
        lock = FolderLock.acquire(state / "lock")
    except OSError as error:
        raise refused(state, error) from error
    try:
        yield lock
    finally:
        lock.close()


@contextmanager
def alone(state: Path, disk: Disk) -> Iterator[None]:
    """Have the folder *state* for oneself: no service, and no command beside it.

    Raises:
        CannotOpen: Another process has it open, it is on a network file system, or the system
            refuses to write to it.
    """
    with ExitStack() as stack:
        stack.enter_context(locked(state, disk))
        try:
            presence = stack.enter_context(present(state, disk))
            nobody_else = stack.enter_context(presence.entering())
        except OSError as error:
            raise refused(state, error) from error
        if not nobody_else:
            raise InUse(
                f"The catalog {state.parent} is open in another process. Stop that one first."
            )
        yield


@contextmanager
def open_store(
    state: Path,
    *,
    limits: StoreLimits | None = None,
    disk: Disk | None = None,
    clock: Callable[[], datetime] = utc_now,
    join: bool = False,
    meters: Meters | None = None,
) -> Iterator[OpenStore]:
    """Open the store in the folder *state*, which is made when it is missing.

    The first process that opens it recovers it; the others follow. On the way out a last snapshot is
    made, unless another process sees to that, and all locks are let go.

    Args:
        state: The folder.
        limits: How far it goes.
        disk: The file system, if not the real one.
        clock: Tells the time.
        join: Work beside the service that may have the folder, instead of being that service.
        meters: Counts what is done; None: for nobody to see.

    Raises:
        CannotOpen: Another service has it, it is damaged, on a network file system, or the
            system refuses to write to it.
    """
    limits = limits or StoreLimits()
    disk = disk or Disk()
    meters = meters or private_meters()
    with ExitStack() as stack:
        if not join:
            stack.enter_context(locked(state, disk))
        try:
            presence = stack.enter_context(present(state, disk))
            log, tables = _read(state, disk, limits, presence, meters)
        except OSError as error:
            raise refused(state, error) from error
        stack.callback(log.close)
        yield from _serve(state, disk, limits, clock, presence, log, tables, meters)


@contextmanager
def present(state: Path, disk: Disk) -> Iterator[Presence]:
    """Be among the processes that have the store open, as soon as one has entered.

    Raises:
        CannotOpen: The folder is on a network file system.
        OSError: The system refuses.
    """
    make_folder(disk, state)
    refuse_network_file_system(state)
    run = state / RUN_FOLDER
    run.mkdir(exist_ok=True)
    with Presence.at(run) as presence:
        yield presence


def _read(
    state: Path, disk: Disk, limits: StoreLimits, presence: Presence, meters: Meters
) -> tuple[Log, Tables]:
    found = None
    with presence.entering() as alone:
        if alone:
            found = recover_folder(state, disk)
            live = found.segments[-1]
            presence.marks.begin(first=live.first, size=live.size, oldest=found.segments[0].first)
            told = "\n".join(f"{each.name}\t{each.detail}" for each in found.warnings)
            presence.marks.say(Notice.RECOVERED, told or None)
    found = found or join_folder(state, disk, presence, wait_s=limits.lock_wait_s)
    log = Log(
        disk,
        state / JOURNAL_FOLDER,
        found.segments,
        presence,
        base=found.base,
        segment_bytes=limits.segment_bytes,
        meters=meters,
    )
    return log, found.tables


def _recovered(marks: Marks) -> list[Check]:
    """Return what the process that recovered the store found."""
    told = marks.said(Notice.RECOVERED)
    lines = [line.split("\t", 1) for line in told.splitlines()] if told else []
    return [Check(name, CheckStatus.WARN, "".join(detail)) for name, *detail in lines]


def _serve(  # noqa: PLR0913, PLR0917 - the parts of an open store
    state: Path,
    disk: Disk,
    limits: StoreLimits,
    clock: Callable[[], datetime],
    presence: Presence,
    log: Log,
    tables: Tables,
    meters: Meters,
) -> Iterator[OpenStore]:
    store = JournalStore(
        log, tables, presence, aside=state / ASIDE_FOLDER, limits=limits, clock=clock
    )
    checkpointer = Checkpointer(
        disk,
        state,
        store=store,
        presence=presence,
        tables=tables,
        log=log,
        limits=limits,
        meters=meters,
    )
    follower = Follower(store, presence.marks)
    checkpointer.start()
    follower.start()
    try:
        yield OpenStore(
            store,
            presence,
            checkpointer.checkpoint,
            lambda: [*store.checks(), *checkpointer.checks(), *_recovered(presence.marks)],
            lambda: [*store.figures(), *checkpointer.figures()],
        )
    finally:
        checkpointer.stop()
        follower.stop()
        store.stop("the catalog is being closed")
        try:
            checkpointer.checkpoint()
        except (OSError, DamagedSnapshot, StoreUnreadable) as error:
            _log.warning("no snapshot at the end; the next start takes longer", reason=str(error))


def refused(state: Path, error: OSError) -> CannotOpen:
    """Return the error that tells that the system does not let us work in the folder."""
    where = error.filename or state
    return CannotOpen(
        f"The catalog cannot be opened: {error.strerror or error} ({where}). Vitrina keeps its "
        f"journal in {state}: the user who runs it must be able to read and write there."
    )
