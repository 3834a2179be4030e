"""The categories of a tree by numbers, so that what is filed in each can be counted for all above it at once."""

from collections.abc import Mapping
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitrina.adapters.index.counts import matches
from vitrina.domain.category import Category, CategoryTree
from vitrina.service_layer.documents import Json
from vitrina.service_layer.queries import FACET_VALUES_MAX, Facet

_NUMBER_BITS: Final = 32
"""Of the number of a value: there are fewer values than products."""

type Counts = NDArray[np.int64]


class Lineages:
    """The categories of a tree, numbered in the order in which those of one count are told.

    That is parents before children, and by id among those of one depth. Nothing is looked at before it is asked for.
    """

    def __init__(self, tree: CategoryTree) -> None:
        self.tree: Final = tree

    @cached_property
    def _lines(self) -> Mapping[str, tuple[Category, ...]]:
        lines = [self.tree.lineage(each) for each in self.tree.by_id]
        lines.sort(key=lambda each: (len(each), each[-1].id))
        return {each[-1].id: each for each in lines}

    @cached_property
    def categories(self) -> list[Category]:
        """By number."""
        return [each[-1] for each in self._lines.values()]

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Those of the categories' ids."""
        return {each: number for number, each in enumerate(self._lines)}

    @cached_property
    def _above(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """For each category, and each that it lies under, itself included: the numbers of both."""
        pairs = [
            (number, self.numbers[above.id])
            for number, line in enumerate(self._lines.values())
            for above in line
        ]
        below, above = np.array(pairs, np.intp).reshape(-1, 2).T
        return below, above

    def facet(self, direct: Mapping[str, int] | Counts, facet: Facet) -> list[Json]:
        """Return the categories with the counts of their subtrees, parents before children.

        Args:
            direct: How many products are filed directly under each category: by id, or by number.
            facet: What is asked for.
        """
        filed = self._by_number(direct) if isinstance(direct, Mapping) else direct
        below, above = self._above
        counts = np.bincount(above, filed[below], len(self.categories)).astype(np.int64)
        if facet.matching is not None:
            for number in np.flatnonzero(counts).tolist():
                if not matches(self.categories[number].name, facet.matching):
                    counts[number] = 0
        categories = self.categories
        return [
            {"value": each.id, "name": each.name, "parent_id": each.parent_id, "count": count}
            for number, count in most(counts)
            for each in (categories[number],)
        ]

    def _by_number(self, direct: Mapping[str, int]) -> Counts:
        filed = np.zeros(len(self.categories), np.int64)
        for category_id, count in direct.items():
            number = self.numbers.get(category_id)
            if number is not None:
                filed[number] = count
        return filed


def most(counts: Counts) -> list[tuple[int, int]]:
    """Return the numbers with the greatest counts, and these: as many as a facet has, ties by number."""
    held = np.flatnonzero(counts)
    # One number for both is sorted far sooner than two are.
    ordered = (counts[held] << _NUMBER_BITS) - held
    ordered.sort()
    best = ordered[: -FACET_VALUES_MAX - 1 : -1]
    numbers = -best & (1 << _NUMBER_BITS) - 1
    return list(zip(numbers.tolist(), (best + numbers >> _NUMBER_BITS).tolist(), strict=True))
