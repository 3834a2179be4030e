"""The file system, as far as the store needs it: every operation that changes it, in one place.

All that the store and the projections write goes through a :class:`Disk`. So a test may hand in
another one that fails at the Nth operation, or that records every operation and rebuilds each
state in which a crash may leave the folder.

What is promised rests on three rules of POSIX file systems: what was written is on the disk when
``fsync`` of the file has returned; a name is there when ``fsync`` of its folder has returned; and
``rename`` puts the new file in place of the old one in one step.
"""

import contextlib
import mmap
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

FILE_MODE: Final = 0o644
TEMPORARY_SUFFIX: Final = ".tmp"


class Disk:
    """The real file system. Every method raises ``OSError`` when the system refuses."""

    def open(self, path: Path, *, create: bool = False, truncate: bool = False) -> int:
        """Return a descriptor for reading and writing at any offset."""
        flags = os.O_RDWR | os.O_CLOEXEC
        if create:
            flags |= os.O_CREAT
        if truncate:
            flags |= os.O_TRUNC
        return os.open(path, flags, FILE_MODE)

    def write(self, fd: int, data: bytes | memoryview, offset: int) -> int:
        """Write at *offset* and return how many bytes were taken, which may be fewer."""
        return os.pwrite(fd, data, offset)

    def truncate(self, fd: int, size: int) -> None:
        """Cut the file to *size* bytes."""
        os.ftruncate(fd, size)

    def fsync(self, fd: int) -> None:
        """Return when all that was written to the file is on the disk."""
        os.fsync(fd)

    def close(self, fd: int) -> None:
        os.close(fd)

    def rename(self, source: Path, target: Path) -> None:
        """Give *source* the name *target*, in the place of what had it, in one step."""
        os.rename(source, target)  # noqa: PTH104 - one seam, one vocabulary: the system's

    def unlink(self, path: Path) -> None:
        """Take the name away."""
        os.unlink(path)  # noqa: PTH108 - as above

    def mkdir(self, path: Path) -> None:
        """Make a folder."""
        os.mkdir(path)  # noqa: PTH102 - as above

    def fsync_folder(self, path: Path) -> None:
        """Return when the names in the folder are on the disk."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def is_in_place(self, fd: int, path: Path) -> bool:
        """Say whether the open file has this name still; true when that cannot be told."""
        try:
            return os.path.samestat(os.fstat(fd), path.stat())
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True

    def read(self, path: Path, *, start: int = 0, size: int = -1) -> bytes:
        """Return *size* bytes from offset *start*, fewer at the end of the file; -1 is all."""
        with path.open("rb", buffering=0) as file:
            file.seek(start)
            return file.read(size) or b""

    def open_to_read(self, path: Path) -> int:
        """Return a descriptor for :meth:`read_at`; the file stays readable when its name goes."""
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def read_at(self, fd: int, size: int, offset: int) -> bytes:
        """Return *size* bytes from *offset*, fewer at the end of the file."""
        return os.pread(fd, size, offset)

    def map(self, path: Path) -> mmap.mmap | bytes:
        """Return the contents of a file, which are read when they are used."""
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:
                return b""  # There is nothing to map.
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def names(self, folder: Path) -> list[str]:
        """Return the names in a folder, sorted."""
        return sorted(os.listdir(folder))  # noqa: PTH208 - as above


def make_folder(disk: Disk, path: Path) -> None:
    """See to it that there is a folder, durably.

    One that is there already may have been made by a process that died before it could sync.

    Raises:
        OSError: The system refused, or something else has the name.
    """
    if not path.is_dir():
        disk.mkdir(path)
    disk.fsync_folder(path.parent)


def write_all(disk: Disk, fd: int, data: bytes | memoryview, offset: int) -> None:
    """Write all of *data* at *offset*, however few bytes the system takes at a time.

    Raises:
        OSError: The system refused; some of the bytes may be there.
    """
    rest = memoryview(data)
    while rest:
        taken = disk.write(fd, rest, offset)
        rest = rest[taken:]
        offset += taken


def replace_file(
    disk: Disk,
    path: Path,
    parts: Iterable[bytes | memoryview],
    *,
    like: os.stat_result | None = None,
    unless: Callable[[], bool] | None = None,
) -> bool:
    """Put a file with this content in the place of *path*, durably: all of it, or nothing.

    A crash leaves the old file or the new one, and at most a ``.tmp`` file beside it.

    Args:
        disk: Where.
        path: The file; it need not exist.
        parts: Its content, piece by piece.
        like: Keep this mode and, where the system allows it, this owner.
        unless: Asked at the last moment; when it says yes, the old file stands as it was.

    Returns:
        Whether the file was replaced.

    Raises:
        OSError: The system refused; the old file stands as it was.
    """
    with written_beside(disk, path, parts, like=like) as temporary:
        if unless is not None and unless():
            disk.unlink(temporary)
            return False
        disk.rename(temporary, path)
    disk.fsync_folder(path.parent)
    return True


@contextlib.contextmanager
def written_beside(
    disk: Disk,
    path: Path,
    parts: Iterable[bytes | memoryview],
    *,
    like: os.stat_result | None = None,
    sync_bytes: int | None = None,
) -> Iterator[Path]:
    """Write a ``.tmp`` file beside *path*, durably, for the block to rename or delete.

    Args:
        disk: Where.
        path: The file whose place it may take.
        parts: Its content, piece by piece.
        like: Give it this mode and, where the system allows it, this owner.
        sync_bytes: Sync whenever so much was written, so that others who sync on the same disk
            need not wait for all of it.

    Raises:
        OSError: The system refused. Nothing is left, as when the block fails.
    """
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    fd = disk.open(temporary, create=True, truncate=True)
    try:
        try:
            if like is not None:
                _dress(fd, like)
            _fill(disk, fd, parts, sync_bytes)
        finally:
            disk.close(fd)
        yield temporary
    except BaseException:
        with contextlib.suppress(OSError):  # The first error is the one to tell.
            disk.unlink(temporary)
        raise


def _fill(disk: Disk, fd: int, parts: Iterable[bytes | memoryview], sync_bytes: int | None) -> None:
    """Write all parts, one behind the other, durably."""
    offset = synced = 0
    for part in parts:
        write_all(disk, fd, part, offset)
        offset += len(part)
        if sync_bytes is not None and offset - synced >= sync_bytes:
            disk.fsync(fd)
            synced = offset
    disk.fsync(fd)


def _dress(fd: int, like: os.stat_result) -> None:
    """Give the file the mode and, as far as this process may, the owner of another."""
    own = os.fstat(fd)
    if (own.st_uid, own.st_gid) != (like.st_uid, like.st_gid):
        with contextlib.suppress(PermissionError):
            os.fchown(fd, like.st_uid, like.st_gid)
    os.fchmod(fd, like.st_mode & 0o7777)
