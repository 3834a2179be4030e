"""The product index on tantivy: what ``scan`` finds by looking at everything, found fast.

It follows the catalog: a search first takes in what was committed since the last one, in one commit
of the engine however many changes there are, and searches that come at the same time share it. Commits
are made in memory, where there is some (:mod:`~vitrina.adapters.index.overlay`), and saved every few
seconds: the index on the disk is gone on with at the next start. One that is missing, damaged, made in
another way or too far behind is thrown away and built from the catalog; while that takes long, the service
is up, not ready, and says how far it is.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Final, Self

import tantivy
from tantivy import Query

from vitrina.adapters.index.advice import suggest
from vitrina.adapters.index.analysis import Analyzer, written_terms
from vitrina.adapters.index.category_words import CategoryWords
from vitrina.adapters.index.directory import Directory
from vitrina.adapters.index.documents import Documents
from vitrina.adapters.index.filling import Columns
from vitrina.adapters.index.holdings import Holdings
from vitrina.adapters.index.home import Home
from vitrina.adapters.index.likeness import Likeness
from vitrina.adapters.index.lineages import Lineages
from vitrina.adapters.index.matches import Matching
from vitrina.adapters.index.narrowing import Narrowing
from vitrina.adapters.index.overlay import MEMORY
from vitrina.adapters.index.planning import Synonyms, Vocabulary
from vitrina.adapters.index.schema import FORMAT, TERMS, Spread, Writer, build_schema
from vitrina.adapters.index.searching import Search
from vitrina.adapters.index.slots import Note, mark_of
from vitrina.adapters.index.sorting import Moved
from vitrina.adapters.index.state import State
from vitrina.adapters.index.tallies import Tally
from vitrina.adapters.index.walking import ID_PATHS, Walker
from vitrina.adapters.index.writing import HelperFailed, helpers_for, write_all
from vitrina.domain.category import CategoryTree
from vitrina.domain.errors import ChangesGone, IndexBuilding, StoreUnreadable
from vitrina.service_layer.ports import CatalogView, ChangeLog, Check, CheckStatus, Stored
from vitrina.service_layer.queries import Hits, ProductQuery, Related, Suggestion

NAME: Final = "index"

BATCH_CHANGES: Final = 10_000
BUILD_HEAP_BYTES: Final = 256_000_000
"""How much the engine gathers in memory while it builds, before it writes a segment: about 350,000
products. A search looks into each segment, so that few are better than many."""

CHANGES_HEAP_BYTES: Final = 15_000_000
"""The same for changes: the engine's least. A larger one costs milliseconds in each commit."""

COMMITS_MAX: Final = 1_000
"""After how many commits the engine opens the folder anew, which takes 2 ms: until it does, it remembers every
file that was ever in it, 1 to 2 KB for each commit."""

IN_MEMORY_MAX: Final = 2_000
"""How many changes are committed in memory at once; more are, on the disk: some 3 MiB become 9 in merging."""

OPEN_PATIENCE_S: Final = 5.0
"""How long opening waits for the index; a longer build goes on while the service is up."""

RETRY_S: Final = 1.0
"""How long opening waits before it asks again for a catalog that cannot be read."""

SEARCH_PATIENCE_S: Final = 0.05
"""How long a search waits for an index that is being built; then it is refused."""

SAMPLE: Final = 100
"""How many of the first and of the last products are looked for in the catalog when an index is opened."""

TRIES_MAX: Final = 10
"""How often a search is repeated when products it found are deleted under its hands."""

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """How texts are read.

    Attributes:
        language: A key of :data:`~vitrina.adapters.index.analysis.LANGUAGES`.
        synonyms: Words that mean the same.
    """

    language: str = "en"
    synonyms: Synonyms = field(default_factory=dict)


