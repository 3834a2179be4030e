"""Waiting for the disk: one sync for all who wait, and what follows when there is none.

The first that waits syncs for all that were appended by then, whichever process they are of. After a
failed sync nobody can tell what the disk holds: those who waited are refused, and so is every write
from then on, in every process, until the store is recovered.
"""

import structlog

from vitrina.adapters.journal.log import Log, SyncFailed
from vitrina.adapters.journal.marks import Marks
from vitrina.adapters.journal.visible import Visible
from vitrina.domain.errors import StoreReadOnly

_log = structlog.get_logger(__name__)


class Syncs:
    """Makes what was appended durable and visible, or tells why nothing can be written.

    Attributes:
        lost: A sync of this process failed: what was not durable by then never happened.
    """

    def __init__(self, log: Log, marks: Marks, visible: Visible) -> None:
        self._log = log
        self._marks = marks
        self._visible = visible
        self._leading = False
        self._told = False
        self._closed: str | None = None
        self.lost = False

    @property
    def refusal(self) -> str | None:
        """Why nothing can be written, until the store is opened anew; None when it can."""
        return self._marks.failure or self._closed

    def refuse(self) -> None:
        """Go on only where something can be written.

        Raises:
            StoreReadOnly: Nothing can.
        """
        if (reason := self.refusal) is not None:
            raise StoreReadOnly(reason)

    def close(self, reason: str) -> None:
        """Refuse all writes of this process from now on."""
        with self._visible.changed:
            self._closed = self._closed or reason
            self._visible.changed.notify_all()

    def fail(self, reason: object) -> None:
        """Refuse all writes for good, in every process; the caller holds ``changed``."""
        self._marks.fail(f"{reason}; look after the disk, then start the service again")
        if not self._told:
            self._told = True
            _log.error("the store is read-only", reason=self._marks.failure)
        self._visible.changed.notify_all()

    def wait_until_durable(self, end: int) -> None:
        """Wait until the journal is durable and visible up to a place.

        Raises:
            StoreReadOnly: It will not be.
            StoreUnreadable: It cannot be read.
        """
        while self._must_lead(end):
            try:
                self._lead()
            finally:
                with self._visible.changed:
                    self._leading = False
                    self._visible.changed.notify_all()

    def _must_lead(self, end: int) -> bool:
        """Wait until the place is durable, or until it is this thread's turn to sync."""
        visible = self._visible
        with visible.changed:
            while visible.seen < end:
                if self.lost:
                    raise StoreReadOnly(str(self.refusal))
                if not self._leading:
                    self._leading = True
                    return True
                visible.changed.wait()
            return False

    def _lead(self) -> None:
        """Sync for all who wait, and make what is durable visible."""
        try:
            self._log.sync()
        except SyncFailed as error:
            self._visible.catch_up()
            self._give_up(error)
        else:
            self._visible.catch_up()

    def _give_up(self, error: SyncFailed) -> None:
        """Drop what was appended and may not be on the disk; only the leader does."""
        with self._visible.changed:
            self.fail(error)
            self.lost = True
            self._visible.underway.clear()
        try:
            self._log.take_back(self._visible.tables.seq)
        except OSError as second:
            _log.error("unsynced records stay in the journal", reason=str(second))
