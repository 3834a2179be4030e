"""One service at a time serves a catalog folder, and the folder is on a local disk.

``.vitrina/lock`` is held with ``flock`` for as long as the service runs; the system lets go of
it when the process ends, however it ends, so a lock never outlives its holder and the file may
stay. It tells who holds it: one line, the process id. Deleting the file while a process holds it
takes the protection away. The processes of one service share the folder by further locks
(:mod:`.presence`).
"""

import contextlib
import errno
import fcntl
import os
import time
from pathlib import Path
from typing import Final, Self

from vitrina.service_layer.opening import CannotOpen, InUse

NETWORK_FILE_SYSTEMS: Final = frozenset(
    {
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.glusterfs",
        "fuse.s3fs",
        "fuse.sshfs",
        "fuse.rclone",
        "gfs2",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "smb3",
        "smbfs",
    }
)
"""File systems whose locks and syncs do not mean what the store needs.

``9p`` is not among them: it also carries the local disk of sandboxes and virtual machines.
"""

_PAUSE_S_MIN: Final = 0.000_1
_PAUSE_S_MAX: Final = 0.002

_MOUNTS: Final = Path("/proc/self/mountinfo")


class FileLock:
    """A lock between processes, and between two openings of one process; not between threads.

    The system lets go of it when the process ends, however it ends.
    """

    def __init__(self, path: Path) -> None:
        """Open the lock file at *path*, which is made when it is missing.

        Raises:
            OSError: The system refuses.
        """
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def take(self, *, timeout_s: float = 0.0, shared: bool = False) -> bool:
        """Take it, alone or together with others; False when the time is over.

        Taking it another way than it is held lets go of it first: of two that want it, both may fail.
        """
        wanted = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
        deadline, pause = 0.0, _PAUSE_S_MIN
        while True:
            try:
                fcntl.flock(self._fd, wanted)
            except BlockingIOError:
                # The system's own way of waiting knows no end.
                deadline = deadline or time.monotonic() + timeout_s
                if time.monotonic() >= deadline:
                    return False
                time.sleep(pause)
                pause = min(pause * 2, _PAUSE_S_MAX)
            else:
                return True

    def wait(self) -> None:
        """Take it alone, however long that takes."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def release(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go for good."""
        os.close(self._fd)


class FolderLock:
    """Holds the lock of a catalog folder until it is closed."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @classmethod
    def acquire(cls, path: Path) -> Self:
        """Take the lock file at *path*.

        Raises:
            InUse: Another process holds it.
            OSError: The file cannot be made.
        """
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
            os.close(fd)
            if error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
                raise
            raise InUse(
                f"The catalog {path.parent.parent} is open in another process (pid {holder or '?'}). "
                f"Stop that one first, or send your changes to it over HTTP."
            ) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        return cls(fd)

    def close(self) -> None:
        """Let go. What the file says stays; it means nothing without the lock."""
        os.close(self._fd)


def refuse_network_file_system(folder: Path) -> None:
    """Refuse a folder on a network file system.

    Where the system does not tell (it has no ``/proc/self/mountinfo``), nothing is refused.

    Raises:
        CannotOpen: The folder is on one.
    """
    with contextlib.suppress(OSError):
        kind = file_system_of(folder.resolve(), _MOUNTS.read_text("utf-8", "surrogateescape"))
        if kind in NETWORK_FILE_SYSTEMS:
            raise CannotOpen(
                f"{folder} is on a network file system ({kind}), whose locks and syncs cannot be "
                f"trusted with a catalog. Move the catalog to a local disk."
            )


def file_system_of(folder: Path, mounts: str) -> str:
    """Return the type of the file system that holds *folder*.

    Args:
        folder: An absolute path without symbolic links.
        mounts: The text of ``/proc/self/mountinfo`` (proc_pid_mountinfo(5)); of two mounts on one
            place the later one counts.
    """
    found, longest = "", -1
    for line in mounts.splitlines():
        place, _, rest = line.partition(" - ")
        fields = place.split(" ")
        if len(fields) <= 4:  # noqa: PLR2004 - the fifth field is the mount point
            continue
        point = Path(_unescape(fields[4]))
        if folder.is_relative_to(point) and len(point.parts) >= longest:
            found, longest = rest.split(" ", 1)[0], len(point.parts)
    return found


def _unescape(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text
