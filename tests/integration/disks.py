"""Disks that fail on demand."""

import errno
import threading
from collections.abc import Callable
from pathlib import Path

from vitrina.adapters.journal.disk import Disk


class FailingDisk(Disk):
    """The real disk, but any operation may be made to fail.

    Attributes:
        failures: Name of an operation → what to do instead of it; returns or raises as it likes.
    """

    def __init__(self) -> None:
        self.failures: dict[str, Callable[[], None]] = {}
        self.syncs = 0

    def fail(self, operation: str, number: int, *, times: int = 1_000_000) -> None:
        """Let the next *times* calls of *operation* raise ``OSError`` with this number."""
        left = [times]

        def refuse() -> None:
            if left[0]:
                left[0] -= 1
                raise OSError(number, errno.errorcode[number])

        self.failures[operation] = refuse

    def mend(self) -> None:
        self.failures.clear()

    def _before(self, operation: str) -> None:
        if act := self.failures.get(operation):
            act()

    def open(self, path: Path, *, create: bool = False, truncate: bool = False) -> int:
        self._before("open")
        return super().open(path, create=create, truncate=truncate)

    def write(self, fd: int, data: bytes | memoryview, offset: int) -> int:
        """Take at most 100 bytes at a time, as a system may."""
        taken = super().write(fd, data[:100], offset)
        self._before("write")
        return taken

    def truncate(self, fd: int, size: int) -> None:
        self._before("truncate")
        super().truncate(fd, size)

    def fsync(self, fd: int) -> None:
        self._before("fsync")
        self.syncs += 1
        super().fsync(fd)

    def fsync_folder(self, path: Path) -> None:
        self._before("fsync_folder")
        super().fsync_folder(path)

    def read(self, path: Path, *, start: int = 0, size: int = -1) -> bytes:
        self._before("read")
        return super().read(path, start=start, size=size)

    def open_to_read(self, path: Path) -> int:
        self._before("open_to_read")
        return super().open_to_read(path)

    def read_at(self, fd: int, size: int, offset: int) -> bytes:
        self._before("read_at")
        return super().read_at(fd, size, offset)

    def mkdir(self, path: Path) -> None:
        self._before("mkdir")
        super().mkdir(path)

    def rename(self, source: Path, target: Path) -> None:
        self._before("rename")
        super().rename(source, target)


class Gate:
    """Holds threads up until it is opened, and tells when one has come; then it may raise an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error
        self.came = threading.Event()
        self._open = threading.Event()

    def __call__(self) -> None:
        self.came.set()
        self._open.wait(30)
        if self._error is not None:
            raise self._error

    def open(self) -> None:
        self._open.set()
