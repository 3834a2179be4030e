"""Sees to it that one of the processes that serve a catalog keeps its files in step.

That is the one that leads (:meth:`Presence.lead`). When it ends, however it ends, another one takes
over within :data:`LOOK_EVERY_S`. At a clean stop the one that leads is the last to go: it waits until
the others have left, so that what they have written is in the files, too.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog

from vitrina.adapters.journal.presence import Presence
from vitrina.adapters.projection.desk import Desk
from vitrina.adapters.projection.projector import Projector, check_of
from vitrina.domain.errors import CatalogError
from vitrina.service_layer.opening import CannotOpen, Understood
from vitrina.service_layer.person_file import FileState
from vitrina.service_layer.ports import Check

LOOK_EVERY_S: Final = 0.5
RETRY_AFTER_S: Final = 10.0

_log = structlog.get_logger(__name__)


class Caretaker:
    """Runs the projector of a catalog while this process leads."""

    def __init__(
        self, presence: Presence, make: Callable[[], Projector], desk: Desk, *, last_wait_s: float
    ) -> None:
        """Work with the projector that *make* makes.

        Args:
            presence: The processes that serve the catalog.
            make: Called when this process takes over.
            desk: Where the process that leads tells how the files are.
            last_wait_s: How long others may take to leave, at the end; 0: they stay, and one of
                them takes over.
        """
        self._presence = presence
        self._make = make
        self._desk = desk
        self._last_wait_s = last_wait_s
        self._projector: Projector | None = None
        self._failed = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vitrina-caretaker", daemon=True)

    def open(self) -> Understood | None:
        """Take the files in, unless another process keeps them; return what was understood.

        Raises:
            CannotOpen: There is nothing to serve.
            OSError: The system refuses to read or to write.
            CatalogError: The catalog cannot be written to.
        """
        if self._projector is None and self._presence.lead():
            projector = self._make()
            projector.open()
            projector.start()
            self._projector = projector
        return self._projector.understood if self._projector else None

    def start(self) -> None:
        """Be ready to take over."""
        if self._projector is None:
            self._thread.start()

    def stop(self) -> None:
        """Write out what is left, if nobody else is there to do so."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._take_over()
        if self._projector is not None:
            if self._last_wait_s and not self._presence.wait_until_alone(self._last_wait_s):
                _log.warning("another process still has the catalog open")
            self._projector.stop()

    def checks(self) -> list[Check]:
        """Tell how the files are, at every process alike."""
        return [check_of(self._desk.status())]

    def _run(self) -> None:
        pause = LOOK_EVERY_S
        while self._projector is None and not self._stopping.wait(pause):
            self._take_over()
            pause = RETRY_AFTER_S if self._failed else LOOK_EVERY_S

    def _take_over(self) -> None:
        try:
            self.open()
        except (OSError, CatalogError, CannotOpen) as error:
            self._failed = True
            detail = (
                f"The files cannot be kept in step: {error}. Nothing is lost: the changes are in "
                "the journal, and it is tried again."
            )
            self._desk.tell(replace(self._desk.status(), state=FileState.BLOCKED, detail=detail))
        else:
            self._failed = False
