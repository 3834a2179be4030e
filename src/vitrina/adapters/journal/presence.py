"""The processes that have one store open: who is there, who writes, who looks after the folder.

In ``.vitrina/run``, each file a lock (``flock``) that the system takes from a process that ends:

``opening``
    Held alone while a process comes in or looks whether others are there.
``members``
    Held together by every process that has the store open. Who can hold it alone is alone: it
    recovers the journal and writes the marks (:mod:`.marks`) before it lets others in.
``write``
    Held by the one unit of work that is under way, from its beginning until its record is appended.
``sync``
    Held while the live segment is synced and the durable end is moved.
``lead``
    Held by the one process that makes checkpoints and keeps the person's files in step.

They are taken in the order ``lead``, ``opening``, ``members``, ``write``, ``sync``. Losing the folder while
no process has the store open costs nothing; while one has, its protection.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Self

from vitrina.adapters.journal.lock import FileLock
from vitrina.adapters.journal.marks import Marks
from vitrina.service_layer.opening import CannotOpen

RUN_FOLDER: Final = "run"
OPENING_S_MAX: Final = 300.0
"""How long another process may take to recover the store; then this one gives up."""

_LOOK_EVERY_S: Final = 0.02


class Presence:
    """This process among those that have one store open.

    Attributes:
        marks: What all of them share.
        write, sync: Locks.
    """

    def __init__(self, run: Path, opened: ExitStack) -> None:
        def lock(name: str) -> FileLock:
            made = FileLock(run / name)
            opened.callback(made.close)
            return made

        self._opening = lock("opening")
        self._members = lock("members")
        self._lead = lock("lead")
        self.write: Final = lock("write")
        self.sync: Final = lock("sync")
        self.marks: Final = Marks(run / "marks")
        opened.callback(self.marks.close)
        self._leads = False

    @classmethod
    @contextmanager
    def at(cls, run: Path) -> Iterator[Self]:
        """Open the locks in the folder *run*, and let go of them at the end.

        Raises:
            OSError: The system refuses.
        """
        with ExitStack() as opened:
            yield cls(run, opened)

    @contextmanager
    def entering(self) -> Iterator[bool]:
        """Come in; the block runs before anybody else can, and is told whether nobody else is in.

        Raises:
            CannotOpen: Another process takes too long to do the same.
        """
        if not self._opening.take(timeout_s=OPENING_S_MAX):
            raise CannotOpen("Another process has been opening this catalog for a long time.")
        try:
            alone = self._members.take()
            if not alone:
                self._members.take(shared=True)
            yield alone
            self._members.take(shared=True)
        finally:
            self._opening.release()

    def wait_until_alone(self, timeout_s: float) -> bool:
        """Wait until no other process has the store open; False when the time is over."""
        deadline = time.monotonic() + timeout_s
        while not self._alone():
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOOK_EVERY_S)
        return True

    def lead(self) -> bool:
        """Be the one that looks after the folder, unless another process is."""
        self._leads = self._leads or self._lead.take()
        return self._leads

    def follow(self) -> None:
        """Leave that to another process."""
        if self._leads:
            self._leads = False
            self._lead.release()

    def _alone(self) -> bool:
        if not self._opening.take():
            return False
        try:
            return self._members.take()
        finally:
            self._members.take(shared=True)
            self._opening.release()
