"""The documents of one state of the index, numbered from 0 on through all of its segments.

The engine names a document by its segment and its place there. By running numbers, what is known of documents
can stand in arrays, and what is known of a few of them is found there at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter
from threading import Lock
from typing import Final, Self

import numpy as np
import tantivy
from numpy.typing import NDArray
from tantivy import DocAddress, Query

from vitrina.adapters.index.walking import Walker

IDS_KEPT: Final = 100_000
"""How many ids are remembered: about 12 MB."""

FEW: Final = 16
"""So few documents are gone through one by one."""

type Numbers = NDArray[np.int32]
"""Of documents, as they are kept."""

type Places = NDArray[np.intp]
"""The same, as they are used: twice as long, but arrays are read by them three times as fast."""

_PLACE: Final = attrgetter("doc")
_SEGMENT: Final = attrgetter("segment_ord")


class Documents:
    """The documents of one state of the index. Safe to use from several threads."""

    def __init__(self, searcher: tantivy.Searcher, schema: tantivy.Schema, prefix: str) -> None:
        self._searcher = searcher
        self._walker = Walker(searcher, schema, prefix)
        self._ids: dict[int, str] = {}
        self._lock = Lock()
        self._arrays: _Arrays | None = None

    @property
    def size(self) -> int:
        """How many there are, with those that were deleted and not yet merged away."""
        return int(self._looked_up().firsts[-1])

    def search(self, query: Query, limit: int) -> tuple[Numbers, NDArray[np.float32]]:
        """Return the documents that meet a query, at most *limit* of them, ascending, and their scores."""
        return self._found(query, limit, None)

    def weights(self, documents: Places) -> NDArray[np.float32]:
        """Return what the scores of documents are multiplied by; they were given to :meth:`weigh`."""
        return self._looked_up().weights[documents]

    def weigh(self, documents: Numbers, query: Query) -> None:
        """Find out the weights of documents, which are those that meet a query.

        The engine tells what it makes of a score of 1, as nobody else computes its logarithms bit by bit alike.
        """
        if not self._looked_up().weights[documents].all():
            one = Query.const_score_query(query, 1.0)
            found, weights = self._found(one, max(len(documents), 1), "boost")
            self._looked_up().weights[found] = weights

    def ids(self, documents: Places) -> list[str]:
        """Return the ids of documents."""
        numbers: list[int] = documents.tolist()
        unknown = [each for each in numbers if each not in self._ids]
        if not unknown:
            return [self._ids[each] for each in numbers]
        found = dict(zip(unknown, self._walker.ids(self.addresses(unknown)), strict=True))
        ids = [found.get(each) or self._ids[each] for each in numbers]
        if len(self._ids) < IDS_KEPT:
            self._ids |= found
        return ids

    def addresses(self, numbers: Sequence[int]) -> list[DocAddress]:
        """Return where the engine has documents."""
        firsts = self._looked_up().firsts
        segments = firsts.searchsorted(numbers, side="right") - 1
        places = np.array(numbers) - firsts[segments]
        return list(map(DocAddress, segments.tolist(), places.tolist()))

    def _found(
        self, query: Query, limit: int, weighted_by: str | None
    ) -> tuple[Numbers, NDArray[np.float32]]:
        hits = self._searcher.search(query, limit, count=False, weight_by_field=weighted_by).hits
        if len(hits) <= FEW:
            return self._few(hits)
        scores = np.array([score for score, _ in hits], np.float32)
        numbers = self._numbers([address for _, address in hits])
        order = numbers.argsort()
        return numbers[order], scores[order]

    def _few(self, hits: Sequence[tuple[float, DocAddress]]) -> tuple[Numbers, NDArray[np.float32]]:
        """Return the numbers and scores of a few documents, which arrays would only make slower."""
        firsts = self._looked_up().first_numbers
        found = sorted([(firsts[at.segment_ord] + at.doc, score) for score, at in hits])
        numbers = np.array([number for number, _ in found], np.int32)
        return numbers, np.array([score for _, score in found], np.float32)

    def _numbers(self, addresses: Sequence[DocAddress]) -> Numbers:
        numbers = np.array([*map(_PLACE, addresses)], np.int32)
        firsts = self._looked_up().firsts
        if len(firsts) > 2:  # noqa: PLR2004 - more than one segment, and where the last ends
            numbers += firsts[np.array([*map(_SEGMENT, addresses)], np.intp)]
        return numbers

    def _looked_up(self) -> "_Arrays":
        """Return the arrays, which are made when something is first asked of this state."""
        if self._arrays is None:
            with self._lock:
                if self._arrays is None:
                    self._arrays = _Arrays.of(self._searcher)
        return self._arrays


@dataclass(frozen=True, slots=True)
class _Arrays:
    """What is known of documents.

    Attributes:
        first_numbers: The first one of each segment, and where the last one ends.
        firsts: The same.
        weights: What the score of each is multiplied by; 0 where that is not known.
    """

    first_numbers: list[int]
    firsts: Numbers
    weights: NDArray[np.float32]

    @classmethod
    def of(cls, searcher: tantivy.Searcher) -> Self:
        sizes = [_size(searcher, each) for each in range(searcher.num_segments)]
        firsts = [0, *accumulate(sizes)]
        return cls(firsts, np.array(firsts, np.int32), np.zeros(firsts[-1], np.float32))


def _size(searcher: tantivy.Searcher, segment: int) -> int:
    """Return how many documents a segment has, which the engine does not tell: by looking for them."""
    low, high = -1, 1
    while _has(searcher, segment, high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _has(searcher, segment, middle) else (low, middle)
    return high


def _has(searcher: tantivy.Searcher, segment: int, place: int) -> bool:
    try:
        searcher.doc(DocAddress(segment, place))
    except ValueError:
        return False
    return True
