"""The journal as one log: append at the live end, make it durable, read from any place.

Three kinds of threads use a :class:`Log` at a time: one writer that appends (the store's lock sees
to that), one that syncs for all who wait, and readers of what is durable already.
"""

import contextlib
import errno
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from vitrina.adapters.journal.disk import Disk, write_all
from vitrina.adapters.journal.record import Record, Span
from vitrina.adapters.journal.segments import Segment, segment_path

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NO_DESCRIPTOR: Final = frozenset({errno.EMFILE, errno.ENFILE})


class AppendFailed(Exception):
    """The system refused a write; the journal is as it was before.

    Attributes:
        passing: It may work again when there is room, a free descriptor, or permission.
    """

    def __init__(self, error: OSError, *, passing: bool) -> None:
        super().__init__(error.strerror or str(error))
        self.passing = passing


class SyncFailed(Exception):
    """What the disk holds is unknown from now on; only a restart finds out."""


class Log:
    """The segments of a journal, the last of which is live.

    Attributes:
        appended: How many records were appended since this log was opened.
        synced: How many of them are known to be on the disk.
    """

    def __init__(
        self, disk: Disk, folder: Path, segments: list[Segment], *, segment_bytes: int
    ) -> None:
        """Take over recovered segments.

        Args:
            disk: Where they are.
            folder: The folder of the journal.
            segments: At least one, oldest first, all synced.
            segment_bytes: A segment that has grown to this size gets a successor.
        """
        self.appended = 0
        self.synced = 0
        self._disk = disk
        self._folder = folder
        self._segments = segments
        self._segment_bytes = segment_bytes
        # Taken in this order. The thread that appends holds _appending; the one that syncs, or
        # exchanges the live file, holds _syncing; _lock guards the numbers and the list, and is
        # never held while the disk works.
        self._appending = threading.Lock()
        self._syncing = threading.Lock()
        self._lock = threading.Lock()
        self._fd = disk.open(segments[-1].path)
        self._kept = (segments[-1].size, segments[-1].last)
        self._torn = False
        self._failed: SyncFailed | None = None

    @property
    def oldest(self) -> int:
        """The number of the oldest change that is kept."""
        with self._lock:
            return self._segments[0].first

    @property
    def size(self) -> int:
        """How many bytes all segments take."""
        with self._lock:
            return sum(each.size for each in self._segments)

    def append(self, line: bytes, span: Span) -> None:
        """Write one record at the end. It is not durable before :meth:`sync`.

        Raises:
            AppendFailed: Nothing was appended.
            SyncFailed: It cannot be told what the disk holds.
        """
        with self._appending:
            if self._torn or self._failed:
                raise self._failed or SyncFailed("a torn write could not be taken back")
            live = self._segments[-1]
            if live.size >= self._segment_bytes and live.last >= live.first:
                live = self._exchange(live)
            try:
                write_all(self._disk, self._fd, line, live.size)
            except OSError as error:
                self._take_back_torn(live, error)
                raise AppendFailed(error, passing=error.errno in NO_ROOM) from error
            with self._lock:
                # A sync that failed meanwhile has already told how much was appended.
                if self._failed:
                    raise self._failed
                live.grow(span, len(line))
                self.appended += 1

    def sync(self) -> None:
        """Return when all that was appended before the call is on the disk.

        Raises:
            SyncFailed: It cannot be told what the disk holds.
        """
        with self._syncing:
            self._sync()

    def take_back(self) -> None:
        """Cut off what was appended but never synced, which nobody was told of.

        Raises:
            OSError: The system refuses; then a restart may find those changes.
        """
        with self._appending, self._syncing:
            with self._lock:
                live = self._segments[-1]
                live.size, live.last = self._kept
            self._disk.truncate(self._fd, live.size)

    def read(self, after: int) -> Iterator[Record]:
        """Yield the records that reach beyond change *after*, which must be kept still.

        Raises:
            OSError: A segment cannot be read; it may just have been dropped.
            DamagedRecord: A line is not what was written.
        """
        with self._lock:
            segments = [each for each in self._segments if each.last > after]
        for segment in segments:
            yield from segment.records(after)

    def search(self, needle: bytes, *, before: int) -> Iterator[Record]:
        """Yield the records below change *before* whose lines hold *needle*, newest first.

        Every kept segment is searched: there is no index, so nothing has to be kept in step.

        Raises:
            OSError: A segment cannot be read; it may just have been dropped.
            DamagedRecord: A line is not what was written.
        """
        with self._lock:
            segments = [each for each in reversed(self._segments) if each.first < before]
        for segment in segments:
            yield from segment.records_with(needle)

    def drop(self, *, needed_after: int, bytes_max: int, changes_max: int) -> int:
        """Delete the oldest segments that no start needs and that exceed what is to be kept.

        Args:
            needed_after: The changes that follow this number are needed for the next start.
            bytes_max: How many bytes are kept for those who read the past.
            changes_max: How many changes are kept for them.

        Returns:
            How many were deleted.

        Raises:
            OSError: The system refuses to delete one.
        """
        dropped = 0
        while True:
            with self._lock:
                oldest, newest = self._segments[0], self._segments[-1]
                size = sum(each.size for each in self._segments)
                too_much = size > bytes_max or newest.last - oldest.first + 1 > changes_max
                if oldest is newest or oldest.last > needed_after or not too_much:
                    return dropped
                del self._segments[0]
            with contextlib.suppress(FileNotFoundError):
                self._disk.unlink(oldest.path)
            # One by one: a crash must not bring an older segment back without the next one.
            self._disk.fsync_folder(self._folder)
            dropped += 1

    def close(self) -> None:
        with self._syncing:
            self._disk.close(self._fd)

    def _take_back_torn(self, live: Segment, error: OSError) -> None:
        try:
            self._disk.truncate(self._fd, live.size)
        except OSError as second:
            # The records before the torn one are whole: they can still be synced.
            self._torn = True
            raise SyncFailed(f"a torn write could not be taken back: {second}") from error

    def _sync(self) -> None:
        if self._failed:
            raise self._failed  # A sync that works after one that failed proves nothing.
        with self._lock:
            appended = self.appended
            kept = (self._segments[-1].size, self._segments[-1].last)
        try:
            self._disk.fsync(self._fd)
        except OSError as error:
            raise self._fail(f"fsync failed: {error.strerror or error}") from error
        path = self._segments[-1].path
        if not self._disk.is_in_place(self._fd, path):
            # What is written to a file that has no name any more is lost when it is closed.
            raise self._fail(f"{path} was deleted or moved away while it was in use")
        self.synced, self._kept = appended, kept

    def _fail(self, reason: str) -> SyncFailed:
        with self._lock:
            self._failed = SyncFailed(reason)
            return self._failed

    def _exchange(self, live: Segment) -> Segment:
        """Make the next segment the live one, once the present one is on the disk for good."""
        with self._syncing:
            self._sync()
            path = segment_path(self._folder, live.last + 1)
            try:
                fd = self._disk.open(path, create=True, truncate=True)
            except OSError as error:
                raise AppendFailed(error, passing=True) from error
            try:
                self._disk.fsync_folder(self._folder)
            except OSError as error:
                self._disk.close(fd)
                if error.errno in NO_DESCRIPTOR:  # It was not even tried.
                    raise AppendFailed(error, passing=True) from error
                raise self._fail(f"fsync failed: {error.strerror or error}") from error
            self._disk.close(self._fd)
            following = Segment(path, live.last + 1, live.last)
            with self._lock:
                self._segments.append(following)
                self._fd = fd
                self._kept = (0, live.last)
        return following
