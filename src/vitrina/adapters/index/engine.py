"""The product index on tantivy: what ``scan`` finds by looking at everything, found fast.

It follows the catalog: a search first takes in what was committed since the last one, in one commit
of the engine however many changes there are, and searches that come at the same time share it
(:mod:`~vitrina.adapters.index.following`). The index on the disk is gone on with at the next start. One that
is missing, damaged, made in another way or too far behind is thrown away and built from the catalog; while
that takes long, the service is up, not ready, and says how far it is (:mod:`~vitrina.adapters.index.opening`).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Final, Self

from vitrina.adapters.index.advice import suggest
from vitrina.adapters.index.directory import Directory
from vitrina.adapters.index.following import Follower, is_of_damage
from vitrina.adapters.index.home import Home
from vitrina.adapters.index.likeness import Likeness
from vitrina.adapters.index.opening import Opening
from vitrina.adapters.index.overlay import MEMORY
from vitrina.adapters.index.reading import Reading
from vitrina.adapters.index.searching import Search
from vitrina.adapters.index.sorting import Moved
from vitrina.adapters.index.state import State
from vitrina.domain.errors import IndexBuilding
from vitrina.service_layer.ports import CatalogView, ChangeLog, Check, CheckStatus
from vitrina.service_layer.queries import Hits, ProductQuery, Related, Suggestion

NAME: Final = "index"

OPEN_PATIENCE_S: Final = 5.0
"""How long opening waits for the index; a longer build goes on while the service is up."""

SEARCH_PATIENCE_S: Final = 0.05
"""How long a search waits for an index that is being built; then it is refused."""

TRIES_MAX: Final = 10
"""How often a search is repeated when products it found are deleted under its hands."""

_log: Final = logging.getLogger(__name__)


class TantivyIndex:
    """Meets the port ``ProductIndex``. Safe to use from several threads; close it in the end."""

    def __init__(
        self,
        view: CatalogView,
        log: ChangeLog,
        folder: Path | None = None,
        reading: Reading | None = None,
        memory: Path | None = MEMORY,
    ) -> None:
        """Open the index in *folder*, or begin to build it.

        Args:
            view: The catalog.
            log: Its changes.
            folder: Where the indexes of the catalog are kept; None keeps this one in memory.
            reading: How texts are read.
            memory: Where changes are kept until they are saved; None, or a place that cannot be
                written to, has each commit forced to the disk.
        """
        self._view = view
        self._lock = Lock()
        self._home = Home(folder, self._lock, memory)
        self._opening = Opening()
        self._follower = Follower(
            view, log, reading or Reading(), self._home, self._opening.progress
        )
        self._directory = Directory()
        self._home.open()
        self._opening.begin(self._follower.open)
        self._opening.done.wait(OPEN_PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files, when what is being written to them is written.

        An index that is still being built is given up: the next start builds it.
        """
        self._opening.give_up()
        with self._lock:
            if self._opening.failure is None:
                self._follower.finish()
        self._home.close()

    @property
    def behind(self) -> bool:
        usable = self._opening.done.is_set() and self._opening.failure is None
        return not usable or self._follower.state.seq < self._view.seq

    def search(self, query: ProductQuery) -> Hits:
        """Return one page of the products that match; see :meth:`ProductIndex.search`."""
        for _ in range(TRIES_MAX):
            with suppress(Moved), self._sound_state() as state:
                return Search(state, self._view, query).hits()
        raise RuntimeError("the index holds products that the catalog does not have")

    def suggest(self, text: str, limit: int) -> list[Suggestion]:
        """Return how what was typed so far may go on; see :meth:`ProductIndex.suggest`."""
        with self._sound_state() as state:
            brands = self._directory.brands(state)
        categories = self._directory.categories(
            self._view.categories(), self._view.category_counts()
        )
        return suggest(
            text,
            limit,
            search=self.search,
            view=self._view,
            brands=brands.find,
            categories=categories.find,
        )

    def related(self, product_id: str, limit: int) -> list[Related]:
        """Return the products most like one; see :meth:`ProductIndex.related`."""
        with self._sound_state() as state:
            return Likeness(state).find(self._view.product(product_id), limit)

    def checks(self) -> list[Check]:
        """Tell how the index is."""
        if self._opening.failure is not None:
            detail = f"The index cannot be built: {self._opening.failure}."
            return [Check(NAME, CheckStatus.FAIL, detail)]
        if not self._opening.done.is_set():
            return [Check(NAME, CheckStatus.FAIL, str(self._being_built()))]
        if self._home.trouble is not None:
            return [Check(NAME, CheckStatus.WARN, self._home.trouble)]
        return [Check(NAME, CheckStatus.PASS)]

    def lag(self) -> int | None:
        """Return how many changes the next search has to take in; None while none can."""
        if self._opening.failure is not None or not self._opening.done.is_set():
            return None
        return max(0, self._view.seq - self._follower.state.seq)

    def _being_built(self) -> IndexBuilding:
        return IndexBuilding(*self._opening.progress.now)

    def _fresh(self) -> State:
        """Return the state of the index with everything that was committed before this call."""
        done = self._opening.done
        if not done.is_set() and not done.wait(SEARCH_PATIENCE_S):
            raise self._being_built()
        if self._opening.failure is not None:
            raise RuntimeError("the index could not be built") from self._opening.failure
        state = self._follower.state
        if state.seq >= self._view.seq:
            return state
        with self._lock:
            # Others may have taken the changes in while this one waited.
            self._follower.catch_up()
            return self._follower.state

    @contextmanager
    def _sound_state(self) -> Iterator[State]:
        """Yield the state to ask. Where it shows that the files are damaged, the index is made anew.

        Raises:
            IndexBuilding: That goes on now.
        """
        state = self._fresh()
        try:
            yield state
        except BaseException as error:
            # What this process has written itself is not doubted: then it is a fault of the question.
            if not (self._follower.doubtful and is_of_damage(error)):
                raise
            with self._lock:
                if self._follower.doubtful:
                    self._follower.doubtful = False
                    _log.warning("the index is damaged, and is made anew: %s", error)
                    self._opening.begin(self._build_anew)
            raise self._being_built() from error

    def _build_anew(self) -> None:
        with self._lock:
            self._follower.build()
