"""Copies a catalog as of one moment, while others write.

The copy is a catalog folder of its own (:mod:`.archive`). Files are read in the order in which each
can only know less than the next: the person's files with their bases, the newest snapshot, and then
the journal, its live segment up to the last whole record. That record is the moment: every write
that was answered before the backup began is in it, and of each unit of work all or nothing. What
the product file does not show yet is written into it when the restored catalog is first served.

Nobody waits for a backup: it takes no lock. The service goes on to drop segments and snapshots; when
one goes that the copy needs, the copy begins again, and when one goes that only holds the past, the
copy's past is that much shorter.

The copy shares no blocks with the original, and has been synced and verified when it gets its name.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from vitrina.adapters.catalog_folder import Location
from vitrina.adapters.index.synonyms import FILE_NAME as SYNONYMS
from vitrina.adapters.journal.disk import Disk, make_folder, replace_file
from vitrina.adapters.journal.folder import STATE_FOLDER
from vitrina.adapters.journal.inspection import UnknownFormat, whole_bytes
from vitrina.adapters.journal.recovery import JOURNAL_FOLDER
from vitrina.adapters.journal.segments import Segment, list_segments
from vitrina.adapters.journal.snapshot import DamagedSnapshot, list_snapshots, open_snapshot
from vitrina.adapters.product_file.categories_file import FILE_NAME as CATEGORIES
from vitrina.adapters.projection.base import BaseKeeper, Found
from vitrina.adapters.projection.taking import taking_path
from vitrina.adapters.upkeep.archive import (
    ARCHIVE_SUFFIX,
    MANIFEST,
    Manifest,
    list_folder,
    pack,
)
from vitrina.adapters.upkeep.survey import BASE
from vitrina.adapters.upkeep.verify import verify
from vitrina.service_layer.opening import CannotOpen
from vitrina.service_layer.upkeep import Copied

ATTEMPTS: Final = 10
"""How often the copy begins again because what it needs was dropped meanwhile."""

LOOKS: Final = 20
"""How often a file and its base are read until they belong together, if nobody edits the file."""

_OTHERS: Final = ("vitrina.toml", SYNONYMS)
"""What else in the folder is of use with the catalog, where it is there."""

_CONFLICTS: Final = Path("file", "conflicts.json")
"""What people and the API changed differently, among the service's own files."""

_CHUNK_BYTES: Final = 2**20


class _Moved(Exception):
    """What was read is no longer what is there."""


