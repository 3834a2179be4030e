"""What a file was like when it was last in step with the catalog.

``.vitrina/base/0000000000000042.products.csv`` holds the exact bytes that ``products.csv`` had when
it held every change up to number 42. Before the file is rewritten, the bytes that it will have are
kept as ``….products.csv.next``: a file that is found with just these was rewritten before a crash,
and they are its base. ``.vitrina/base/products.csv.refused`` lists the ids of the rows that the
catalog refused, as a JSON array; they are tried again at the next chance. Losing the folder costs
one thing: what people and the API changed since then can no longer be told apart.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import orjson

from vitrina.adapters.journal.disk import TEMPORARY_SUFFIX, Disk, make_folder, replace_file

_DIGITS: Final = 16
_REFUSED_SUFFIX: Final = ".refused"
_NEXT_SUFFIX: Final = ".next"


@dataclass(frozen=True, slots=True)
class Base:
    """A file as it was when it was last in step.

    Attributes:
        seq: The file held every change up to this number.
        data: Its bytes.
        refused: The ids of rows that the catalog refused.
    """

    seq: int
    data: bytes
    refused: frozenset[str] = frozenset()


class BaseKeeper:
    """Keeps the base of one file."""

    def __init__(self, disk: Disk, folder: Path, name: str) -> None:
        self._disk = disk
        self._folder = folder
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
        found = self._found()
        if not found:
            return None
        seq, path = found[-1]
        return Base(seq, self._disk.read(path), self._load_refused())

    def others(self) -> set[str]:
        """Return the names of other files whose base is kept here."""
        if not self._folder.is_dir():
            return set()
        names = self._disk.names(self._folder)
        kept = {
            name[_DIGITS + 1 :]
            for name in names
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
        make_folder(self._disk, self._folder)
        for seq, path in self._found(_NEXT_SUFFIX):
            if seq != base.seq:  # Somebody edited the file just then, and it was not replaced.
                self._disk.unlink(path)
        replace_file(self._disk, self._path(base.seq, _NEXT_SUFFIX), [base.data])
        self._announced = base

    def store(self, base: Base, *, before: Base | None) -> None:
        """Keep *base*, durably.

        Args:
            base: What to keep.
            before: What is kept now.

        Raises:
            OSError: The system refused; the one before is still kept.
        """
        make_folder(self._disk, self._folder)
        if base.refused != (before.refused if before else frozenset()):
            data = orjson.dumps(sorted(base.refused))
            replace_file(self._disk, self._folder / f"{self._name}{_REFUSED_SUFFIX}", [data])
        older = [path for seq, path in self._found() if seq != base.seq]
        path = self._path(base.seq)
        if self._announced is not None and self._announced == replace(base, refused=frozenset()):
            self._adopt(base.seq)
        elif before is not None and before.data == base.data:
            if before.seq != base.seq:
                self._disk.rename(self._path(before.seq), path)
                self._disk.fsync_folder(self._folder)
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
                self._disk.fsync_folder(self._folder)
        for suffix in ("", _NEXT_SUFFIX):
            for _, path in self._found(f"{suffix}{TEMPORARY_SUFFIX}"):
                self._disk.unlink(path)

    def _adopt(self, seq: int) -> None:
        """Let what was announced be the base."""
        self._disk.rename(self._path(seq, _NEXT_SUFFIX), self._path(seq))
        self._disk.fsync_folder(self._folder)
        self._announced = None

    def _path(self, seq: int, suffix: str = "") -> Path:
        return self._folder / f"{seq:0{_DIGITS}d}.{self._name}{suffix}"

    def _found(self, suffix: str = "") -> list[tuple[int, Path]]:
        if not self._folder.is_dir():
            return []
        return [
            (int(name[:_DIGITS]), self._folder / name)
            for name in self._disk.names(self._folder)
            if name[_DIGITS:] == f".{self._name}{suffix}" and name[:_DIGITS].isdecimal()
        ]

    def _load_refused(self) -> frozenset[str]:
        try:
            return frozenset(
                orjson.loads(self._disk.read(self._folder / f"{self._name}{_REFUSED_SUFFIX}"))
            )
        except (FileNotFoundError, orjson.JSONDecodeError):
            return frozenset()  # Then those rows are tried again when they change.


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
            OSError: It is there and cannot be read.
        """
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                return cls(file.read(), status)
        except FileNotFoundError:
            return cls(None, None)

    def is_current(self, path: Path) -> bool:
        """Say whether the file is still the one that was read."""
        try:
            now = path.stat()
        except FileNotFoundError:
            return self.status is None
        return self.status is not None and _signature(now) == _signature(self.status)


def _signature(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mtime_ns, status.st_size, status.st_ino
