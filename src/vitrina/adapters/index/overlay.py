"""The changes of an index since it was saved last: in memory, over what is on the disk.

In each commit the engine forces a dozen small files to the disk, for which a search waits that wants to see
the write before it. An index can be made anew at any time, so none of that need be durable at once. While
it follows the catalog, the engine therefore works in a folder in memory:

``/dev/shm/vitrina-UID/N/``  a symbolic link for each file of the index on the disk, and what was written since

:meth:`Overlay.save` copies what is new to the disk every now and then. A crash loses what came after it: the next
start takes that in again from the change log. It rests on three habits of the engine: a file that is
written never changes, ``meta.json`` names all that belong to the index, and what it does not name is of no use.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final, Self

import orjson

from vitrina.adapters.index.files import MANAGED, META, force, replace
from vitrina.adapters.index.slots import Note, Slot

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - whose folder it is, is looked at  # nosec B108
"""Where files are kept in memory."""

ROOM_MIN: Final = 48 * 2**20
"""How many bytes must be free there. Containers often have 64 MiB."""

TRIES_MAX: Final = 20
"""How often a copy is begun anew because the engine merged files away meanwhile."""


@dataclass(frozen=True, slots=True)
class _Image:
    """One state of an index: the engine's lists, and the names of its files."""

    meta: bytes
    managed: bytes
    names: frozenset[str]


class Overlay:
    """A folder for the engine in memory. One thread commits, and another one may save.

    Attributes:
        folder: Where the engine works.
    """

    def __init__(self, base: Slot, note: Note, place: Slot) -> None:
        self.folder: Final = place.folder
        self._base = base
        self._place = place
        self._note = self._saved = note
        self._busy = Lock()
        self._copied: set[str] = set()
        self._dropped = False

    @classmethod
    def over(cls, base: Slot, note: Note, memory: Path = MEMORY) -> Self:
        """Return an overlay of the index in a slot, which *note* tells about.

        Raises:
            OSError: There is no memory for it.
        """
        place = _take_place(memory)
        try:
            place.clear()
            overlay = cls(base, note, place)
            for name in (META, MANAGED):
                shutil.copyfile(base.folder / name, place.folder / name)
            for name in _image(base.folder).names:
                overlay._link(name)
        except BaseException:
            place.close()
            raise
        return overlay

    def committed(self, note: Note) -> None:
        """Remember what is to be noted when this is saved; called by whoever commits."""
        self._note = note

    def save(self, commits: Lock) -> None:
        """Bring what was committed to the disk.

        Args:
            commits: Held by whoever commits; it is held here only while the last files are copied.

        Raises:
            OSError: The disk refuses. What is on it is as it was after the last time.
        """
        if self._note is self._saved:
            return
        with suppress(FileNotFoundError):
            self._copy()  # Most of it, while commits go on.
        with commits:
            note, image = self._note, self._whole_copy()
        if image is not None:
            self._publish(note, image)

    def drop(self) -> None:
        """Let go of what is in memory; what was not saved is gone."""
        with self._busy:
            self._dropped = True
            shutil.rmtree(self.folder, ignore_errors=True)
            self._place.close()

    def _whole_copy(self) -> _Image | None:
        """Return what is on the disk now as a whole; None when all was dropped."""
        for _ in range(TRIES_MAX):
            with suppress(FileNotFoundError):
                image = self._copy()
                # What a merge replaces is deleted after it is no longer in the list.
                if image is None or (self.folder / META).read_bytes() == image.meta:
                    return image
        raise OSError("the engine merges files faster than they can be copied")

    def _copy(self) -> _Image | None:
        """Copy what is not on the disk, as of about now, without making anything of it yet."""
        with self._busy:
            if self._dropped:
                return None
            image = _image(self.folder)
            for name in image.names - self._copied:
                source = self.folder / name
                if not source.is_symlink():
                    shutil.copyfile(source, self._base.folder / name)
                    self._copied.add(name)
            return image

    def _publish(self, note: Note, image: _Image) -> None:
        """Make what was copied the index on the disk."""
        with self._busy:
            if self._dropped:
                return
            fresh, folder = self._copied & image.names, self._base.folder
            for name in fresh:
                force(folder / name)
            replace(folder / MANAGED, image.managed)
            replace(folder / META, image.meta)
            force(folder)
            self._base.write(note)
            self._saved = note
            sweep(folder)
            for name in fresh:
                self._link(name)
            self._copied.clear()

    def _link(self, name: str) -> None:
        """Let a file be read from the disk, and not from memory."""
        link = self.folder / f"{name}.link"
        link.symlink_to(self._base.folder.absolute() / name)
        link.replace(self.folder / name)


def sweep(folder: Path) -> None:
    """Delete what does not belong to the index in a folder, which nobody else must be using.

    A save that was interrupted leaves files, whose names the engine would use again.

    Raises:
        OSError: There is no index, or the system refuses.
        ValueError: Its list of files is damaged.
    """
    kept = _image(folder).names | {META, MANAGED}
    for each in folder.iterdir():
        if each.name not in kept:
            each.unlink()


def _image(folder: Path) -> _Image:
    meta = (folder / META).read_bytes()
    names = frozenset(_files(folder, meta))
    return _Image(meta, (folder / MANAGED).read_bytes(), names)


def _files(folder: Path, meta: bytes) -> Iterator[str]:
    """Yield the names of the files of the segments that are in the engine's list.

    Raises:
        ValueError: It is no such list.
    """
    try:
        segments = {
            each["segment_id"].replace("-", ""): each["deletes"]
            for each in orjson.loads(meta)["segments"]
        }
    except (KeyError, TypeError, AttributeError):
        raise ValueError(f"{folder / META} is not a list of segments") from None
    for name in [each.name for each in folder.iterdir()]:
        segment, _, kind = name.partition(".")
        if segment not in segments or kind.endswith(".link"):
            continue
        deletes = segments[segment]
        if not kind.endswith("del") or (deletes and kind == f"{deletes['opstamp']}.del"):
            yield name


def _take_place(memory: Path) -> Slot:
    """Return a folder in memory that is nobody else's."""
    if os.statvfs(memory).f_bavail * os.statvfs(memory).f_frsize < ROOM_MIN:
        raise OSError(f"{memory} has less than {ROOM_MIN // 2**20} MiB left")
    shared = memory / f"vitrina-{os.getuid()}"
    with suppress(FileExistsError):
        shared.mkdir(mode=0o700)
    found = shared.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{shared} is somebody else's, or open to others")
    return Slot.take(shared)
