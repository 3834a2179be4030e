"""What a file was like when it was last in step with the catalog.

``.vitrina/base/0000000000000042.products.csv`` holds the exact bytes that ``products.csv`` had when
it held every change up to number 42. Before the file is rewritten, the bytes that it will have are
kept as ``….products.csv.next``: a file that is found with just these was rewritten before a crash,
and they are its base. ``.vitrina/base/products.csv.refused`` lists the ids of the rows that the
catalog refused, as a JSON array; they are tried again at the next chance. ``products.csv.stale``
lists those of rows that do not say what the catalog says, and are going to be written again. Losing
the folder costs one thing: what people and the API changed since then can no longer be told apart.
"""

import errno
import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from vitrina.adapters.journal.disk import TEMPORARY_SUFFIX, Disk, make_folder, replace_file

_DIGITS: Final = 16
_REFUSED_SUFFIX: Final = ".refused"
_STALE_SUFFIX: Final = ".stale"
_NEXT_SUFFIX: Final = ".next"


@dataclass(frozen=True, slots=True)
class Base:
    """A file as it was when it was last in step.

    Attributes:
        seq: The file held every change up to this number.
        data: Its bytes.
        refused: The ids of rows that the catalog refused.
        stale: The ids of rows that have to be written again: they do not say what the catalog says.
    """

    seq: int
    data: bytes
    refused: frozenset[str] = frozenset()
    stale: frozenset[str] = frozenset()


def kept_seq(disk: Disk, folder: Path) -> int:
    """Return the highest change that any file kept in *folder* held; 0 when there is none."""
    names = _names(disk, folder)
    numbers = (name[:_DIGITS] for name in names if name[_DIGITS : _DIGITS + 1] == ".")
    return max((int(each) for each in numbers if each.isdecimal()), default=0)


def _names(disk: Disk, folder: Path) -> list[str]:
    """Return the names in a folder, none when it is not there.

    Raises:
        OSError: It is there, and the system refuses to tell.
    """
    try:
        return disk.names(folder)
    except FileNotFoundError:
        return []


class BaseKeeper:
    """Keeps the base of one file.

    Attributes:
        folder: Where.
    """

    def __init__(self, disk: Disk, folder: Path, name: str) -> None:
        self.folder = folder
        self._disk = disk
        self._name = name
        self._announced: Base | None = None

    def load(self, data: bytes | None) -> Base | None:
        """Return the newest base, or None.

        Args:
            data: What the file holds now; None when there is no file.

        Raises:
            OSError: The system refuses.
        """
        self._settle(data)
        return self.peek(data)

    def peek(self, data: bytes | None) -> Base | None:
        """Return the newest base, or None, without changing anything; see :meth:`load`.

        Raises:
            OSError: The system refuses; a base may just have been replaced.
        """
        refused, stale = self._load_ids(_REFUSED_SUFFIX), self._load_ids(_STALE_SUFFIX)
        for seq, path in self._found(_NEXT_SUFFIX):
            if self._disk.read(path) == data:
                return Base(seq, data, refused, stale)
        found = self._found()
        if not found:
            return None
        seq, path = found[-1]
        return Base(seq, self._disk.read(path), refused, stale)

    def others(self) -> set[str]:
        """Return the names of other files whose base is kept here."""
        kept = {
            name[_DIGITS + 1 :]
            for name in _names(self._disk, self.folder)
            if name[:_DIGITS].isdecimal() and not name.endswith((_NEXT_SUFFIX, TEMPORARY_SUFFIX))
        }
        return kept - {self._name}

    def announce(self, base: Base) -> None:
        """Keep, durably, what the file is going to be replaced by.

        Without that, a crash before :meth:`store` would make this service's own write look like
        what somebody did to the file, and could undo what the API has changed since.

        Raises:
            OSError: The system refused; the file must not be replaced.
        """
        make_folder(self._disk, self.folder)
        for seq, path in self._found(_NEXT_SUFFIX):
            if seq != base.seq:  # Somebody edited the file just then, and it was not replaced.
                self._disk.unlink(path)
        replace_file(self._disk, self._path(base.seq, _NEXT_SUFFIX), [base.data])
        self._announced = base

    def own_write(self, data: bytes | None) -> Base | None:
        """Return what was announced, where the file is found with just that.

        Then it was replaced, and something failed afterwards: nobody has edited it.

        Raises:
            OSError: The system refuses; ask again.
        """
        announced = self._announced
        if announced is None or announced.data != data:
            return None
        self._adopt(announced.seq)
        return announced

    def store(self, base: Base, *, before: Base | None) -> None:
        """Keep *base*, durably.

        Args:
            base: What to keep.
            before: What is kept now.

        Raises:
            OSError: The system refused; the one before is still kept.
        """
        make_folder(self._disk, self.folder)
        self._store_ids(_REFUSED_SUFFIX, base.refused, before.refused if before else frozenset())
        known = before.stale if before else frozenset()
        # A crash between the two must find an id too many, never one too few.
        self._store_ids(_STALE_SUFFIX, base.stale | known, known)
        self._store_data(base, before)
        self._store_ids(_STALE_SUFFIX, base.stale, base.stale | known)

    def _store_data(self, base: Base, before: Base | None) -> None:
        older = [path for seq, path in self._found() if seq != base.seq]
        path = self._path(base.seq)
        if self._announced is not None and (
            (self._announced.seq, self._announced.data) == (base.seq, base.data)
        ):
            self._adopt(base.seq)
        elif before is not None and before.data == base.data:
            if before.seq != base.seq:
                self._disk.rename(self._path(before.seq), path)
                self._disk.fsync_folder(self.folder)
            return
        else:
            replace_file(self._disk, path, [base.data])
        for each in older:
            self._disk.unlink(each)

    def _settle(self, data: bytes | None) -> None:
        """Finish what a crash has interrupted: see whether the file was replaced, or not."""
        for seq, path in self._found(_NEXT_SUFFIX):
            if self._disk.read(path) == data:
                self._adopt(seq)
            else:
                self._disk.unlink(path)
                self._disk.fsync_folder(self.folder)
        for suffix in ("", _NEXT_SUFFIX):
            for _, path in self._found(f"{suffix}{TEMPORARY_SUFFIX}"):
                self._disk.unlink(path)

    def _adopt(self, seq: int) -> None:
        """Let what was announced be the base."""
        announced = self._path(seq, _NEXT_SUFFIX)
        if (
            signature_of(announced) is not None
        ):  # An attempt before this one may have failed at the sync.
            self._disk.rename(announced, self._path(seq))
        self._disk.fsync_folder(self.folder)
        self._announced = None

    def _path(self, seq: int, suffix: str = "") -> Path:
        return self.folder / f"{seq:0{_DIGITS}d}.{self._name}{suffix}"

    def _found(self, suffix: str = "") -> list[tuple[int, Path]]:
        return [
            (int(name[:_DIGITS]), self.folder / name)
            for name in _names(self._disk, self.folder)
            if name[_DIGITS:] == f".{self._name}{suffix}" and name[:_DIGITS].isdecimal()
        ]

    def _load_ids(self, suffix: str) -> frozenset[str]:
        try:
            return frozenset(orjson.loads(self._disk.read(self.folder / f"{self._name}{suffix}")))
        except (FileNotFoundError, orjson.JSONDecodeError):
            return frozenset()  # Then those rows are looked at again when they change.

    def _store_ids(self, suffix: str, ids: frozenset[str], before: frozenset[str]) -> None:
        if ids != before:
            data = orjson.dumps(sorted(ids))
            replace_file(self._disk, self.folder / f"{self._name}{suffix}", [data])


