"""The states of an index: what is remembered of one until the next change, and how that one is made."""

import os
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import tantivy

from vitrina.adapters.index.analysis import Analyzer
from vitrina.adapters.index.category_words import CategoryWords
from vitrina.adapters.index.documents import Documents
from vitrina.adapters.index.filling import Columns
from vitrina.adapters.index.holdings import Holdings
from vitrina.adapters.index.lineages import Lineages
from vitrina.adapters.index.lists import Lists
from vitrina.adapters.index.matches import Matching
from vitrina.adapters.index.narrowing import Narrowing
from vitrina.adapters.index.planning import Vocabulary
from vitrina.adapters.index.reading import Reading
from vitrina.adapters.index.schema import USUAL
from vitrina.adapters.index.tallies import Tally
from vitrina.domain.category import CategoryTree
from vitrina.domain.product import Status
from vitrina.service_layer.ports import CatalogView
from vitrina.service_layer.queries import Filter, Hits, Operator, ProductQuery

FACTS_MAX: Final = 1_024
"""How many totals, and facts about filters, are kept until the next change."""

type Question = tuple[str | None, tuple[Filter, ...], tuple[int, ...]]
"""Text and filters of a query, and the numbers of the plan for the text."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class State:
    """One state of the index, for reading.

    Attributes:
        seq: The last change it holds.
        prefix: What most ids begin with.
        searcher: Of the engine.
        narrowing: Makes queries of filters.
        vocabulary: Makes queries of texts.
        matching: Finds what matches a text, where what its words are worth is kept.
        columns: What documents have in fields, where that is kept.
        tally: Counts facets.
        beside: Where a part of a long question is answered while the rest of it is.
        totals: Those that were counted before.
        facts: Whether all products meet a filter, for those that were asked about.
        answers: To the questions that were asked before.
        lists: Sorted lists that were asked for several times.
    """

    seq: int
    prefix: str
    searcher: tantivy.Searcher
    narrowing: Narrowing
    vocabulary: Vocabulary
    matching: Matching
    columns: Columns
    tally: Tally
    beside: Executor
    totals: dict[Question, int] = field(default_factory=dict)
    facts: dict[Filter, bool] = field(default_factory=dict)
    answers: dict[ProductQuery, Hits] = field(default_factory=dict)
    lists: Lists = field(default_factory=Lists)

    def is_met_by_all(self, asked: Filter) -> bool:
        """Say whether every product meets a filter, which then need not be looked at.

        So it is with the default filter on the status in a catalog without drafts. Only filters
        that can be told at once are looked at.
        """
        known = self.facts.get(asked)
        if known is None:
            known = self._is_met_by_all(asked)
            if len(self.facts) < FACTS_MAX:
                self.facts[asked] = known
        return known

    def all_have(self, field: str) -> bool:
        """Say whether every product has a value of a field."""
        return self.is_met_by_all(Filter(field, Operator.EXISTS, (True,)))

    def _is_met_by_all(self, asked: Filter) -> bool:
        """Tell it by what is in no product: that is known without looking at all that is in them.

        Deleted products are still among them until the engine has merged them away: then the
        answer may be no, which only costs time.
        """
        match asked:
            case Filter("status", Operator.EQ, values):
                others = [each.value for each in Status if each.value not in values]
                return not any(self.searcher.doc_freq("status", each) for each in others)
            case Filter(field, Operator.EXISTS, (True,)) if field in USUAL:
                return not self.searcher.doc_freq("lacks", field)
            case _:
                return False


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
        self._beside = ThreadPoolExecutor(os.process_cpu_count(), "search-beside")

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
        documents = Documents(searcher, index.schema, prefix)
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
            self._beside,
        )

    def close(self) -> None:
        """Wait for what is being found."""
        self._beside.shutdown()

    def _split(self, words: Iterable[str]) -> tuple[str, ...]:
        return tuple(self.analyzer.split(" ".join(words)))
