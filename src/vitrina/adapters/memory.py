"""A catalog that lives in memory only: for tests, and held to the same contract as the file store.

Nothing survives the process. Commits are visible at once to every thread.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from threading import Condition, Lock
from types import TracebackType
from typing import Final, Self

from vitrina.adapters.layered import LayeredCategories, LayeredProducts, TablesView
from vitrina.adapters.layers import Layer
from vitrina.adapters.tables import Remembered, Tables
from vitrina.domain.errors import ChangesGone, StoreBusy
from vitrina.service_layer.changes import Change, Source
from vitrina.service_layer.ports import Answered

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

    def unit_of_work(self, source: Source = Source.API) -> "MemoryUnitOfWork":
        """Return a fresh unit of work whose changes are told to come from *source*."""
        return MemoryUnitOfWork(self, source)

    def _begin(self) -> tuple[Layer, datetime]:
        if not self._writing.acquire(timeout=LOCK_WAIT_S_MAX):
            raise StoreBusy(LOCK_WAIT_S_MAX)
        return Layer(self._tables), max(self._clock(), self._tables.at)

    def _commit(self, layer: Layer, now: datetime, source: Source) -> int:
        changes = layer.numbered(self.seq, now, source)
        self._log.extend(changes)
        self._tables.remember(
            (Remembered(key, now, answer) for key, answer in layer.answers.items()), now
        )
        self._tables.apply(changes)
        with self._grown:
            self._grown.notify_all()
        return self.seq

    def _end(self) -> None:
        self._writing.release()


class MemoryUnitOfWork:
    """A transaction over a memory catalog."""

    products: LayeredProducts
    categories: LayeredCategories

    def __init__(self, catalog: MemoryCatalog, source: Source) -> None:
        self._catalog = catalog
        self._source = source
        self._layer: Layer
        self._now: datetime

    def __enter__(self) -> Self:
        self._layer, self._now = self._catalog._begin()  # noqa: SLF001 - two halves of one thing
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
        self._catalog._end()  # noqa: SLF001 - two halves of one thing

    def answered(self, key: str) -> Answered | None:
        return self._layer.answered(key, self._now)

    def remember(self, key: str, answer: Answered) -> None:
        self._layer.answers[key] = answer

    def commit(self) -> int:
        return self._catalog._commit(self._layer, self._now, self._source)  # noqa: SLF001
