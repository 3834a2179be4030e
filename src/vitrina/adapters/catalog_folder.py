"""Where a catalog is: the folder, and the one product file in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vitrina.adapters.journal.disk import Disk, replace_file
from vitrina.adapters.journal.folder import STATE_FOLDER
from vitrina.adapters.product_file import Format, new_file
from vitrina.adapters.product_file.categories_file import FILE_NAME as CATEGORIES
from vitrina.adapters.product_file.formats import SUFFIXES
from vitrina.adapters.projection.base import BaseKeeper
from vitrina.service_layer.opening import CannotOpen

PRODUCT_FILES: Final = tuple(f"products.{each.value}" for each in Format)
"""The names of a product file in a catalog folder."""


@dataclass(frozen=True, slots=True)
class Location:
    """A catalog's place.

    Attributes:
        folder: The catalog folder.
        file: The product file in it; it may be missing when the catalog was served before.
    """

    folder: Path
    file: Path

    @property
    def state(self) -> Path:
        """The service's own folder."""
        return self.folder / STATE_FOLDER

    @property
    def base(self) -> Path:
        """The folder of the files as they were when last in step."""
        return self.state / "base"

    @property
    def desk(self) -> Path:
        """The folder of what is told about the files."""
        return self.state / "file"


def locate(path: Path) -> Location:
    """Return where the catalog is that *path* names: a catalog folder, or a product file.

    Raises:
        CannotOpen: There is none, or there are several.
    """
    if path.is_dir():
        return _in_folder(path)
    if path.is_file():
        if path.name == CATEGORIES:
            raise CannotOpen(
                f"{path} holds categories, not products; name its folder: {path.parent}"
            )
        location = Location(path.parent, path)
        _refuse_another(location)
        return location
    raise CannotOpen(
        f"There is no folder and no file {path}. Make a new catalog with: vitrina init {path}"
    )


def locate_served(path: Path) -> Location:
    """Return where the catalog is that *path* names, if only its state is left of it.

    Raises:
        CannotOpen: It was never served, or as :func:`locate`.
    """
    state = path / STATE_FOLDER
    if state.is_dir() and not _present(path) and not _served_before(path):
        location = Location(path, path / PRODUCT_FILES[0])
    else:
        location = locate(path)
    if not location.state.is_dir():
        raise CannotOpen(f"{location.folder} was never served: it has no {STATE_FOLDER}.")
    return location


def create(folder: Path, file_format: str) -> Path:
    """Make a new, empty catalog in *folder* and return its product file.

    Args:
        folder: Made when it is missing.
        file_format: ``csv``, ``json`` or ``jsonl``.

    Raises:
        CannotOpen: There is a catalog already, or *folder* is a file.
        OSError: The system refused.
    """
    if folder.exists() and not folder.is_dir():
        raise CannotOpen(f"{folder} is a file; a catalog is a folder.")
    known = [*_present(folder), *_served_before(folder)] if folder.is_dir() else []
    if known:
        raise CannotOpen(f"{folder} is a catalog already: it has {known[0]}. Nothing was changed.")
    folder.mkdir(parents=True, exist_ok=True)
    wanted = Format(file_format)
    file = folder / f"products.{wanted.value}"
    replace_file(Disk(), file, [new_file(wanted)])
    return file


def _in_folder(folder: Path) -> Location:
    present = _present(folder) or _served_before(folder)
    if len(present) > 1:
        raise CannotOpen(
            f"{folder} has several product files: {', '.join(present)}. Keep one of them there, "
            f"or name the one to serve: {folder / present[0]}"
        )
    if not present:
        others = sorted(each.name for each in folder.iterdir() if each.suffix.lower() in SUFFIXES)
        others = [
            name for name in others if name != CATEGORIES and not name.endswith(".conflicts.csv")
        ]
        hint = f", or serve a file of it: {folder / others[0]}" if others else ""
        raise CannotOpen(
            f"{folder} is no catalog: it has none of {', '.join(PRODUCT_FILES)}. Make a new one "
            f"with: vitrina init {folder}{hint}"
        )
    location = Location(folder, folder / present[0])
    _refuse_another(location)
    return location


def _present(folder: Path) -> list[str]:
    return [name for name in PRODUCT_FILES if (folder / name).is_file()]


def _served_before(folder: Path) -> list[str]:
    """Return the product file that was served from the folder, which may be gone."""
    base = folder / STATE_FOLDER / "base"
    try:
        return sorted(BaseKeeper(Disk(), base, CATEGORIES).others())
    except OSError as error:
        raise CannotOpen(f"The catalog cannot be opened: {base}: {error.strerror}.") from error


def _refuse_another(location: Location) -> None:
    """Refuse a file beside the one that ``.vitrina`` belongs to."""
    served = _served_before(location.folder)
    if served and location.file.name not in served:
        raise CannotOpen(
            f"{location.state} belongs to the product file {served[0]}, not to "
            f"{location.file.name}. Move {location.file.name} into a folder of its own. (If it is "
            f"the same catalog under a new name, give it its old name back; or delete "
            f"{location.state} to start again from the file, which forgets all history.)"
        )
