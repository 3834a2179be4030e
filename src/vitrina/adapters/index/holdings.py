"""What was once asked of the engine, kept as arrays: which products hold a word, and what that is worth.

To sort out what two words match and rank it takes the engine about 0.2 ms, however often one of the words was asked for.
But what a single word is worth to each product that holds it does not depend on the others. It is
asked for once, and a question for several words is then a sum of kept arrays, see :mod:`~vitrina.adapters.index.matches`.

To take in what holds a word costs 0.4 µs for each product. When that is done is told in :mod:`~vitrina.adapters.index.keeping`;
until then the engine is asked. All that is kept is forgotten with the next change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import tantivy
from numpy.typing import NDArray

from vitrina.adapters.index import keeping
from vitrina.adapters.index.documents import Documents, Numbers
from vitrina.adapters.index.keeping import Credit, Shelf
from vitrina.adapters.index.narrowing import Narrowing, any_of, count
from vitrina.adapters.index.planning import Vocabulary
from vitrina.adapters.index.plans import Plan, Word
from vitrina.adapters.index.ranking import IDENTIFIER_WORTH, Extra, extras, word_query
from vitrina.service_layer.queries import Filter

EXTRAS_MAX: Final = 5_000
"""As many products at most have a whole title, or two words as neighbours in it, that is kept."""

COUNT_SLACK: Final = 1.01
"""By how much more products may hold a word than its rarity, which is rounded, says."""

WORDS_BYTES: Final = 64 * 2**20
EXTRAS_BYTES: Final = 16 * 2**20
FILTERS_BYTES: Final = 16 * 2**20
"""How much what is kept of a state takes of the memory at most; what was not asked for longest goes first."""

ONE: Final = 1 << 24
"""Stands in a worth for one word that is held; what it is worth stands below. 32 words are worth less than this."""

ANYWAY: Final = 1 << 30
"""Stands in the worth of what matches however many words it holds: more than 32 times :data:`ONE`."""

type Worths = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Holding:
    """Which products hold a word, or have something else.

    Attributes:
        documents: Ascending.
        worths: What it is worth to each of them.
    """

    documents: Numbers
    worths: Worths

    @property
    def size(self) -> int:
        """How many products hold it."""
        return len(self.documents)

    @property
    def nbytes(self) -> int:
        """How many bytes its arrays take."""
        return self.documents.nbytes + self.worths.nbytes


class Holdings:
    """The kept holdings of one state of the index. Safe to use from several threads."""

    def __init__(
        self,
        searcher: tantivy.Searcher,
        documents: Documents,
        narrowing: Narrowing,
        vocabulary: Vocabulary,
    ) -> None:
        self.documents: Final = documents
        self._searcher = searcher
        self._narrowing = narrowing
        self._vocabulary = vocabulary
        self._credit = Credit()
        self._words = Shelf[Word, Holding](WORDS_BYTES)
        self._extras = Shelf[tuple[str, ...], Holding](EXTRAS_BYTES)
        self._filters = Shelf[Filter, NDArray[np.bool_]](FILTERS_BYTES)

    def words(self, words: Sequence[Word]) -> list[Holding] | None:
        """Return what holds each of the words; None where that is neither kept nor paid for."""
        self._credit.earn()
        kept = [self._words.get(each) for each in words]
        found = [each for each in kept if each is not None]
        if len(found) == len(words):
            return found
        # Each of them is asked for, so that none waits for another; and only then are they taken in.
        missing = [word for word, held in zip(words, kept, strict=True) if held is None]
        prices = [self._price(each) for each in missing]
        paid = [each for each in prices if each is not None]
        if len(paid) < len(missing) or not self._credit.spend(sum(paid)):
            return None
        taken = map(self._take_word, missing, paid)
        return [held or next(taken) for held in kept]

    def extras(self, plan: Plan) -> list[Holding] | None:
        """Return what makes matches of a plan worth more; None where too many products have it."""
        found: list[Holding] = []
        for each in extras(self._vocabulary, plan):
            held = self._extras.get(each.name) or self._take_extra(each)
            if held.size > EXTRAS_MAX:
                return None
            found.append(held)
        return found

    def identified(self, codes: Sequence[str]) -> Holding | None:
        """Return what has some of these identifiers; None where too many products do."""
        each_has = [self._vocabulary.term("codes", each) for each in codes]
        found = [self.documents.search(each, EXTRAS_MAX + 1)[0] for each in each_has]
        if any(len(each) > EXTRAS_MAX for each in found):
            return None
        documents, times = np.unique(np.concatenate(found), return_counts=True)
        self.documents.weigh(documents, any_of(each_has))
        return Holding(documents, (times * int(IDENTIFIER_WORTH) + ANYWAY).astype(np.int32))

    def meeting(self, asked: Filter) -> NDArray[np.bool_] | None:
        """Say of each document whether it meets a filter; None where that is neither kept nor paid for."""
        kept = self._filters.get(asked)
        if kept is not None:
            return kept
        query = self._narrowing.query([asked])
        # Most filters, such as prices, are asked for once: what they are is not even counted then.
        least, most = keeping.PAID + 1, self._credit.left
        price = self._filters.price(asked, least, most, lambda: count(self._searcher, query))
        if price is None or not self._credit.spend(price):
            return None
        met, _ = self.documents.search(query, keeping.LONGEST)
        meeting = np.zeros(self.documents.size, np.bool_)
        meeting[met] = True
        self._filters.put(asked, meeting, meeting.nbytes)
        return meeting

    def _price(self, word: Word) -> int | None:
        most = self._credit.left
        if word.typos:
            # What is looked for with typos was counted to find out how rare it is, and is dear to count.
            known = round(COUNT_SLACK * self._vocabulary.holding(word)) + 1
            return self._words.price(word, known, most, lambda: known)
        least = self._searcher.doc_freq("all", word.stem)
        if len(self._vocabulary.ways(word)) == 1:
            return self._words.price(word, least, most, lambda: least)
        return self._words.price(
            word, least, most, lambda: count(self._searcher, self._vocabulary.held(word))
        )

    def _take_word(self, word: Word, size: int) -> Holding:
        """Take in a word that about *size* products hold."""
        query = word_query(self._vocabulary, word)
        documents, worths = self.documents.search(query, size + 1)
        if len(documents) > size:
            # More than was reckoned: by a position from before others were added, or beside another neighbour.
            documents, worths = self.documents.search(query, self.documents.size)
        self.documents.weigh(documents, self._vocabulary.held(word))
        holding = Holding(documents, worths.astype(np.int32) + np.int32(ONE))
        self._words.put(word, holding, holding.nbytes)
        return holding

    def _take_extra(self, extra: Extra) -> Holding:
        documents, _ = self.documents.search(extra.query, EXTRAS_MAX + 1)
        holding = Holding(documents, np.full(len(documents), extra.worth, np.int32))
        self._extras.put(extra.name, holding, holding.nbytes)
        return holding
