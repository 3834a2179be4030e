"""What readers of this process see: tables that follow the journal as far as it is durable.

How far that is, is a number that all processes share. Every read looks at it first, and when it has moved,
takes in what has become durable since: from memory where this process wrote it, from the journal where
another one did.
"""

import threading
from typing import Final

import structlog

from vitrina.adapters.journal.log import Log
from vitrina.adapters.journal.marks import APPENDED, DURABLE, Marks
from vitrina.adapters.journal.recent import Recent
from vitrina.adapters.journal.record import DamagedRecord, Record
from vitrina.adapters.journal.underway import Pending, Underway
from vitrina.adapters.layers import Layer
from vitrina.adapters.tables import Tables
from vitrina.domain.errors import StoreUnreadable

_log = structlog.get_logger(__name__)


class Visible:
    """Tables in memory, and over them what is on its way to the disk.

    Attributes:
        changed: Guards all that is here, and the tables; notified whenever any of it changes.
        tables: What is durable.
        underway: What is appended and not yet durable.
        recent: The newest changes that are durable.
        seen: The place in the journal up to which the tables hold it.
        now: The time of the last change that was seen, durable or not.
        trouble: Why the journal cannot be followed; None while it can.
    """

    def __init__(self, log: Log, marks: Marks, tables: Tables) -> None:
        """Take over the tables as they are at the end of the log."""
        self._log = log
        self._marks = marks
        self.changed: Final = threading.Condition()
        self.tables: Final = tables
        self.underway: Final = Underway(tables)
        self.recent: Final = Recent()
        self.seen = log.end
        self.now = tables.at
        self.trouble: str | None = None

    def catch_up(self) -> None:
        """Take in what has become durable, so that a read that follows sees it.

        Raises:
            StoreUnreadable: The journal cannot be read, or what is in it is not what was written.
        """
        if self._marks.words[DURABLE] != self.seen:
            with self.changed:
                self._settle()

    def take_in_appended(self) -> None:
        """Take in what other processes have appended, durable or not; the caller holds ``changed``.

        Raises:
            StoreUnreadable, OSError, DamagedRecord: The journal cannot be read.
        """
        self._settle()
        for end, size, record in self._log.follow(self._marks.words[APPENDED]):
            layer = Layer(self.underway.tip)
            layer.take_in(record.changes, record.answers)
            self.underway.push(Pending(end, record, layer, size))
            self.now = max(self.now, record.at)

    def _settle(self) -> None:
        """Apply what is durable, in order; the caller holds ``changed``."""
        durable = self._marks.words[DURABLE]
        if durable == self.seen:
            return
        try:
            for pending in self.underway.settle(durable):
                self._apply(pending.record, pending.size)
            for _, size, record in self._log.follow(durable):
                self._apply(record, size)
        except (OSError, DamagedRecord, StoreUnreadable) as error:
            if self.trouble is None:
                _log.error("the journal cannot be followed", reason=str(error))
            self.trouble = str(error)
            raise StoreUnreadable(f"the journal cannot be read: {error}") from error
        self.underway.rest()
        self.seen, self.trouble = durable, None
        self.changed.notify_all()

    def _apply(self, record: Record, size: int) -> None:
        self.tables.apply(record.changes)
        self.tables.remember(record.answers, record.at)
        self.recent.add(record.changes, size)
        self.now = max(self.now, record.at)
