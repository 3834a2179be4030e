"""The stores that the suite runs on: a new adapter is one more case."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

import pytest

from vitrina.adapters.journal.folder import open_store
from vitrina.adapters.journal.store import StoreLimits
from vitrina.adapters.memory import MemoryCatalog
from vitrina.service_layer.changes import Source
from vitrina.service_layer.ports import CatalogView, ChangeLog, UnitOfWork


@dataclass
class ManualClock:
    """A clock that stands still until a test moves it."""

    now: datetime = field(default_factory=lambda: datetime(2026, 1, 31, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass(frozen=True)
class Store:
    """What every adapter offers."""

    view: CatalogView
    log: ChangeLog
    unit_of_work: Callable[..., UnitOfWork]

    def write(self, source: Source = Source.API) -> UnitOfWork:
        return self.unit_of_work(source)


type OpenStore = Callable[[], AbstractContextManager[Store]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "journal", "small segments", "three processes"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> OpenStore:
    """Return a function that opens the same store once more, as another process would."""
    memory = MemoryCatalog(clock=clock)

    @contextmanager
    def opened() -> Iterator[Store]:
        match request.param:
            case "memory":
                yield Store(memory.view, memory, memory.unit_of_work)
            case "three processes":
                with _shared(tmp_path / ".vitrina", clock) as store:
                    yield store
            case name:
                limits = StoreLimits(segment_bytes=1 if name == "small segments" else 2**20)
                with open_store(tmp_path / ".vitrina", limits=limits, clock=clock) as opened:
                    yield Store(opened.store.view, opened.store, opened.store.unit_of_work)

    return opened


@contextmanager
def _shared(state: Path, clock: ManualClock) -> Iterator[Store]:
    """Open one folder as three processes do: two write in turn, and one only reads."""
    limits = StoreLimits(segment_bytes=1_000)
    with ExitStack() as stack:
        one, two, reader = (
            stack.enter_context(open_store(state, limits=limits, clock=clock, join=True)).store
            for _ in range(3)
        )
        turns = cycle((one, two))
        yield Store(reader.view, reader, lambda *source: next(turns).unit_of_work(*source))


@pytest.fixture
def store(reopen: OpenStore) -> Iterator[Store]:
    with ExitStack() as stack:
        yield stack.enter_context(reopen())
