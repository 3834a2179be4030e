"""Makes a damaged store usable again: keeps all that is whole, and says exactly what was lost.

Every record holds whole resources as they were saved. So each whole record that is left is taken
in, in order, also when one before it is missing. The result becomes a fresh snapshot, the journal
begins anew behind it, and everything that was there before goes into ``aside/``, byte for byte.
What was lost is told by the numbers of the changes; a resource that only a lost change touched
stays as it was before, or is missing if it was new.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vitrina.adapters.journal.disk import Disk, make_folder
from vitrina.adapters.journal.folder import locked, present, refused
from vitrina.adapters.journal.record import DamagedRecord, Record, decode, inspect
from vitrina.adapters.journal.recovery import ASIDE_FOLDER, JOURNAL_FOLDER, recover_folder
from vitrina.adapters.journal.segments import begin_segment, list_segments
from vitrina.adapters.journal.snapshot import (
    DamagedSnapshot,
    list_snapshots,
    read_snapshot,
    write_snapshot,
)
from vitrina.adapters.tables import Tables
from vitrina.service_layer.opening import CannotOpen, InUse, Repaired


def repair(state: Path, *, disk: Disk | None = None) -> Repaired:
    """Repair the store in the folder *state*; one that opens is left as it is.

    Raises:
        CannotOpen: A process has it open, or the system refuses to read or write.
    """
    disk = disk or Disk()
    try:
        with locked(state, disk), _alone(state, disk):
            damage: list[str] = []
            lost: list[tuple[int, int]] = []
            aside: Path | None = None
            try:
                tables = recover_folder(state, disk).tables
            except CannotOpen:
                tables = _salvage(state, disk, damage, lost)
                aside = _begin_anew(state, disk, tables)
            return Repaired(
                seq=tables.seq,
                products=len(tables.products),
                damage=tuple(damage),
                lost=tuple(lost),
                aside=str(aside) if aside else None,
            )
    except OSError as error:
        raise refused(state, error) from error


@contextmanager
def _alone(state: Path, disk: Disk) -> Iterator[None]:
    with present(state, disk) as presence, presence.entering() as alone:
        if not alone:
            raise InUse(
                f"The catalog {state.parent} is open in another process. Stop that one first."
            )
        yield


def _salvage(state: Path, disk: Disk, damage: list[str], lost: list[tuple[int, int]]) -> Tables:
    """Return the tables from the newest whole snapshot and all whole records behind it."""
    tables = Tables()
    for _, path in reversed(list_snapshots(disk, state)):
        try:
            tables = read_snapshot(disk, path)
            break
        except DamagedSnapshot as error:
            damage.append(str(error))
    for record in _records(state / JOURNAL_FOLDER, disk, damage):
        if record.span.seq <= tables.seq:
            continue
        if record.span.seq > tables.seq + 1:
            lost.append((tables.seq + 1, record.span.seq - 1))
            tables.seq = record.span.seq - 1
        tables.apply(record.changes)
        tables.remember(record.answers, record.at)
    return tables


def _records(journal: Path, disk: Disk, damage: list[str]) -> Iterator[Record]:
    """Yield all whole records, and note what lies between them."""
    for segment in list_segments(disk, journal):
        offset = 0
        for line in disk.read(segment.path).split(b"\n"):
            try:
                if line:
                    inspect(line)
                    yield decode(line)
            except DamagedRecord as error:
                damage.append(f"{segment.path}, byte {offset}: {error}")
            offset += len(line) + 1


def _begin_anew(state: Path, disk: Disk, tables: Tables) -> Path:
    """Write what is kept, then set the old journal aside; in this order, a crash does no harm."""
    make_folder(disk, state / ASIDE_FOLDER)
    aside = _fresh_folder(disk, state / ASIDE_FOLDER)
    write_snapshot(disk, state, tables.image())
    disk.rename(state / JOURNAL_FOLDER, aside / JOURNAL_FOLDER)
    disk.fsync_folder(aside)
    make_folder(disk, state / JOURNAL_FOLDER)
    begin_segment(disk, state / JOURNAL_FOLDER, tables.seq + 1)
    disk.fsync_folder(state)
    return aside


def _fresh_folder(disk: Disk, folder: Path) -> Path:
    taken = set(disk.names(folder))
    number = 1
    while f"repair-{number}" in taken:
        number += 1
    fresh = folder / f"repair-{number}"
    make_folder(disk, fresh)
    return fresh
