"""An index that follows the catalog: opened or built, then kept up with every change.

Changes are committed in memory, where there is some (:mod:`~vitrina.adapters.index.overlay`), and saved
every few seconds. When memory or the disk fails, the index goes on with what is left.
"""

import logging
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

import tantivy

from vitrina.adapters.index.analysis import written_terms
from vitrina.adapters.index.building import Progress, build
from vitrina.adapters.index.entries import Writer
from vitrina.adapters.index.home import Home
from vitrina.adapters.index.pasts import is_of_this_past, mark_at, mark_of
from vitrina.adapters.index.reading import Reading
from vitrina.adapters.index.schema import FORMAT, TERMS, Spread, build_schema
from vitrina.adapters.index.slots import Note
from vitrina.adapters.index.state import State, States
from vitrina.domain.errors import ChangesGone, StoreUnreadable
from vitrina.service_layer.ports import CatalogView, ChangeLog

BATCH_CHANGES: Final = 10_000

CHANGES_HEAP_BYTES: Final = 15_000_000
"""How much the engine gathers in memory of changes: its least. A larger one costs milliseconds in each commit."""

COMMITS_MAX: Final = 1_000
"""After how many commits the engine opens the folder anew, which takes 2 ms: until it does, it remembers every
file that was ever in it, 1 to 2 KB for each commit."""

IN_MEMORY_MAX: Final = 2_000
"""How many changes are committed in memory at once; more are, on the disk: some 3 MiB become 9 in merging."""

_log: Final = logging.getLogger(__name__)


class Follower:
    """The engine's index of a catalog. One thread at a time changes it, any may read its state.

    Attributes:
        state: What the index holds; there is none before it was opened or built.
        doubtful: Another process has made the files: what is wrong with them may show at any time.
    """

    state: State

    def __init__(
        self, view: CatalogView, log: ChangeLog, reading: Reading, home: Home, progress: Progress
    ) -> None:
        """Prepare to follow a catalog; :meth:`open` or :meth:`build` begins.

        Args:
            view: The catalog.
            log: Its changes.
            reading: How texts are read.
            home: Where the index is kept.
            progress: Is told how far a build is, and may stop it.
        """
        self.doubtful = False
        self._view = view
        self._log = log
        self._home = home
        self._progress = progress
        self._language = reading.language
        self._made_of = f"{FORMAT} {reading.language} {version('tantivy')}"
        self._states = States(view, reading)
        self._index: tantivy.Index
        self._writer: tantivy.IndexWriter
        self._commits = 0
        self._spread = Spread()

    def open(self) -> None:
        """Go on with what is kept on the disk; build the index when that is of no use."""
        if not self._reopen():
            self.build()

    def build(self) -> None:
        """Make the index from the catalog, in place of what there was: on the disk, or else in memory.

        Raises:
            GivenUp: It was stopped.
            ValueError, OSError: It cannot be made in memory, either.
        """
        try:
            self._build()
        except (ValueError, OSError) as error:
            self._move_to_memory(error)

    def _build(self) -> None:
        self.doubtful = False
        self._home.clear()
        seq, products = self._view.snapshot()
        self._spread = Spread.of((each.id for each in products), len(products))
        note = Note(self._made_of, self._spread, seq, mark_at(self._log, seq))
        folder = None if self._home.folder is None else Path(self._home.folder)
        self._use(build(products, self._language, self._spread, folder, self._progress))
        self._home.committed(note)
        self._go_on(note)

    def catch_up(self) -> None:
        """Take in what was committed since the last search, wherever that is still possible.

        Raises:
            ValueError, OSError: The engine fails also in memory.
        """
        try:
            self._follow()
        except (ValueError, OSError) as error:
            self._recover(error)

    def finish(self) -> None:
        """Wait until what is being written is written; nothing must be committed any more."""
        self._end_writing()
        self._states.close()

    def _end_writing(self) -> None:
        """Wait until what is being written is written; what was committed stands also where that fails."""
        try:
            self._writer.wait_merging_threads()
        except (ValueError, RuntimeError) as error:  # The latter where it was ended before.
            _log.info("the engine has not finished what it was writing: %s", error)

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
            self.doubtful = True
            self._go_on(note)
            # The engine opens the file of the positions only when it is asked for a word of a title.
            self.state.searcher.doc_freq("title", "")
            if not is_of_this_past(note, self.state, self._view, self._log):
                _log.info("the index is of another past of the catalog")
                return False
            self._follow()
        except StoreUnreadable:
            # It is opened again when the catalog can be read.
            self._end_writing()
            self._home.drop_overlay()
            raise
        except BaseException as error:
            if not is_of_damage(error):
                raise
            _log.warning("the index is damaged: %s", error)
            return False
        return True

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

    def _use(self, index: tantivy.Index) -> None:
        index.register_tokenizer(TERMS, written_terms())
        index.config_reader("manual")
        self._index = index
        self._commits = 0

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
            self.build()

    def _news(self) -> tuple[int, str, dict[str, bytes | None]]:
        """Return the last change, its mark, and what became of the products that were changed."""
        seq, mark = self.state.seq, ""
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
            if seq != self.state.seq:
                self._refresh(seq)
            return Note(self._made_of, self._spread, seq, mark)
        if self._home.on_disk and self._commits >= COMMITS_MAX:
            self._writer.wait_merging_threads()
            self._open_files(self.state.seq)
        writer = Writer(self._states.analyzer, self._spread)
        for product_id, body in latest.items():
            self._writer.delete_documents_by_term("id", product_id)
            if body is not None:
                self._writer.add_json(writer.write(body))
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
        self.state = self._states.now(self._index, seq, self._spread.prefix)

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

    def _go_back(self, *, for_good: bool = False) -> None:
        """Follow the catalog from what was saved last: on the disk."""
        self._end_writing()
        self._home.drop_overlay(for_good=for_good)
        note = self._home.note()
        if note is None:
            raise OSError("nothing tells what the index on the disk holds")
        self._open_files(note.seq)

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
        self.build()


def is_of_damage(error: BaseException) -> bool:
    """Say whether an error is what the engine makes of damaged files.

    Where they lead it to what it takes for impossible, it raises an exception whose class cannot be imported, and
    which is none of those that :class:`Exception` stands for.
    """
    return isinstance(error, (ValueError, OSError)) or type(error).__name__ == "PanicException"
