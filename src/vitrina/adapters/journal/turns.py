"""Who may write: one unit of work at a time, over all processes that have the store open."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from vitrina.adapters.journal.lock import FileLock
from vitrina.domain.errors import StoreBusy


class Turns:
    """Lets units of work in, one after another; one thread may take a turn for several of them.

    Attributes:
        reached: How far the journal reached with what the present turn has seen and done; for the one
            that has the turn. The log's own end moves back when a sync fails, and others may be told
            of that while this turn goes on.
        caught_up: Of a turn for several units: the first one has taken in what others appended.
            Nobody appends more meanwhile.
    """

    def __init__(self, everywhere: FileLock, wait_s: float) -> None:
        """Let units of work in.

        Args:
            everywhere: Is held by the process whose turn it is.
            wait_s: How long a unit waits for those before it.
        """
        self._everywhere = everywhere
        self._here = threading.Lock()
        self._wait_s = wait_s
        self._several_of: int | None = None
        self.reached = 0
        self.caught_up = False

    def is_for_several(self) -> bool:
        """Say whether this thread has taken one turn for several units of work."""
        return self._several_of == threading.get_ident()

    def take(self) -> None:
        """Wait until no other unit of work is under way, in this process and in the others.

        Raises:
            StoreBusy: One does not end.
        """
        if self.is_for_several():
            return
        self._take_here()
        taken = False
        try:
            taken = self._everywhere.take(timeout_s=self._wait_s)
        finally:
            if not taken:
                self._here.release()
        if not taken:
            raise StoreBusy(self._wait_s)

    def give(self) -> None:
        """Let the next unit of work in."""
        if self.is_for_several():
            return
        self._everywhere.release()
        self._here.release()

    @contextmanager
    def several(self) -> Iterator[None]:
        """Take one turn for all units of work of this thread.

        Raises:
            StoreBusy: A unit of work before it does not end.
        """
        self.take()
        self._several_of, self.caught_up, self.reached = threading.get_ident(), False, 0
        try:
            yield
        finally:
            self._several_of = None
            self.give()

    @contextmanager
    def none_here(self) -> Iterator[None]:
        """Let no unit of work of this process in.

        Raises:
            StoreBusy: One does not end.
        """
        self._take_here()
        try:
            yield
        finally:
            self._here.release()

    def _take_here(self) -> None:
        if not self._here.acquire(timeout=self._wait_s):
            raise StoreBusy(self._wait_s)
