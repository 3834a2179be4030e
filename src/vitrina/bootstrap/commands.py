"""What the command line does to a catalog, beside serving it and importing into it."""

from pathlib import Path

from vitrina.adapters.catalog_folder import create, locate, locate_served
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.product_file.categories_file import FILE_NAME as CATEGORIES
from vitrina.adapters.projection.check import check_files
from vitrina.adapters.projection.desk import Desk
from vitrina.adapters.upkeep.backup import back_up
from vitrina.adapters.upkeep.repair import repair
from vitrina.adapters.upkeep.restore import restore
from vitrina.adapters.upkeep.verify import verify
from vitrina.bootstrap.opening import open_catalog
from vitrina.service_layer.opening import CannotOpen, InUse, Understood
from vitrina.service_layer.person_file import FileStatus
from vitrina.service_layer.upkeep import Copied, Repaired, Verified
from vitrina.settings import Settings


def folder_of(path: Path) -> Path:
    """Return the folder of the catalog that *path* names, whether or not there is one."""
    return path if path.is_dir() else path.parent


def init_catalog(folder: Path, file_format: str) -> Path:
    """Make a new, empty catalog and return its product file.

    Raises:
        CannotOpen: There is a catalog already, or the system refuses.
    """
    try:
        return create(folder, file_format)
    except OSError as error:
        reason = f"{error.filename or folder}: {error.strerror or error}"
        raise CannotOpen(f"The catalog cannot be made: {reason}.") from error


def check_catalog(path: Path, settings: Settings) -> Understood:
    """Return what the files of a catalog say and what is wrong with them; nothing is written.

    Raises:
        CannotOpen: There is no catalog, or the system refuses to read it.
    """
    location = locate(path)
    try:
        return check_files(location.file, location.folder / CATEGORIES, currency=settings.currency)
    except OSError as error:
        raise CannotOpen(
            f"{error.filename or location.file}: {error.strerror or error}."
        ) from error


def accept_edit(path: Path, settings: Settings) -> FileStatus:
    """Let an edit of the product file be carried out that takes away much.

    Where a server runs on the catalog, it does that; else it is done here.

    Returns:
        How the file is afterwards.

    Raises:
        CannotOpen: There is no catalog, or the system refuses.
        NothingToAccept: No edit waits.
    """
    location = locate(path)
    try:
        with open_catalog(path, settings) as catalog:
            return catalog.file.accept()
    except InUse:
        return Desk(Disk(), location.desk).accept()
    except OSError as error:
        raise CannotOpen(
            f"{error.filename or location.file}: {error.strerror or error}."
        ) from error


def verify_catalog(path: Path, settings: Settings) -> Verified:
    """Return what a catalog's files hold, and every damage; nothing is written, no lock taken.

    Raises:
        CannotOpen: It cannot be checked.
    """
    return verify(locate_served(path), currency=settings.currency)


def repair_catalog(path: Path, settings: Settings, *, only_show: bool) -> Repaired:
    """Make a damaged catalog one that opens, and return what was found, kept and lost.

    Raises:
        CannotOpen: There is no catalog, it is in use, or the system refuses.
    """
    return repair(locate_served(path), currency=settings.currency, only_show=only_show)


def back_up_catalog(path: Path, target: Path) -> Copied:
    """Copy a catalog as of this moment, also while a service runs on it.

    Raises:
        CannotOpen: There is no catalog, it is damaged, *target* exists, or the system refuses.
    """
    return back_up(locate_served(path), target)


def restore_catalog(source: Path, folder: Path, *, replace: bool) -> Copied:
    """Make a catalog of a backup.

    Raises:
        CannotOpen: The backup is damaged, the folder is not empty or in use, or the system refuses.
    """
    return restore(source, folder, replace=replace)
