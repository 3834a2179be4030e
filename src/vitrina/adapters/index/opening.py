"""Making an index ready, however long that takes: meanwhile the service is up, and says how far it is."""

import logging
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from vitrina.adapters.index.building import GivenUp, Progress
from vitrina.domain.errors import StoreUnreadable

RETRY_S: Final = 1.0
"""How long a catalog that cannot be read is left alone before it is asked again."""

_log: Final = logging.getLogger(__name__)


class Opening:
    """Makes one index ready in a thread, and again when it turns out to be damaged.

    Attributes:
        done: Set while nothing is being made: the index can be asked, or there is a failure.
        failure: Why there is no index; None while it is hoped for.
        progress: How far it is.
    """

    def __init__(self) -> None:
        self.done: Final = Event()
        self.failure: BaseException | None = None
        self.progress: Final = Progress()
        self._thread: Thread | None = None

    def begin(self, make: Callable[[], None]) -> None:
        """Begin to make the index ready with *make*. Nothing else may be making it."""
        self.done.clear()
        self._thread = Thread(target=self._make, args=(make,), name="index", daemon=True)
        self._thread.start()

    def give_up(self) -> None:
        """Stop what goes on, and wait until it has stopped."""
        self.progress.stop.set()
        if self._thread is not None:
            self._thread.join()

    def _make(self, make: Callable[[], None]) -> None:
        try:
            while not self._is_made(make):
                self.progress.stop.wait(RETRY_S)
        except GivenUp as stopped:
            self.failure = stopped
        except BaseException as error:  # noqa: BLE001 - the outermost frame of a thread
            # Whoever searches must be told, whatever went wrong in this thread; what the engine raises when it
            # gives up is no Exception.
            _log.exception("the index cannot be built")
            self.failure = error
        self.done.set()

    def _is_made(self, make: Callable[[], None]) -> bool:
        """Open or build the index; False while the catalog cannot be read."""
        if self.progress.stop.is_set():
            raise GivenUp
        try:
            make()
        except StoreUnreadable as error:
            _log.warning("the index waits for the catalog: %s", error)
            return False
        return True
