"""The durable store: tables in memory, in front of a journal on the disk.

**Commit.** Units of work are serialized by a lock. A unit's changes are a layer over the tables,
or over the layers of the units before it that are still on their way to the disk. ``commit``
appends one record to the journal and lets the next unit begin; then it waits until the record is
synced. The first that waits syncs for all that were appended by then, so many units share one
sync. Only then are their changes applied to the tables, in order, and all of them return: readers
see only what is durable, and a write that was answered is seen by every later read. A unit that
changes nothing or is refused waits in the same way for those whose changes it may have seen.

**Failure.** A unit whose record cannot be written fails with ``StoreReadOnly`` and leaves no trace.
While the disk is full, or no further segment can be made, every unit tries again, so the store
recovers by itself. After a failed sync nobody can tell what the disk holds: the units that waited fail, and
the store stays read-only until it is opened again. Reads go on in every case.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

import structlog

from vitrina.adapters.journal.log import AppendFailed, Log, SyncFailed
from vitrina.adapters.journal.record import (
    RECORD_BYTES_MAX,
    DamagedRecord,
    Record,
    Span,
    encode,
    record_needle,
)
from vitrina.adapters.layered import LayeredCategories, LayeredProducts, TablesView
from vitrina.adapters.tables import Layer, Readable, Remembered, Tables
from vitrina.domain.errors import ChangesGone, StoreBusy, StoreReadOnly
from vitrina.service_layer.changes import Change, Source
from vitrina.service_layer.ports import Answered, Check, CheckStatus

RECENT_CHANGES_MAX: Final = 4_096
RECENT_BYTES_MAX: Final = 16 * 2**20

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLimits:
    """How far the store goes.

    Attributes:
        lock_wait_s: How long a unit of work waits for those before it.
        pending_bytes: How much may be on its way to the disk before units of work have to wait.
        segment_bytes: A segment of the journal that has grown to this size gets a successor.
        checkpoint_bytes: A snapshot is made when the journal has grown by this since the last
            one, and by at least the size of the last one.
        retain_bytes, retain_changes: How much of the journal is kept for those who read the past.
    """

    lock_wait_s: float = 10.0
    pending_bytes: int = 64 * 2**20
    segment_bytes: int = 16 * 2**20
    checkpoint_bytes: int = 16 * 2**20
    retain_bytes: int = 256 * 2**20
    retain_changes: int = 1_000_000


@dataclass(frozen=True, slots=True)
class _Pending:
    """A record that was appended and is not yet durable, and the layer of its unit of work."""

    ticket: int
    record: Record
    layer: Layer
    size: int


class JournalStore:
    """An open store: meets the ports ``ChangeLog`` and, with ``view``, ``CatalogView``.

    Made by :func:`vitrina.adapters.journal.folder.open_store`.
    """

    def __init__(
        self, log: Log, tables: Tables, *, limits: StoreLimits, clock: Callable[[], datetime]
    ) -> None:
        """Take over a recovered log, and the tables as they are at its end."""
        self._log = log
        self._tables = tables
        self._limits = limits
        self._clock = clock
        self.view: Final = TablesView(tables)
        self._writing = threading.Lock()
        # Guards all that follows; notified whenever any of it changes.
        self._state = threading.Condition()
        self._pending: deque[_Pending] = deque()
        self._pending_bytes = 0
        self._tip: Readable = tables
        self._tip_seq = tables.seq
        self._now = tables.at
        self._leading = False
        self._done = 0
        self._lost = 0
        self._broken: str | None = None
        self._refused: str | None = None
        self._recent: list[Change] = []
        self._recent_bytes = 0
        self.appended_bytes = 0
        self.appended_records = 0

    @property
    def seq(self) -> int:
        return self._tables.seq

    @property
    def oldest(self) -> int:
        return self._log.oldest

    def unit_of_work(self, source: Source = Source.API) -> "JournalUnitOfWork":
        """Return a fresh unit of work whose changes are told to come from *source*."""
        return JournalUnitOfWork(self, source)

    def changes(self, after: int, *, limit: int) -> Sequence[Change]:
        with self._state:
            end = self._tables.seq
            if self._recent and after >= self._recent[0].seq - 1:
                start = after - self._recent[0].seq + 1
                return self._recent[start : start + limit]
        if after >= end or limit < 1:
            return []
        return self._read_log(after, min(limit, end - after))

    def history(self, product_id: str, *, before: int | None = None) -> Iterator[Change]:
        end = self._tables.seq + 1 if before is None else min(before, self._tables.seq + 1)
        try:
            for record in self._log.search(record_needle(product_id), before=end):
                for change in reversed(record.changes):
                    mine = change.id == product_id and change.type.startswith("product.")
                    if mine and change.seq < end:
                        yield change
        except (OSError, DamagedRecord) as error:
            # The past that is older than this is gone, as it is where a segment was dropped.
            _log.warning("the past ends early", product=product_id, reason=str(error))

    def wait(self, after: int, *, timeout_s: float) -> bool:
        with self._state:
            return self._state.wait_for(lambda: self._tables.seq > after, timeout_s)

    def checks(self) -> list[Check]:
        """Tell how the store is."""
        with self._state:
            reason = self._broken or self._refused
        if reason is None:
            return [Check("store", CheckStatus.PASS)]
        return [Check("store", CheckStatus.WARN, f"The catalog is read-only: {reason}")]

    def stop(self, reason: str) -> None:
        """Take no further writes; those under way are finished first.

        Raises:
            StoreBusy: A unit of work does not end.
        """
        if not self._writing.acquire(timeout=self._limits.lock_wait_s):
            raise StoreBusy(self._limits.lock_wait_s)
        try:
            with contextlib.suppress(StoreReadOnly):  # Those who wait are told.
                self._wait_until_durable(self._log.appended)
        finally:
            with self._state:
                self._broken = self._broken or reason
                self._state.notify_all()
            self._writing.release()

    def begin(self) -> tuple[Layer, datetime]:
        """Let one unit of work in: return its layer and its time."""
        if not self._writing.acquire(timeout=self._limits.lock_wait_s):
            raise StoreBusy(self._limits.lock_wait_s)
        try:
            with self._state:
                self._wait_for_room()
                # A clock that was set back must not make a later change look earlier.
                self._now = max(self._clock().astimezone(UTC), self._now)
                return Layer(self._tip), self._now
        except BaseException:
            self._writing.release()
            raise

    def end(self) -> None:
        """Let the next unit of work in, and wait until all that this one saw is durable.

        One that changed nothing, or was refused, may have seen what is still on its way to the
        disk. Whoever is told what follows from that must find it in every later read.
        """
        ticket = self._log.appended
        self._writing.release()
        self._wait_until_durable(ticket)

    def commit(self, layer: Layer, now: datetime, source: Source) -> int:
        """Append what the unit of work did, let the next one in, and wait until it is durable."""
        if not layer.touched:
            self.end()
            return self._tables.seq
        try:
            ticket = self._append(layer, now, source)
        finally:
            self._writing.release()
        self._wait_until_durable(ticket)
        return self._tables.seq

    def _wait_for_room(self) -> None:
        def ready() -> bool:
            return self._broken is not None or self._pending_bytes < self._limits.pending_bytes

        if not self._state.wait_for(ready, self._limits.lock_wait_s):
            raise StoreBusy(self._limits.lock_wait_s)
        if self._broken is not None:
            raise StoreReadOnly(self._broken)

    def _append(self, layer: Layer, now: datetime, source: Source) -> int:
        changes = layer.numbered(self._tip_seq, now, source)
        span = Span(self._tip_seq + 1, self._tip_seq + len(changes), self._tables.seq)
        answers = tuple(Remembered(key, now, each) for key, each in layer.answers.items())
        record = Record(span, now, source, tuple(changes), answers)
        line = encode(record)
        if len(line) > RECORD_BYTES_MAX:
            raise StoreReadOnly(
                f"one change of {len(line)} bytes is more than the {RECORD_BYTES_MAX} allowed"
            )
        self._write(line, span)
        with self._state:
            if self._log.appended <= self._lost:
                raise StoreReadOnly(str(self._broken))  # A sync failed just now.
            # What was pending when this unit began may be durable by now.
            layer.rest_on(self._pending[-1].layer if self._pending else self._tables)
            ticket = self._log.appended
            self._pending.append(_Pending(ticket, record, layer, len(line)))
            self._pending_bytes += len(line)
            self.appended_bytes += len(line)
            self.appended_records += 1
            self._tip, self._tip_seq = layer, span.last
            self._refused = None
        return ticket

    def _write(self, line: bytes, span: Span) -> None:
        with self._state:
            if self._broken is not None:
                raise StoreReadOnly(self._broken)
        try:
            self._log.append(line, span)
        except AppendFailed as error:
            reason = f"the journal cannot be written: {error}"
            with self._state:
                if error.passing:
                    self._refused = reason
                    _log.error("write refused", reason=reason)
                else:
                    self._break(reason)
            raise StoreReadOnly(reason) from error
        except SyncFailed as error:
            with self._state:
                self._break(error)
            raise StoreReadOnly(str(self._broken)) from error

    def _wait_until_durable(self, ticket: int) -> None:
        while self._must_lead(ticket):
            try:
                self._lead()
            finally:
                with self._state:
                    self._leading = False
                    self._state.notify_all()

    def _must_lead(self, ticket: int) -> bool:
        """Wait until the record is durable, or until it is this thread's turn to sync."""
        with self._state:
            while self._done < ticket:
                if ticket <= self._lost:
                    raise StoreReadOnly(str(self._broken))
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
            self._settle()
            self._give_up(error)
        else:
            self._settle()

    def _settle(self) -> None:
        """Apply what is on the disk, in order; only the leader does."""
        synced = self._log.synced
        with self._state:
            durable = [each for each in self._pending if each.ticket <= synced]
        for each in durable:
            self._tables.apply(each.record.changes)
            self._tables.remember(each.record.answers, each.record.at)
        with self._state:
            for each in durable:
                self._pending.popleft()
                self._pending_bytes -= each.size
                self._done = each.ticket
                self._remember_recent(each)
            if self._pending:
                self._pending[0].layer.rest_on(self._tables)
            else:
                self._tip = self._tables
            self._state.notify_all()

    def _give_up(self, error: SyncFailed) -> None:
        """Drop what was appended and may not be on the disk; only the leader does."""
        with self._state:
            self._break(error)
            self._lost = self._log.appended
            self._pending.clear()
            self._pending_bytes = 0
            self._tip, self._tip_seq = self._tables, self._tables.seq
        try:
            self._log.take_back()
        except OSError as second:
            _log.error("unsynced records stay in the journal", reason=str(second))

    def _break(self, reason: object) -> None:
        """Turn read-only for good."""
        if self._broken is None:
            self._broken = f"{reason}; look after the disk, then start the service again"
            _log.error("the store is read-only", reason=self._broken)
        self._state.notify_all()

    def _remember_recent(self, pending: _Pending) -> None:
        self._recent.extend(pending.record.changes)
        self._recent_bytes += pending.size
        if len(self._recent) > RECENT_CHANGES_MAX or self._recent_bytes > RECENT_BYTES_MAX:
            keep = min(len(self._recent), RECENT_CHANGES_MAX) // 2
            self._recent_bytes = self._recent_bytes * keep // len(self._recent)
            del self._recent[: len(self._recent) - keep]

    def _read_log(self, after: int, limit: int) -> list[Change]:
        if after + 1 < self._log.oldest:
            raise ChangesGone(after, oldest=self._log.oldest)
        found: list[Change] = []
        try:
            for record in self._log.read(after):
                found.extend(each for each in record.changes if each.seq > after)
                if len(found) >= limit:
                    break
        except (OSError, DamagedRecord) as error:
            _log.error("the journal cannot be read", after=after, reason=str(error))
            raise ChangesGone(after, oldest=max(self._log.oldest, after + 2)) from error
        return found[:limit]


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
