"""Keeps a process in step with what others commit, also while nobody asks it for anything.

Readers look for themselves (:meth:`JournalStore.catch_up`); this is for those who wait for changes, and
it keeps what a read has to take in small.
"""

import threading
from typing import Final

import structlog

from vitrina.adapters.journal.marks import APPENDED, DURABLE, Marks
from vitrina.adapters.journal.store import JournalStore
from vitrina.domain.errors import StoreBusy, StoreReadOnly, StoreUnreadable

LOOK_EVERY_S: Final = 0.02
LEFT_AFTER_LOOKS: Final = 50
"""What was appended and not synced for so many looks was left by a process that has died."""

_log = structlog.get_logger(__name__)


class Follower:
    """Follows in a thread of its own."""

    def __init__(self, store: JournalStore, marks: Marks) -> None:
        self._store = store
        self._marks = marks
        self._stop = threading.Event()
        self._waiting = (0, 0)
        self._looks = 0
        self._thread = threading.Thread(target=self._run, name="vitrina-follower", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            try:
                self._store.catch_up()
                if self._left():
                    self._store.sync()
            except StoreUnreadable:
                continue  # The store has told it, and tells every reader.
            except (StoreBusy, StoreReadOnly) as error:
                _log.warning("what a dead process left is not synced", reason=str(error))

    def _left(self) -> bool:
        """Say whether something was left appended and unsynced; once for each such thing."""
        waiting = self._marks.words[APPENDED], self._marks.words[DURABLE]
        if waiting[0] == waiting[1] or waiting != self._waiting:
            self._waiting, self._looks = waiting, 0
            return False
        self._looks += 1
        return self._looks == LEFT_AFTER_LOOKS