class _Closing(Exception):
    """The service stops while the index is being built."""


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
        self._log = log
        self._reading = reading or Reading()
        self._analyzer = Analyzer(self._reading.language)
        self._synonyms = {
            self._split(each): tuple(map(self._split, others))
            for each, others in self._reading.synonyms.items()
        }
        self._made_of = f"{FORMAT} {self._reading.language} {version('tantivy')}"
        self._lock = Lock()
        self._home = Home(folder, self._lock, memory)
        self._index: tantivy.Index
        self._writer: tantivy.IndexWriter
        self._state: State
        self._commits = 0
        self._spread = Spread()
        self._tree = CategoryTree()
        self._categories = CategoryWords(self._tree, self._analyzer)
        self._lineages = Lineages(self._tree)
        self._directory = Directory()
        self._progress = (0, 0)
        self._failure: Exception | None = None
        self._found = False
        """Another process has made the index: what is wrong with its files may show at any time."""
        self._ready = Event()
        self._closing = Event()
        self._home.open()
        self._opening = self._prepare(self._open)
        self._ready.wait(OPEN_PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files, when what is being written to them is written.

        An index that is still being built is given up: the next start builds it.
        """
        self._closing.set()
        self._opening.join()
        with self._lock:
            if self._failure is None:
                self._writer.wait_merging_threads()
        self._home.close()

    @property
    def behind(self) -> bool:
        usable = self._ready.is_set() and self._failure is None
        return not usable or self._state.seq < self._view.seq

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
            return Likeness(state, self._analyzer).find(self._view.product(product_id), limit)

    def checks(self) -> list[Check]:
        """Tell how the index is."""
        if self._failure is not None:
            detail = f"The index cannot be built: {self._failure}."
            return [Check(NAME, CheckStatus.FAIL, detail)]
        if not self._ready.is_set():
            return [Check(NAME, CheckStatus.FAIL, str(IndexBuilding(*self._progress)))]
        if self._home.trouble is not None:
            return [Check(NAME, CheckStatus.WARN, self._home.trouble)]
        return [Check(NAME, CheckStatus.PASS)]

    def lag(self) -> int | None:
        """Return how many changes the next search has to take in; None while none can."""
        if self._failure is not None or not self._ready.is_set():
            return None
        return max(0, self._view.seq - self._state.seq)

    def _split(self, words: Iterable[str]) -> tuple[str, ...]:
        return tuple(self._analyzer.split(" ".join(words)))

    def _prepare(self, make: Callable[[], None]) -> Thread:
        """Make the index ready in a thread."""
        thread = Thread(target=self._make_ready, args=(make,), name="index", daemon=True)
        thread.start()
        return thread

    def _make_ready(self, make: Callable[[], None]) -> None:
        try:
            while not self._is_made(make):
                self._closing.wait(RETRY_S)
        except _Closing as closing:
            self._failure = closing
        except Exception as error:  # noqa: BLE001 - the outermost frame of a thread
            # Whoever searches must be told, whatever went wrong in this thread.
            _log.exception("the index cannot be built")
            self._failure = error
        self._ready.set()

    def _is_made(self, make: Callable[[], None]) -> bool:
        """Open or build the index; False while the catalog cannot be read."""
        if self._closing.is_set():
            raise _Closing
        try:
            make()
        except StoreUnreadable as error:
            _log.warning("the index waits for the catalog: %s", error)
            return False
        return True

    def _open(self) -> None:
        if not self._reopen():
            self._build()

    def _open_anew(self) -> None:
        with self._lock:
            self._build()

    def _reopen(self) -> bool:
        """Go on with what is kept on the disk; False when it is of no use."""
        note = self._home.note()
        if note is None:
            return False
        if note.made_of != self._made_of or note.seq > self._view.seq:
            _log.info("the index was made in another way, or for another catalog")
            return False
        try:
            self._spread = note.spread
            self._found = True
            self._go_on(note)
            # The engine opens the file of the positions only when it is asked for a word of a title.
            self._state.searcher.doc_freq("title", "")
            if not self._is_of_this_past(note):
                _log.info("the index is of another past of the catalog")
                return False
            self._follow()
        except BaseException as error:
            if not _is_of_damage(error):
                raise
            _log.warning("the index is damaged: %s", error)
            return False
        return True

    def _is_of_this_past(self, note: Note) -> bool:
        """Say whether an index holds what the catalog held after the change it ends with.

        A journal that was deleted and begun anew counts its changes from 1 again. Where the change is
        no longer kept, it must do that as many products of the index as are looked at are there.
        """
        mark = self._mark(note.seq)
        if mark and note.mark:
            return mark == note.mark
        if note.seq < self._view.seq:
            return True  # What follows is kept, or there is too much of it.
        searcher = self._state.searcher
        walker = Walker(searcher, self._index.schema)
        found = [
            each.id
            for order in ID_PATHS.values()
            for each in walker.page(Query.all_query(), order, SAMPLE)
        ]
        return None not in self._view.products(found)

    def _mark(self, seq: int) -> str:
        """Return what tells a change from those of the same number in other pasts; "" is not known."""
        try:
            changes = self._log.changes(seq - 1, limit=1) if seq else ()
        except ChangesGone:
            return ""
        return next((mark_of(each) for each in changes if each.seq == seq), "")

    def _build(self) -> None:
        """Make the index from the catalog, in place of what there was."""
        self._found = False
        self._home.clear()
        seq, products = self._view.snapshot()
        self._spread = Spread.of((each.id for each in products), len(products))
        self._use(tantivy.Index(build_schema(), self._home.folder))
        self._writer = self._index.writer(BUILD_HEAP_BYTES, num_threads=1)
        try:
            self._write_all(products, helpers_for(len(products)))
        except (HelperFailed, OSError) as error:
            _log.warning("the index is built by one process: %s", error)
            self._writer.rollback()
            self._write_all(products, 0)
        note = self._commit(seq, self._mark(seq))
        self._writer.wait_merging_threads()
        self._go_on(note)

    def _go_on(self, note: Note) -> None:
        """Follow the catalog from what is in the slot: in memory, where there is some."""
        self._home.overlay(note)
        self._open_files(note.seq)

    def _open_files(self, seq: int) -> None:
        if self._home.on_disk:
            self._use(tantivy.Index(build_schema(), self._home.folder, reuse=True))
        # With one thread, as each would make a segment of its own.
        self._writer = self._index.writer(CHANGES_HEAP_BYTES, num_threads=1)
        self._refresh(seq)

    def _go_back(self, *, for_good: bool = False) -> None:
        """Follow the catalog from what was saved last: on the disk."""
        with suppress(ValueError):  # It may be what is broken.
            self._writer.wait_merging_threads()
        self._home.drop_overlay(for_good=for_good)
        note = self._home.note()
        if note is None:
            raise OSError("nothing tells what the index on the disk holds")
        self._open_files(note.seq)

    def _write_all(self, products: Collection[Stored], helpers: int) -> None:
        done, add = 0, self._writer.add_json

        def add_one(document: str) -> None:
            nonlocal done
            if self._closing.is_set():
                raise _Closing
            add(document)
            done += 1
            if done % BATCH_CHANGES == 0:
                self._progress = (done, len(products))
                _log.info("indexed %d of %d products", done, len(products))

        self._progress = (0, len(products))
        write_all(products, self._reading.language, self._spread, add_one, helpers)

    def _use(self, index: tantivy.Index) -> None:
        index.register_tokenizer(TERMS, written_terms())
        index.config_reader("manual")
        self._index = index
        self._commits = 0

    def _fresh(self) -> State:
        """Return the state of the index with everything that was committed before this call."""
        if not self._ready.is_set() and not self._ready.wait(SEARCH_PATIENCE_S):
            raise IndexBuilding(*self._progress)
        if self._failure is not None:
            raise RuntimeError("the index could not be built") from self._failure
        state = self._state
        if state.seq >= self._view.seq:
            return state
        with self._lock:
            # Others may have taken the changes in while this one waited.
            try:
                self._follow()
            except (ValueError, OSError) as error:
                self._recover(error)
            return self._state

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
            if not (self._found and _is_of_damage(error)):
                raise
            with self._lock:
                if self._found:
                    self._found = False
                    _log.warning("the index is damaged, and is made anew: %s", error)
                    self._ready.clear()
                    self._opening = self._prepare(self._open_anew)
            raise IndexBuilding(*self._progress) from error

    def _recover(self, error: Exception) -> None:
        """Go on without the overlay, or else without the disk."""
        if self._home.in_overlay:
            _log.warning("the index goes on on the disk, until the next start: %s", error)
            try:
                self._go_back(for_good=True)
                self._follow()
            except (ValueError, OSError) as another:
                error = another
            else:
                return
        self._move_to_memory(error)

    def _move_to_memory(self, error: Exception) -> None:
        """Go on without the disk: searches are answered also when it is full, or gone.

        What is on the disk is as it was after the last commit; the next start goes on with that.

        Raises:
            ValueError, OSError: It is in memory already.
        """
        if not self._home.on_disk:
            raise error
        _log.warning("the index goes on in memory, until the next start: %s", error)
        self._home.leave_disk()
        self._build()

    def _follow(self) -> None:
        """Take in what was committed since the last search."""
        try:
            seq, mark, latest = self._news()
            if len(latest) <= IN_MEMORY_MAX or not self._home.in_overlay:
                self._take_in(seq, mark, latest)
                return
            self._go_back()
            note = self._take_in(*self._news())
            self._writer.wait_merging_threads()
            self._go_on(note)
        except ChangesGone:
            self._build()

    def _news(self) -> tuple[int, str, dict[str, bytes | None]]:
        """Return the last change, its mark, and what became of the products that were changed."""
        seq, mark = self._state.seq, ""
        latest: dict[str, bytes | None] = {}
        while (behind := self._view.seq - seq) > 0:
            changes = self._log.changes(seq, limit=min(behind, BATCH_CHANGES))
            for change in changes:
                if change.type.startswith("product."):
                    latest[change.id] = change.body
                seq, mark = change.seq, mark_of(change)
        return seq, mark, latest

    def _take_in(self, seq: int, mark: str, latest: Mapping[str, bytes | None]) -> Note:
        if not latest:
            if seq != self._state.seq:
                self._refresh(seq)
            return Note(self._made_of, self._spread, seq, mark)
        if self._home.on_disk and self._commits >= COMMITS_MAX:
            self._writer.wait_merging_threads()
            self._open_files(self._state.seq)
        writer = Writer(self._analyzer, self._spread)
        for product_id, body in latest.items():
            self._writer.delete_documents_by_term("id", product_id)
            if body is not None:
                self._writer.add_json(writer.write(product_id, body))
        return self._commit(seq, mark)

    def _commit(self, seq: int, mark: str) -> Note:
        self._writer.commit()
        self._commits += 1
        self._refresh(seq)
        note = Note(self._made_of, self._spread, seq, mark)
        self._home.committed(note)
        return note

    def _refresh(self, seq: int) -> None:
        """Show readers what was committed."""
        self._index.reload()
        tree = self._view.categories()
        if tree is not self._tree:
            self._tree, self._categories = tree, CategoryWords(tree, self._analyzer)
            self._lineages = Lineages(tree)
        narrowing = Narrowing(self._index.schema, tree)
        searcher = self._index.searcher()
        vocabulary = Vocabulary(
            searcher, narrowing, self._analyzer, self._categories, self._synonyms
        )
        documents = Documents(searcher, self._index.schema)
        columns = Columns(searcher, narrowing, documents, self._lineages)
        self._state = State(
            seq,
            self._spread.prefix,
            searcher,
            narrowing,
            vocabulary,
            Matching(Holdings(searcher, documents, narrowing, vocabulary), columns),
            columns,
            Tally(searcher, self._lineages),
        )


def _is_of_damage(error: BaseException) -> bool:
    """Say whether an error is what the engine makes of damaged files.

    Where they lead it to what it takes for impossible, it raises an exception whose class cannot be imported, and
    which is none of those that :class:`Exception` stands for.
    """
    return isinstance(error, (ValueError, OSError)) or type(error).__name__ == "PanicException"
