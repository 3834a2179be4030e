"""The journal as one log: append at the live end, make it durable, follow it, read from any place.

Several processes may have one journal open. What they share is in the marks (:mod:`.marks`), and a
place in the journal is a number as it is there. Four kinds of threads use a :class:`Log` at a time:
one writer that appends (the store's locks see to that), one that syncs for all who wait, one that
follows what other processes append, and readers of what is durable already.
"""

import contextlib
import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Final

from vitrina.adapters.journal.disk import Disk, write_all
from vitrina.adapters.journal.marks import (
    APPENDED,
    DURABLE,
    OLDEST,
    RECORDS,
    RECORDS_DURABLE,
)
from vitrina.adapters.journal.presence import Presence
from vitrina.adapters.journal.record import DamagedRecord, Record, Span, decode, inspect
from vitrina.adapters.journal.segments import Segment, cut_off, segment_path
from vitrina.service_layer import metrics
from vitrina.service_layer.metrics import Meters

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
    """The segments of a journal, the last of which is live."""

    def __init__(
        self,
        disk: Disk,
        folder: Path,
        segments: list[Segment],
        presence: Presence,
        *,
        base: int,
        segment_bytes: int,
        meters: Meters,
    ) -> None:
        """Take over segments that were read.

        Args:
            disk: Where they are.
            folder: The folder of the journal.
            segments: At least one, oldest first; what they hold is synced.
            presence: The other processes that have it open.
            base: The place where the last segment begins.
            segment_bytes: A segment that has grown to this size gets a successor.
            meters: Counts what is synced.
        """
        self._commits = meters.counter(metrics.COMMITS)
        self._batches = meters.histogram(metrics.BATCH)
        self._sync_seconds = meters.histogram(metrics.SYNC_SECONDS)
        self._sync_failures = meters.counter(metrics.SYNC_FAILURES)
        self._disk = disk
        self._folder = folder
        self._segments = segments
        self._segment_bytes = segment_bytes
        self._marks = presence.marks
        self._sync_lock = presence.sync
        self._base = base
        # Taken in this order. The thread that appends holds _appending; the one that syncs, or
        # exchanges the live file, holds _syncing; _lock guards the numbers and the list, and is
        # never held while the disk works.
        self._appending = threading.Lock()
        self._syncing = threading.Lock()
        self._lock = threading.Lock()
        self._fd = disk.open(segments[-1].path)
        self._torn = False

    @property
    def end(self) -> int:
        """The place behind the last record that this process knows."""
        with self._lock:
            return self._base + self._segments[-1].size

    @property
    def oldest(self) -> int:
        """The number of the oldest change that is kept."""
        with self._lock:
            self._forget_dropped()
            return self._segments[0].first

    @property
    def size(self) -> int:
        """How many bytes all segments take."""
        with self._lock:
            self._forget_dropped()
            return sum(each.size for each in self._segments)

    def size_after(self, seq: int) -> int:
        """How many bytes the changes after number *seq* take, give or take a few records."""
        with self._lock:
            return sum(each.size_after(seq) for each in self._segments)

    def follow(self, end: int) -> Iterator[tuple[int, int, Record]]:
        """Yield the records up to the place *end* that other processes appended.

        Each comes with the place behind it and its size. It is known from when the next one is asked
        for: one that could not be taken in is yielded again the next time.

        Raises:
            OSError: A segment cannot be read.
            DamagedRecord: A line is not what was written.
        """
        while (missing := end - self.end) > 0:
            live = self._segments[-1]
            data = self._disk.read(live.path, start=live.size, size=missing)
            if not data:
                self._go_on_behind(live)
                continue
            *lines, rest = data.split(b"\n")
            if rest:
                raise DamagedRecord(
                    f"{live.path} ends in mid-line, at byte {live.size + len(data)}"
                )
            for line in lines:
                span = inspect(line)
                if span.seq != live.last + 1:
                    raise DamagedRecord(f"{live.path}: change {span.seq} follows {live.last}")
                size = len(line) + 1
                yield self.end + size, size, decode(line)
                with self._lock:
                    live.grow(span, size)

    def mend(self, aside: Path) -> int:
        """Set aside what a process that died left behind the end; return how many bytes.

        Only the holder of the write lock may, having followed to the end.

        Raises:
            AppendFailed: The system refuses.
            SyncFailed: The end itself is gone.
        """
        with self._appending:
            live = self._segments[-1]
            try:
                left = os.lseek(self._fd, 0, os.SEEK_END) - live.size
                if left > 0:
                    data = self._disk.read(live.path, start=live.size)
                    cut_off(self._disk, live, data, aside, "a process died while it wrote")
            except OSError as error:
                raise AppendFailed(error, passing=True) from error
            if left < 0:
                raise self._fail(f"{live.path} was cut by somebody, by {-left} bytes")
            return left

    def append(self, line: bytes, span: Span) -> None:
        """Write one record at the end. It is not durable before :meth:`sync`.

        Raises:
            AppendFailed: Nothing was appended.
            SyncFailed: It cannot be told what the disk holds.
        """
        with self._appending:
            self._refuse_after_failure()
            if self._torn:
                raise SyncFailed("a torn write could not be taken back")
            live = self._segments[-1]
            if live.size >= self._segment_bytes and live.last >= live.first:
                live = self._exchange(live)
            try:
                write_all(self._disk, self._fd, line, live.size)
            except OSError as error:
                self._take_back_torn(live, error)
                raise AppendFailed(error, passing=error.errno in NO_ROOM) from error
            with self._lock:
                live.grow(span, len(line))
            # A sync that failed meanwhile has cut off what lay behind the durable end by then.
            self._refuse_after_failure()
            self._marks.words[RECORDS] += 1
            self._marks.words[APPENDED] = self._base + live.size

    def sync(self) -> None:
        """Return when all that this process knows of is on the disk.

        Raises:
            SyncFailed: It cannot be told what the disk holds.
        """
        with self._syncing:
            self._sync()

    def take_back(self, last: int) -> None:
        """Cut off what was appended but never synced, which nobody was told of.

        Args:
            last: The number of the last durable change.

        Raises:
            OSError: The system refuses; then a restart may find those changes.
        """
        with self._appending, self._syncing:
            self._sync_lock.wait()
            try:
                durable = self._marks.words[DURABLE]
                with self._lock:
                    live = self._segments[-1]
                    if durable >= self._base + live.size:
                        return
                    live.size, live.last = durable - self._base, last
                self._disk.truncate(self._fd, live.size)
                self._marks.words[APPENDED] = durable
            finally:
                self._sync_lock.release()

    def read(self, after: int) -> Iterator[Record]:
        """Yield the records that reach beyond change *after*, which must be kept still.

        Raises:
            OSError: A segment cannot be read; it may just have been dropped.
            DamagedRecord: A line is not what was written.
        """
        with self._lock:
            self._forget_dropped()
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
            self._forget_dropped()
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
                self._marks.words[OLDEST] = self._segments[0].first
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
        """Sync, unless another process has done so; the caller holds _syncing."""
        end = self.end
        self._sync_lock.wait()
        try:
            self._refuse_after_failure()
            words = self._marks.words
            if words[DURABLE] >= end:
                return
            # A segment gets its successor when all of it is durable, so this lies in the live one.
            appended, records = words[APPENDED], words[RECORDS]
            began = perf_counter()
            try:
                self._disk.fsync(self._fd)
            except OSError as error:
                raise self._fail(f"fsync failed: {error.strerror or error}") from error
            path = self._segments[-1].path
            if not self._disk.is_in_place(self._fd, path):
                # What is written to a file that has no name any more is lost when it is closed.
                raise self._fail(f"{path} was deleted or moved away while it was in use")
            words[DURABLE] = appended
            self._count(perf_counter() - began, records - words[RECORDS_DURABLE])
            words[RECORDS_DURABLE] = records
        finally:
            self._sync_lock.release()

    def _count(self, seconds: float, records: int) -> None:
        self._commits.add(records)
        self._batches.observe(records)
        self._sync_seconds.observe(seconds)

    def _fail(self, reason: str) -> SyncFailed:
        self._sync_failures.add()
        # Said to all processes: a sync that works after one that failed proves nothing.
        self._marks.fail(f"{reason}; look after the disk, then start the service again")
        return SyncFailed(self._marks.failure)

    def _refuse_after_failure(self) -> None:
        if (reason := self._marks.failure) is not None:
            raise SyncFailed(reason)

    def _go_on_behind(self, live: Segment) -> None:
        """Take in that another process has begun the next segment.

        None of this process's threads appends meanwhile: one that does has followed to the end.
        """
        path = segment_path(self._folder, live.last + 1)
        if path == live.path or not path.exists():
            raise DamagedRecord(f"{live.path} ends early, at byte {live.size}")
        with self._syncing:
            fd = self._disk.open(path)
            self._disk.close(self._fd)
            with self._lock:
                self._base += live.size
                self._segments.append(Segment(path, live.last + 1, live.last))
                self._fd = fd

    def _forget_dropped(self) -> None:
        """Take in what another process has deleted; the caller holds _lock."""
        oldest = self._marks.words[OLDEST]
        while len(self._segments) > 1 and self._segments[1].first <= oldest:
            del self._segments[0]

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
                self._base += live.size
                self._segments.append(following)
                self._fd = fd
            self._marks.go_on_in(following.first, self._base)
        return following
