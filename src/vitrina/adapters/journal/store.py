"""The durable store: tables in memory, in front of a journal on the disk.

**Commit.** Units of work are let in one at a time (:mod:`.turns`). A unit's changes are a layer over the
tables, or over the layers of the units before it that are still on their way to the disk
(:mod:`.underway`). ``commit`` appends one record to the journal and lets the next unit begin; then it waits
until the record is synced, which is done once for many (:mod:`.syncs`). Only then are its changes
applied to the tables, in order, and all of them return (:mod:`.visible`): readers see only what is
durable, and a write that one process has answered is seen by every later read of every other. A unit
that changes nothing or is refused waits in the same way for those whose changes it may have seen.

**Failure.** A unit whose record cannot be written fails with ``StoreReadOnly`` and leaves no trace.
While the disk is full, or no further segment can be made, every unit tries again, so the store
recovers by itself. After a failed sync it stays read-only, in every process, until it is recovered.
Reads go on in every case.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from vitrina.adapters.journal.log import AppendFailed, Log, SyncFailed
from vitrina.adapters.journal.marks import Notice
from vitrina.adapters.journal.past import read_changes, read_history
from vitrina.adapters.journal.presence import Presence
from vitrina.adapters.journal.record import (
    RECORD_BYTES_MAX,
    DamagedRecord,
    Record,
    Span,
    encode,
)
from vitrina.adapters.journal.syncs import Syncs
from vitrina.adapters.journal.turns import Turns
from vitrina.adapters.journal.underway import Pending
from vitrina.adapters.journal.visible import Visible
from vitrina.adapters.layers import Layer
from vitrina.adapters.remembered import Remembered
from vitrina.adapters.tables import Tables
from vitrina.adapters.tables_view import TablesView
from vitrina.adapters.unit_of_work import LayeredUnitOfWork
from vitrina.domain.errors import StoreBusy, StoreReadOnly, StoreUnreadable
from vitrina.service_layer import metrics
from vitrina.service_layer.changes import Change, Source
from vitrina.service_layer.metrics import Figure
from vitrina.service_layer.ports import Check, CheckStatus
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

    Attributes:
        view: Reads the catalog.
        catch_up: Takes in what has become durable; see :meth:`.Visible.catch_up`.
        appended_records: How many units of work of this process changed something.
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
        self._marks = presence.marks
        self._aside = aside
        self._limits = limits
        self._clock = clock
        self._visible = Visible(log, presence.marks, tables)
        self._changed = self._visible.changed
        self._underway = self._visible.underway
        self._syncs = Syncs(log, presence.marks, self._visible)
        self._turns = Turns(presence.write, limits.lock_wait_s)
        self.catch_up: Final = self._visible.catch_up
        self.view: Final = TablesView(tables, self.catch_up)
        self.appended_records = 0

    @property
    def seq(self) -> int:
        self.catch_up()
        return self._tables.seq

    @property
    def oldest(self) -> int:
        return self._log.oldest

    def unit_of_work(self, source: Source = Source.API) -> LayeredUnitOfWork:
        """Return a fresh unit of work whose changes are told to come from *source*."""
        return LayeredUnitOfWork(self, source)

    def changes(self, after: int, *, limit: int) -> Sequence[Change]:
        self.catch_up()
        with self._changed:
            end = self._tables.seq
            recent = self._visible.recent.after(after, limit)
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
        with self._changed:
            return self._changed.wait_for(lambda: self._tables.seq > after, timeout_s)

    def checks(self) -> list[Check]:
        """Tell how the store is."""
        if (trouble := self._visible.trouble) is not None:
            return [Check("store", CheckStatus.FAIL, f"The journal cannot be read: {trouble}")]
        reason = self._syncs.refusal or self._marks.said(Notice.REFUSED)
        if reason is None:
            return [Check("store", CheckStatus.PASS)]
        return [Check("store", CheckStatus.WARN, f"The catalog is read-only: {reason}")]

    def figures(self) -> list[Figure]:
        """Tell how far the store is, and whether it takes writes; it also does when it is unreadable."""
        # Told by the checks; these are the last numbers.
        with contextlib.suppress(StoreUnreadable):
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

    def sync(self) -> None:
        """Make durable what other processes have appended, too.

        Raises:
            StoreReadOnly: The disk does not let it.
        """
        self._turns.take()
        try:
            with self._changed:
                self._take_in_appended()
                end = self._log.end
                self._syncs.refuse()  # Else it may be the end after a loss.
        finally:
            self._turns.give()
        self._syncs.wait_until_durable(end)

    def stop(self, reason: str) -> None:
        """Take no further writes; those under way are finished first.

        Raises:
            StoreBusy: A unit of work does not end.
        """
        with self._turns.none_here():
            try:
                with contextlib.suppress(StoreReadOnly):  # Those who wait are told.
                    self._syncs.wait_until_durable(self._log.end)
            finally:
                self._syncs.close(reason)

    def run_together[T](self, jobs: Sequence[Callable[[], T]], /) -> list[T | Exception]:
        """Run jobs in one turn, and sync once for all of them: meets the port ``Together``."""
        done: list[tuple[T | Exception, int]] = []
        with self._turns.several():
            done.extend((attempt(job), self._turns.reached) for job in jobs)
            end = self._turns.reached
        try:
            self._syncs.wait_until_durable(end)
        except (StoreReadOnly, StoreUnreadable) as error:
            return [outcome if end <= self._visible.seen else error for outcome, end in done]
        return [outcome for outcome, _ in done]

    def begin(self) -> tuple[Layer, datetime]:
        """Let one unit of work in: return its layer and its time."""
        if self._turns.is_for_several() and not self._has_room():
            # Nobody else waits for what this turn did.
            self._syncs.wait_until_durable(self._log.end)
        self._turns.take()
        try:
            with self._changed:
                if self._turns.is_for_several() and self._turns.caught_up:
                    self._syncs.refuse()
                else:
                    self._take_in_appended()
                    self._turns.caught_up = True
                self._turns.reached = self._log.end
                self._wait_for_room()  # Refuses when that was the end after a loss.
                # A clock that was set back must not make a later change look earlier.
                self._visible.now = max(self._clock().astimezone(UTC), self._visible.now)
                return Layer(self._underway.tip), self._visible.now
        except BaseException:
            self._turns.give()
            raise

    def end(self) -> int:
        """Let the next unit of work in, and wait until all that this one saw is durable.

        One that changed nothing, or was refused, may have seen what is still on its way to the
        disk. Whoever is told what follows from that must find it in every later read.
        """
        end = self._turns.reached
        self._turns.give()
        return self._wait_to_tell(end)

    def commit(self, layer: Layer, now: datetime, source: Source) -> int:
        """Append what the unit of work did, let the next one in, and wait until it is durable."""
        if not layer.touched:
            return self.end()
        try:
            self._turns.reached = end = self._append(layer, now, source)
        finally:
            self._turns.give()
        return self._wait_to_tell(end)

    def _take_in_appended(self) -> None:
        """Take in what other processes have appended, durable or not: a unit builds on it."""
        self._syncs.refuse()
        try:
            self._visible.take_in_appended()
            if left := self._log.mend(self._aside):
                _log.warning("a process died while it wrote", bytes=left)
        except (OSError, DamagedRecord) as error:
            raise StoreReadOnly(f"the journal cannot be read: {error}") from error
        except StoreUnreadable as error:
            raise StoreReadOnly(error.reason) from error
        except (AppendFailed, SyncFailed) as error:
            raise StoreReadOnly(f"the journal cannot be written: {error}") from error

    def _has_room(self) -> bool:
        return self._underway.size < self._limits.pending_bytes

    def _wait_for_room(self) -> None:
        def ready() -> bool:
            return self._syncs.refusal is not None or self._has_room()

        if not self._changed.wait_for(ready, self._limits.lock_wait_s):
            raise StoreBusy(self._limits.lock_wait_s)
        self._syncs.refuse()

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
        with self._changed:
            # Before it is in the journal: as soon as it is, another process may make it durable.
            self._underway.push(Pending(end, record, layer, len(line)))
        try:
            self._write(line, span)
        except BaseException:
            with self._changed:
                self._underway.pop()
                self._changed.notify_all()
            raise
        with self._changed:
            if self._syncs.lost:
                raise StoreReadOnly(str(self._syncs.refusal))  # A sync failed just now.
            self.appended_records += 1
            self._marks.say(Notice.REFUSED, None)
        return end

    def _write(self, line: bytes, span: Span) -> None:
        self._syncs.refuse()
        try:
            self._log.append(line, span)
        except AppendFailed as error:
            reason = f"the journal cannot be written: {error}"
            with self._changed:
                if error.passing:
                    self._marks.say(Notice.REFUSED, reason)
                    _log.error("write refused", reason=reason)
                else:
                    self._syncs.fail(reason)
            raise StoreReadOnly(reason) from error
        except SyncFailed as error:
            with self._changed:
                self._syncs.fail(error)
            raise StoreReadOnly(str(self._syncs.refusal)) from error

    def _wait_to_tell(self, end: int) -> int:
        """Wait until the place is durable, unless that is waited for at the end of the turn.

        Returns:
            The number of the last change that the unit of work has seen or made.
        """
        if self._turns.is_for_several():
            return self._underway.tip_seq
        self._syncs.wait_until_durable(end)
        return self._tables.seq
