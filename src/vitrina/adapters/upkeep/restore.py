"""Makes a catalog of a backup, in a new or an empty folder.

Everything is first written to ``.restoring`` in that folder, held against ``backup.json``, synced
and verified. Then it is moved into place: the state in one step, the person's files after it. So at
any moment the folder is no catalog, or the whole one: a product file that is not there yet is
written from the state by the next start. The lock of the new catalog is held meanwhile.

With *replace* what was there before is moved to ``before-restore-N`` in the same folder.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from vitrina.adapters.catalog_folder import Location
from vitrina.adapters.journal.disk import Disk, make_folder
from vitrina.adapters.journal.folder import STATE_FOLDER, alone, locked
from vitrina.adapters.upkeep.archive import read_manifest, unpack
from vitrina.adapters.upkeep.verify import verify
from vitrina.service_layer.opening import CannotOpen
from vitrina.service_layer.upkeep import Copied

STAGE: Final = ".restoring"

_SET_ASIDE: Final = "before-restore-"
_OF_THE_SYSTEM: Final = frozenset({"lost+found"})
"""What a fresh file system has in its root, which may be a catalog's folder in a container."""


def restore(source: Path, folder: Path, *, replace: bool = False) -> Copied:
    """Make the catalog *folder* of the backup *source*.

    Args:
        source: A folder or an archive that a backup made.
        folder: New or empty; its parent exists.
        replace: It may hold a catalog, which is set aside.

    Raises:
        CannotOpen: *source* is no backup or damaged, *folder* is not empty or in use, or the
            system refuses.
    """
    if not source.exists():
        raise CannotOpen(f"There is no backup {source}.")
    if folder.exists() and not folder.is_dir():
        raise CannotOpen(f"{folder} is a file; a catalog is a folder.")
    if folder.is_dir() and any(_contents(folder)) and not replace:
        raise CannotOpen(
            f"{folder} is not empty. Name a new folder; or set what is there aside with: --force"
        )
    try:
        return _restore(source, folder)
    except OSError as error:
        where = error.filename or folder
        raise CannotOpen(f"Not restored: {where}: {error.strerror or error}.") from error


def _restore(source: Path, folder: Path) -> Copied:
    disk = Disk()
    manifest = read_manifest(source)
    made = not folder.exists()
    make_folder(disk, folder)
    stage = folder / STAGE
    try:
        if stage.exists():
            shutil.rmtree(stage)  # Of a restore that was cut off.
        make_folder(disk, stage)
        unpack(source, manifest, stage)
        _check(source, Location(stage, stage / manifest.product_file))
        with ExitStack() as locks:
            if (folder / STATE_FOLDER).is_dir():
                locks.enter_context(alone(folder / STATE_FOLDER, disk))
            locks.enter_context(locked(stage / STATE_FOLDER, disk))
            aside = _set_aside(disk, folder)
            _move_in(disk, stage, folder, manifest.product_file)
    except BaseException:
        shutil.rmtree(folder if made else stage)
        raise
    stage.rmdir()
    return manifest.copied(folder, aside=aside)


def _check(source: Path, staged: Location) -> None:
    found = verify(staged, currency=None)
    if not found.whole:
        raise CannotOpen(f"The backup {source} is damaged: {found.damages[0].meaning}")


def _contents(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name not in {STAGE, *_OF_THE_SYSTEM} and not path.name.startswith(_SET_ASIDE):
            yield path


def _set_aside(disk: Disk, folder: Path) -> Path | None:
    old = sorted(_contents(folder))
    if not old:
        return None
    taken = {path.name for path in folder.iterdir()}
    number = 1
    while f"{_SET_ASIDE}{number}" in taken:
        number += 1
    aside = folder / f"{_SET_ASIDE}{number}"
    make_folder(disk, aside)
    for path in old:
        disk.rename(path, aside / path.name)
    disk.fsync_folder(aside)
    disk.fsync_folder(folder)
    return aside


def _move_in(disk: Disk, stage: Path, folder: Path, product_file: str) -> None:
    """Move the files into place, the state before those that are written from it."""
    last = [product_file, "categories.json"]
    names = sorted(disk.names(stage), key=lambda name: (name in last, name == STATE_FOLDER))
    for name in names:
        disk.rename(stage / name, folder / name)
    disk.fsync_folder(folder)