def back_up(location: Location, target: Path) -> Copied:
    """Copy a catalog as of this moment to *target*.

    Args:
        location: The catalog; a service may run on it.
        target: A folder that does not exist, or a file that does not and ends with ``.tar.gz``.

    Raises:
        CannotOpen: *target* exists, the catalog is damaged, or the system refuses.
    """
    if os.path.lexists(target):
        raise CannotOpen(f"{target} exists. A backup replaces nothing; name another place.")
    try:
        with _beside(target) as stage:
            manifest = _copy(location, stage / "copy")
            finished = stage / "copy"
            if target.name.endswith(ARCHIVE_SUFFIX):
                finished = stage / "archive"
                pack(stage / "copy", finished, manifest)
            Disk().rename(finished, target)
            Disk().fsync_folder(target.parent)
            return manifest.copied(target)
    except UnknownFormat as error:
        raise CannotOpen(f"The backup was not made: {error}") from error
    except OSError as error:
        where = error.filename or target
        raise CannotOpen(f"The backup was not made: {where}: {error.strerror or error}.") from error


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Make a folder on the file system of *target*, and take it away again."""
    stage = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.absolute().parent))
    try:
        yield stage
    finally:
        shutil.rmtree(stage)


def _copy(location: Location, folder: Path) -> Manifest:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _Copy(location, folder).run()
            break
        except (_Moved, FileNotFoundError) as error:
            shutil.rmtree(folder)
            if attempt == ATTEMPTS:
                raise CannotOpen(
                    f"The backup was not made: {error}. See: vitrina verify {location.folder}"
                ) from error
    found = verify(Location(folder, folder / location.file.name), currency=None)
    if not found.whole:
        raise CannotOpen(
            f"The backup was not made, for the catalog is damaged: {found.damages[0].meaning} "
            f"See: vitrina verify {location.folder}"
        )
    past = [each.changes[0] for each in found.checked if each.kind == "journal" and each.changes]
    files = list_folder(folder)
    name = location.file.name
    manifest = Manifest(found.seq, min(past, default=found.seq + 1), found.products, name, files)
    replace_file(Disk(), folder / MANIFEST, [manifest.encode()])
    return manifest


class _Copy:
    """One attempt to copy a catalog into a folder."""

    def __init__(self, location: Location, folder: Path) -> None:
        self._disk = Disk()
        self._location = location
        self._folder = folder
        self._state = folder / STATE_FOLDER

    def run(self) -> None:
        """Copy everything.

        Raises:
            _Moved, FileNotFoundError: It changed meanwhile; try again.
            OSError: The system refuses.
        """
        for each in (self._folder, self._state, self._state / BASE, self._state / JOURNAL_FOLDER):
            make_folder(self._disk, each)
        files = (self._location.file, self._location.folder / CATEGORIES)
        edited = {path: self._copy_file(path) for path in files}
        for name in (*_OTHERS, f"{self._location.file.stem}.conflicts.csv"):
            self._keep(Found.at(self._location.folder / name), self._folder / name)
        conflicts = Found.at(self._location.state / _CONFLICTS)
        if conflicts.data is not None:
            make_folder(self._disk, (self._state / _CONFLICTS).parent)
            self._keep(conflicts, self._state / _CONFLICTS)
        self._copy_journal(self._copy_snapshot())
        for path, data in edited.items():
            if data is not None:
                self._copy_taking(path, data)

    def _copy_taking(self, path: Path, edited: bytes) -> None:
        """Copy how far an edit of a file is taken in, of which the journal may know."""
        name = path.name
        base = BaseKeeper(self._disk, self._location.base, name).peek(edited)
        if base is not None and base.data == edited:
            raise _Moved(f"an edit of {path} was just taken in")
        taking = Found.at(taking_path(self._location.base, name))
        self._keep(taking, taking_path(self._state / BASE, name))

    def _copy_file(self, path: Path) -> bytes | None:
        """Copy a person's file, and what it was when last in step.

        Returns:
            What the file holds, if somebody edited it since.
        """
        keeper = BaseKeeper(self._disk, self._location.base, path.name)
        found = Found.at(path)
        base = keeper.peek(found.data)
        looks = 1
        while base is not None and base.data != found.data and looks < LOOKS:
            found = Found.at(path)  # It was just being written, or somebody edited it.
            base = keeper.peek(found.data)
            looks += 1
        self._keep(found, self._folder / path.name)
        if base is not None:
            BaseKeeper(self._disk, self._state / BASE, path.name).store(base, before=None)
        return None if base is not None and base.data == found.data else found.data

    def _keep(self, found: Found, target: Path) -> None:
        if found.data is not None:
            replace_file(self._disk, target, [found.data], like=found.status)

    def _copy_snapshot(self) -> int:
        """Copy the newest whole snapshot, and return the number of its last change."""
        for seq, path in reversed(list_snapshots(self._disk, self._location.state)):
            with contextlib.suppress(DamagedSnapshot), path.open("rb") as content:
                open_snapshot(self._disk, path)
                replace_file(self._disk, self._state / path.name, _chunks(content))
                return seq
        return 0

    def _copy_journal(self, covered: int) -> None:
        """Copy the journal, newest first: what is dropped meanwhile is the oldest."""
        segments = list_segments(self._disk, self._location.state / JOURNAL_FOLDER)
        if not segments:
            raise _Moved(f"there is no journal in {self._location.state}")
        *sealed, live = segments
        data = self._live(live)
        first = live.first
        for segment in reversed(sealed):
            try:
                with segment.path.open("rb") as content:
                    replace_file(self._disk, self._target(segment), _chunks(content))
            except FileNotFoundError:
                break
            first = segment.first
        if first > covered + 1:
            raise _Moved(f"changes {covered + 1} to {first - 1} are not there")
        replace_file(self._disk, self._target(live), [data])
        self._check_still_there(live, data)

    def _live(self, live: Segment) -> bytes:
        data = self._disk.read(live.path)
        end = whole_bytes(live.path, live.first, data)
        if end is None:
            raise _Moved(f"{live.path} is damaged")
        return data[:end]

    def _check_still_there(self, live: Segment, data: bytes) -> None:
        """See that what was read was not taken back, as the service does when a sync fails."""
        start = data.rfind(b"\n", 0, max(len(data) - 1, 0)) + 1
        with contextlib.suppress(FileNotFoundError):  # Then it was complete, and dropped.
            there = self._disk.read(live.path, start=start, size=len(data) - start)
            if there != data[start:]:
                raise _Moved(f"writes were taken back from {live.path}")

    def _target(self, segment: Segment) -> Path:
        return self._state / JOURNAL_FOLDER / segment.path.name


def _chunks(content: IO[bytes]) -> Iterator[bytes]:
    while chunk := content.read(_CHUNK_BYTES):
        yield chunk
