"""The durable store: tables in memory, in front of a journal on the disk.

**Commit.** Units of work are serialized by a lock, over all processes that have the store open. A
unit's changes are a layer over the tables, or over the layers of the units before it that are still
on their way to the disk. ``commit`` appends one record to the journal and lets the next unit begin;
then it waits until the record is synced. The first that waits syncs for all that were appended by
then, whichever process they are of, so many units share one sync. Only then are their changes
applied to the tables, in order, and all of them return: readers see only what is durable, and a
write that was answered is seen by every later read. A unit that changes nothing or is refused waits
in the same way for those whose changes it may have seen.

**Following.** How far the journal is durable is a number that all processes share. Every read looks
at it first, and when it has moved, takes in what has become durable since: from memory where this
process wrote it, from the journal where another one did. So a write that one process has answered is
seen by every later read of every other.

**Failure.** A unit whose record cannot be written fails with ``StoreReadOnly`` and leaves no trace.
While the disk is full, or no further segment can be made, every unit tries again, so the store
recovers by itself. After a failed sync nobody can tell what the disk holds: the units that waited fail, and
the store stays read-only, in every process, until it is recovered. Reads go on in every case.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog

from vitrina.adapters.journal.log import AppendFailed, Log, SyncFailed
from vitrina.adapters.journal.marks import APPENDED, DURABLE, Notice
from vitrina.adapters.journal.past import read_changes, read_history
from vitrina.adapters.journal.presence import Presence
from vitrina.adapters.journal.recent import Recent
from vitrina.adapters.journal.record import (
    RECORD_BYTES_MAX,
    DamagedRecord,
    Record,
    Span,
    encode,
)
from vitrina.adapters.journal.underway import Pending, Underway
from vitrina.adapters.layered import LayeredCategories, LayeredProducts, TablesView
from vitrina.adapters.layers import Layer
from vitrina.adapters.tables import Remembered, Tables
from vitrina.domain.errors import StoreBusy, StoreReadOnly, StoreUnreadable
from vitrina.service_layer import metrics
from vitrina.service_layer.changes import Change, Source
from vitrina.service_layer.metrics import Figure
from vitrina.service_layer.ports import Answered, Check, CheckStatus
from vitrina.service_layer.together import attempt

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLimits:
    """How far the store goes.

    Attributes:
        lock_wait_s: How long a unit of work waits for those before it.
        pending_bytes: How much may be on its way to the disk before units of work have to wait.
        segment_bytes: A segment of the journal that has grown to this size gets a successor.
        checkpoint_bytes: A snapshot is made when the journal has grown by this since the last
            one, and by at least a quarter of its size.
        retain_bytes, retain_changes: How much of the journal is kept for those who read the past.
    """

    lock_wait_s: float = 10.0
    pending_bytes: int = 64 * 2**20
    segment_bytes: int = 16 * 2**20
    checkpoint_bytes: int = 16 * 2**20
    retain_bytes: int = 256 * 2**20
    retain_changes: int = 1_000_000


class JournalStore:
    """An open store: meets the ports ``ChangeLog`` and, with ``view``, ``CatalogView``.

    Made by :func:`vitrina.adapters.journal.folder.open_store`.
    """

    def __init__(
        self,
        log: Log,
        tables: Tables,
        presence: Presence,
        *,
        aside: Path,
        limits: StoreLimits,
        clock: Callable[[], datetime],
    ) -> None:
        """Take over a log, and the tables as they are at its end."""
        self._log = log
        self._tables = tables
        self._write_lock = presence.write
        self._marks = presence.marks
        self._aside = aside
        self._limits = limits
        self._clock = clock
        self.view: Final = TablesView(tables, self.catch_up)
        self._writing = threading.Lock()
        # Guards all that follows, and the tables; notified whenever any of it changes.
        self._state = threading.Condition()
        self._seen = log.end
        self._underway = Underway(tables)
        self._now = tables.at
        self._leading = False
        self._lost = False
        self._told = False
        # Which thread has one turn for several units of work, and whether the first one has taken in
        # what others appended: nobody appends more meanwhile.
        self._turn_of: int | None = None
        self._caught_up = False
        # How far the journal reached with what the present turn has seen and done; of the one that
        # has the turn. The log's own end moves back when a sync fails, and others may be told of that
        # while this turn goes on.
        self._reached = 0
        self._closed: str | None = None
        self._behind: str | None = None
        self._recent = Recent()
        self.appended_records = 0

    @property
    def seq(self) -> int:
        self.catch_up()
        return self._tables.seq

    @property
    def oldest(self) -> int:
        return self._log.oldest

    def unit_of_work(self, source: Source = Source.API) -> "JournalUnitOfWork":
        """Return a fresh unit of work whose changes are told to come from *source*."""
        return JournalUnitOfWork(self, source)

    def changes(self, after: int, *, limit: int) -> Sequence[Change]:
        self.catch_up()
        with self._state:
            end = self._tables.seq
            recent = self._recent.after(after, limit)
        if recent is not None:
            return recent
        if after >= end or limit < 1:
            return []
        return read_changes(self._log, after, limit=min(limit, end - after))

    def history(self, product_id: str, *, before: int | None = None) -> Iterator[Change]:
        end = self.seq + 1
        end = end if before is None else min(before, end)
        return read_history(self._log, product_id, before=end)

    def wait(self, after: int, *, timeout_s: float) -> bool:
        with contextlib.suppress(StoreUnreadable):  # Nothing new, then; it may pass.
            self.catch_up()
        with self._state:
            return self._state.wait_for(lambda: self._tables.seq > after, timeout_s)

    def checks(self) -> list[Check]:
        """Tell how the store is."""
        if self._behind is not None:
            return [Check("store", CheckStatus.FAIL, f"The journal cannot be read: {self._behind}")]
        reason = self._refusal() or self._marks.said(Notice.REFUSED)
        if reason is None:
            return [Check("store", CheckStatus.PASS)]
        return [Check("store", CheckStatus.WARN, f"The catalog is read-only: {reason}")]

    def figures(self) -> list[Figure]:
        """Tell how far the store is, and whether it takes writes; it also does when it is unreadable."""
        with contextlib.suppress(
            StoreUnreadable
        ):  # Told by the checks; these are the last numbers.
            self.catch_up()
        failed = self._marks.failure is not None
        full = self._marks.said(Notice.REFUSED) is not None
        return [
            Figure(metrics.SEQ, self._tables.seq),
            Figure(metrics.OLDEST_SEQ, self.oldest),
            Figure(metrics.JOURNAL_BYTES, self._log.size),
            Figure(metrics.PRODUCTS, self._tables.count),
            Figure(metrics.READ_ONLY, failed, ("failed",)),
            Figure(metrics.READ_ONLY, full and not failed, ("refused",)),
        ]

    def catch_up(self) -> None:
        """Take in what has become durable, so that a read that follows sees it.

        Raises:
            StoreUnreadable: The journal cannot be read, or what is in it is not what was written.
        """
        if self._marks.words[DURABLE] != self._seen:
            with self._state:
                self._settle()

    def sync(self) -> None:
        """Make durable what other processes have appended, too.

        Raises:
            StoreReadOnly: The disk does not let it.
        """
        self._take_turn()
        try:
            with self._state:
                self._take_in_appended()
                end = self._log.end
                self._refuse()  # Else it may be the end after a loss.
        finally:
            self._give_turn()
        self._wait_until_durable(end)

    def stop(self, reason: str) -> None:
        """Take no further writes; those under way are finished first.

        Raises:
            StoreBusy: A unit of work does not end.
        """
        if not self._writing.acquire(timeout=self._limits.lock_wait_s):
            raise StoreBusy(self._limits.lock_wait_s)
        try:
            with contextlib.suppress(StoreReadOnly):  # Those who wait are told.
                self._wait_until_durable(self._log.end)
        finally:
            with self._state:
                self._closed = self._closed or reason
                self._state.notify_all()
            self._writing.release()

    def run_together[T](self, jobs: Sequence[Callable[[], T]], /) -> list[T | Exception]:
        """Run jobs in one turn, and sync once for all of them: meets the port ``Together``."""
        done: list[tuple[T | Exception, int]] = []
        self._take_turn()
        self._turn_of, self._caught_up, self._reached = threading.get_ident(), False, 0
        try:
            done.extend((attempt(job), self._reached) for job in jobs)
            end = self._reached
        finally:
            self._turn_of = None
            self._give_turn()
        try:
            self._wait_until_durable(end)
        except (StoreReadOnly, StoreUnreadable) as error:
            return [outcome if end <= self._seen else error for outcome, end in done]
        return [outcome for outcome, _ in done]

    def begin(self) -> tuple[Layer, datetime]:
        """Let one unit of work in: return its layer and its time."""
        if self._has_turn() and self._underway.size >= self._limits.pending_bytes:
            self._wait_until_durable(self._log.end)  # Nobody else waits for what this turn did.
        self._take_turn()
        try:
            with self._state:
                if self._has_turn() and self._caught_up:
                    self._refuse()
                else:
                    self._take_in_appended()
                    self._caught_up = True
                self._reached = self._log.end
                self._wait_for_room()  # Refuses when that was the end after a loss.
                # A clock that was set back must not make a later change look earlier.
                self._now = max(self._clock().astimezone(UTC), self._now)
                return Layer(self._underway.tip), self._now
        except BaseException:
            self._give_turn()
            raise

    def end(self) -> int:
        """Let the next unit of work in, and wait until all that this one saw is durable.

        One that changed nothing, or was refused, may have seen what is still on its way to the
        disk. Whoever is told what follows from that must find it in every later read.
        """
        end = self._reached
        self._give_turn()
        return self._wait_to_tell(end)

    def commit(self, layer: Layer, now: datetime, source: Source) -> int:
        """Append what the unit of work did, let the next one in, and wait until it is durable."""
        if not layer.touched:
            return self.end()
        try:
            self._reached = end = self._append(layer, now, source)
        finally:
            self._give_turn()
        return self._wait_to_tell(end)

    def _has_turn(self) -> bool:
        """Say whether this thread has taken one turn for several units of work."""
        return self._turn_of == threading.get_ident()

    def _take_turn(self) -> None:
        """Wait until no other unit of work is under way, in this process and in the others."""
        if self._has_turn():
            return
        if not self._writing.acquire(timeout=self._limits.lock_wait_s):
            raise StoreBusy(self._limits.lock_wait_s)
        taken = False
        try:
            taken = self._write_lock.take(timeout_s=self._limits.lock_wait_s)
        finally:
            if not taken:
                self._writing.release()
        if not taken:
            raise StoreBusy(self._limits.lock_wait_s)

    def _give_turn(self) -> None:
        if self._has_turn():
            return
        self._write_lock.release()
        self._writing.release()

    def _take_in_appended(self) -> None:
        """Take in what other processes have appended, durable or not: a unit builds on it."""
        self._refuse()
        try:
            self._settle()
            for end, size, record in self._log.follow(self._marks.words[APPENDED]):
                layer = Layer(self._underway.tip)
                layer.take_in(record.changes, record.answers)
                self._underway.push(Pending(end, record, layer, size))
                self._now = max(self._now, record.at)
            if left := self._log.mend(self._aside):
                _log.warning("a process died while it wrote", bytes=left)
        except (OSError, DamagedRecord) as error:
            raise StoreReadOnly(f"the journal cannot be read: {error}") from error
        except StoreUnreadable as error:
            raise StoreReadOnly(error.reason) from error
        except (AppendFailed, SyncFailed) as error:
            raise StoreReadOnly(f"the journal cannot be written: {error}") from error

    def _wait_for_room(self) -> None:
        def ready() -> bool:
            return self._refusal() is not None or self._underway.size < self._limits.pending_bytes

        if not self._state.wait_for(ready, self._limits.lock_wait_s):
            raise StoreBusy(self._limits.lock_wait_s)
        self._refuse()

    def _append(self, layer: Layer, now: datetime, source: Source) -> int:
        tip = self._underway.tip_seq
        changes = layer.numbered(tip, now, source)
        span = Span(tip + 1, tip + len(changes), self._tables.seq)
        answers = tuple(Remembered(key, now, each) for key, each in layer.answers.items())
        record = Record(span, now, source, tuple(changes), answers)
        line = encode(record)
        if len(line) > RECORD_BYTES_MAX:
            raise StoreReadOnly(
                f"one change of {len(line)} bytes is more than the {RECORD_BYTES_MAX} allowed"
            )
        end = self._log.end + len(line)
        with self._state:
            # Before it is in the journal: as soon as it is, another process may make it durable.
            self._underway.push(Pending(end, record, layer, len(line)))
        try:
            self._write(line, span)
        except BaseException:
            with self._state:
                self._underway.pop()
                self._state.notify_all()
            raise
        with self._state:
            if self._lost:
                raise StoreReadOnly(str(self._refusal()))  # A sync failed just now.
            self.appended_records += 1
            self._marks.say(Notice.REFUSED, None)
        return end

    def _write(self, line: bytes, span: Span) -> None:
        self._refuse()
        try:
            self._log.append(line, span)
        except AppendFailed as error:
            reason = f"the journal cannot be written: {error}"
            with self._state:
                if error.passing:
                    self._marks.say(Notice.REFUSED, reason)
                    _log.error("write refused", reason=reason)
                else:
                    self._break(reason)
            raise StoreReadOnly(reason) from error
        except SyncFailed as error:
            with self._state:
                self._break(error)
            raise StoreReadOnly(str(self._refusal())) from error

    def _wait_to_tell(self, end: int) -> int:
        """Wait until the place is durable, unless that is waited for at the end of the turn.

        Returns:
            The number of the last change that the unit of work has seen or made.
        """
        if self._has_turn():
            return self._underway.tip_seq
        self._wait_until_durable(end)
        return self._tables.seq

    def _wait_until_durable(self, end: int) -> None:
        while self._must_lead(end):
            try:
                self._lead()
            finally:
                with self._state:
                    self._leading = False
                    self._state.notify_all()

    def _must_lead(self, end: int) -> bool:
        """Wait until the place is durable, or until it is this thread's turn to sync."""
        with self._state:
            while self._seen < end:
                if self._lost:
                    raise StoreReadOnly(str(self._refusal()))
                if not self._leading:
                    self._leading = True
                    return True
                self._state.wait()
            return False

    def _lead(self) -> None:
        """Sync for all who wait, and make what is durable visible."""
        try:
            self._log.sync()
        except SyncFailed as error:
            self.catch_up()
            self._give_up(error)
        else:
            self.catch_up()

    def _settle(self) -> None:
        """Apply what is durable, in order; the caller holds the state."""
        durable = self._marks.words[DURABLE]
        if durable == self._seen:
            return
        try:
            for pending in self._underway.settle(durable):
                self._apply(pending.record, pending.size)
            for _, size, record in self._log.follow(durable):
                self._apply(record, size)
        except (OSError, DamagedRecord, StoreUnreadable) as error:
            if self._behind is None:
                _log.error("the journal cannot be followed", reason=str(error))
            self._behind = str(error)
            raise StoreUnreadable(f"the journal cannot be read: {error}") from error
        self._underway.rest()
        self._seen, self._behind = durable, None
        self._state.notify_all()

    def _apply(self, record: Record, size: int) -> None:
        self._tables.apply(record.changes)
        self._tables.remember(record.answers, record.at)
        self._recent.add(record.changes, size)
        self._now = max(self._now, record.at)

    def _give_up(self, error: SyncFailed) -> None:
        """Drop what was appended and may not be on the disk; only the leader does."""
        with self._state:
            self._break(error)
            self._lost = True
            self._underway.clear()
        try:
            self._log.take_back(self._tables.seq)
        except OSError as second:
            _log.error("unsynced records stay in the journal", reason=str(second))

    def _break(self, reason: object) -> None:
        """Turn read-only for good, in every process."""
        self._marks.fail(f"{reason}; look after the disk, then start the service again")
        if not self._told:
            self._told = True
            _log.error("the store is read-only", reason=self._marks.failure)
        self._state.notify_all()

    def _refusal(self) -> str | None:
        """Return why nothing can be written, or None."""
        return self._marks.failure or self._closed

    def _refuse(self) -> None:
        if (reason := self._refusal()) is not None:
            raise StoreReadOnly(reason)


class JournalUnitOfWork:
    """A transaction on the store."""

    products: LayeredProducts
    categories: LayeredCategories

    def __init__(self, store: JournalStore, source: Source) -> None:
        self._store = store
        self._source = source
        self._inside = False
        self._layer: Layer
        self._now: datetime

    def __enter__(self) -> Self:
        self._layer, self._now = self._store.begin()
        self._inside = True
        self.products = LayeredProducts(self._layer, self._now)
        self.categories = LayeredCategories(self._layer)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        if self._inside:
            self._inside = False
            self._store.end()

    def answered(self, key: str) -> Answered | None:
        return self._layer.answered(key, self._now)

    def remember(self, key: str, answer: Answered) -> None:
        self._layer.answers[key] = answer

    def commit(self) -> int:
        self._inside = False
        return self._store.commit(self._layer, self._now, self._source)