_READS_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it was found.

    Attributes:
        data: Its bytes; None when there is no file.
        status: What the system said of it when it was read.
    """

    data: bytes | None
    status: os.stat_result | None

    @classmethod
    def at(cls, path: Path) -> "Found":
        """Read the file.

        Raises:
            OSError: It is there and cannot be read, or somebody is in the middle of writing it.
        """
        try:
            with path.open("rb") as file:
                for _ in range(_READS_MAX):
                    status = os.fstat(file.fileno())
                    file.seek(0)
                    data = file.read()
                    if _signature(os.fstat(file.fileno())) == _signature(status):
                        return cls(data, status)
        except FileNotFoundError:
            return cls(None, None)
        raise BlockingIOError(errno.EAGAIN, "The file is just being written", str(path))

    def is_current(self, path: Path) -> bool:
        """Say whether the file is still the one that was read."""
        before = None if self.status is None else _signature(self.status)
        return signature_of(path) == before


type Signature = tuple[int, int, int]
"""Another one means another content; the same one nearly always the same content."""


def signature_of(path: Path) -> Signature | None:
    """Return what tells a file from another at its place; None when there is none."""
    try:
        return _signature(path.stat())
    except (FileNotFoundError, NotADirectoryError):
        return None


def _signature(status: os.stat_result) -> Signature:
    return status.st_mtime_ns, status.st_size, status.st_ino


_LOOK_S: Final = 0.02


class Rest:
    """Says when files have come to rest: nobody is in the middle of saving one.

    A file that was last written a while ago is at rest, and so is one that is as it was noted. Any
    other has to look the same for that while; one that has just gone, too, for some editors move
    the old file away before they write the new one. A clock that was set back does no harm.
    """

    def __init__(self, files: Iterable[Path], rest_s: float) -> None:
        self._files = tuple(files)
        self._rest_s = rest_s
        self._noted: tuple[Signature | None, ...] = (None,) * len(self._files)

    def note(self) -> None:
        """Take the files as they are for being at rest: they were just written by this process."""
        self._noted = self._look()

    def wait(self, stopping: threading.Event | None = None, *, longest_s: float) -> bool:
        """Wait until all files are at rest; False when the time is over, or *stopping* is set."""
        pause = stopping.wait if stopping else time.sleep
        began = since = time.monotonic()
        before = self._look()
        while not (self._are_old(before) or time.monotonic() - since >= self._rest_s):
            if time.monotonic() - began >= longest_s or pause(min(_LOOK_S, self._rest_s)):
                return False
            now = self._look()
            if now != before:
                before, since = now, time.monotonic()
        self._noted = before
        return True

    def _look(self) -> tuple[Signature | None, ...]:
        return tuple(map(signature_of, self._files))

    def _are_old(self, signatures: Iterable[Signature | None]) -> bool:
        written_before = time.time_ns() - self._rest_s * 1e9
        return all(
            now == noted or (now is not None and now[0] < written_before)
            for now, noted in zip(signatures, self._noted, strict=True)
        )
