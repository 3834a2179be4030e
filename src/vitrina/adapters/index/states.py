"""The states of an index, one after the other."""

from collections.abc import Iterable
from typing import Final

import tantivy

from vitrina.adapters.index.analysis import Analyzer
from vitrina.adapters.index.category_words import CategoryWords
from vitrina.adapters.index.documents import Documents
from vitrina.adapters.index.filling import Columns
from vitrina.adapters.index.holdings import Holdings
from vitrina.adapters.index.lineages import Lineages
from vitrina.adapters.index.matches import Matching
from vitrina.adapters.index.narrowing import Narrowing
from vitrina.adapters.index.planning import Vocabulary
from vitrina.adapters.index.reading import Reading
from vitrina.adapters.index.state import State
from vitrina.adapters.index.tallies import Tally
from vitrina.domain.category import CategoryTree
from vitrina.service_layer.ports import CatalogView


class States:
    """Makes the states of an index, each with what it has in common with the one before.

    Attributes:
        analyzer: Cuts texts into terms.
    """

    def __init__(self, view: CatalogView, reading: Reading) -> None:
        self.analyzer: Final = Analyzer(reading.language)
        self._view = view
        self._synonyms = {
            self._split(each): tuple(map(self._split, others))
            for each, others in reading.synonyms.items()
        }
        self._tree = CategoryTree()
        self._categories = CategoryWords(self._tree, self.analyzer)
        self._lineages = Lineages(self._tree)

    def now(self, index: tantivy.Index, seq: int, prefix: str) -> State:
        """Return the state after the last commit of the engine.

        Args:
            index: Of the engine.
            seq: The last change that it holds.
            prefix: What most ids begin with.
        """
        index.reload()
        tree = self._view.categories()
        if tree is not self._tree:
            self._tree, self._categories = tree, CategoryWords(tree, self.analyzer)
            self._lineages = Lineages(tree)
        narrowing = Narrowing(index.schema, tree)
        searcher = index.searcher()
        vocabulary = Vocabulary(
            searcher, narrowing, self.analyzer, self._categories, self._synonyms
        )
        documents = Documents(searcher, index.schema)
        columns = Columns(searcher, narrowing, documents, self._lineages)
        return State(
            seq,
            prefix,
            searcher,
            narrowing,
            vocabulary,
            Matching(Holdings(searcher, documents, narrowing, vocabulary), columns),
            columns,
            Tally(searcher, self._lineages),
        )

    def _split(self, words: Iterable[str]) -> tuple[str, ...]:
        return tuple(self.analyzer.split(" ".join(words)))
