"""A catalog that lives in memory only: for tests, and held to the same contract as the file store.

Nothing survives the process. Commits are visible at once to every thread.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from threading import Condition, Lock
from typing import Final

from vitrina.adapters.layers import Layer
from vitrina.adapters.remembered import Remembered
from vitrina.adapters.tables import Tables
from vitrina.adapters.tables_view import TablesView
from vitrina.adapters.unit_of_work import LayeredUnitOfWork
from vitrina.domain.errors import ChangesGone, StoreBusy
from vitrina.service_layer.changes import Change, Source

LOCK_WAIT_S_MAX: Final = 10.0
"""How long a unit of work waits for the ones before it."""


def utc_now() -> datetime:
    """Return the present time, UTC."""
    return datetime.now(UTC)


class MemoryCatalog:
    """Tables, a list of all changes, and a lock for the writers."""

    def __init__(
        self, tables: Tables | None = None, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        """Begin with *tables*, which are changed from here alone; or with an empty catalog."""
        self._clock = clock
        self._tables = tables or Tables()
        self._began = self._tables.seq
        self._log: list[Change] = []
        self._writing = Lock()
        self._grown = Condition()
        self.view: Final = TablesView(self._tables, lambda: None)

    @property
    def seq(self) -> int:
        return self._tables.seq

    @property
    def oldest(self) -> int:
        return self._began + 1

    def changes(self, after: int, *, limit: int) -> Sequence[Change]:
        if after < self._began:
            raise ChangesGone(after, oldest=self.oldest)
        start = after - self._began
        return self._log[start : start + limit]

    def history(self, product_id: str, *, before: int | None = None) -> Iterator[Change]:
        end = None if before is None else max(before - self.oldest, 0)
        for change in reversed(self._log[:end]):
            if change.id == product_id and change.type.startswith("product."):
                yield change

    def wait(self, after: int, *, timeout_s: float) -> bool:
        with self._grown:
            return self._grown.wait_for(lambda: self.seq > after, timeout_s)

    def unit_of_work(self, source: Source = Source.API) -> LayeredUnitOfWork:
        """Return a fresh unit of work whose changes are told to come from *source*."""
        return LayeredUnitOfWork(self, source)

    def begin(self) -> tuple[Layer, datetime]:
        """Let one unit of work in: return its layer and its time."""
        if not self._writing.acquire(timeout=LOCK_WAIT_S_MAX):
            raise StoreBusy(LOCK_WAIT_S_MAX)
        return Layer(self._tables), max(self._clock(), self._tables.at)

    def commit(self, layer: Layer, now: datetime, source: Source) -> int:
        """Make what the unit of work did visible, and let the next one in."""
        try:
            self._apply(layer, now, source)
            return self.seq
        finally:
            self.end()

    def end(self) -> None:
        """Let the next unit of work in."""
        self._writing.release()

    def _apply(self, layer: Layer, now: datetime, source: Source) -> None:
        changes = layer.numbered(self.seq, now, source)
        self._log.extend(changes)
        self._tables.remember(
            (Remembered(key, now, answer) for key, answer in layer.answers.items()), now
        )
        self._tables.apply(changes)
        with self._grown:
            self._grown.notify_all()
