"""Lists that are asked for again and again, kept sorted until the next change.

The engine finds a sorted page by looking at all that matches. Where people leaf through a category, or
narrow it by price, the same list is asked for over and over: from the third time on it is kept as the
sorted numbers of what it holds, and a page, a range and a total are found in it by bisection. The numbers
are those of the first level of an order (see :mod:`~vitrina.adapters.index.walking`): what shares one is
sorted when it is read.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import tantivy
from tantivy import Order, Query

from vitrina.adapters.index.conditions import bound
from vitrina.adapters.index.narrowing import count
from vitrina.adapters.index.walking import Found, Path, Walker
from vitrina.service_layer.queries import RANGES, Filter

ASKED_FROM: Final = 3
"""The how manieth question for a list makes it be kept."""

LIST_MAX: Final = 100_000
"""Longer lists are not kept: to read one takes about 0.4 µs for each product."""

ENTRIES_MAX: Final = 300_000
"""How many products all lists of one state have together: about 40 MB, and 60 once all their ids are read."""

QUESTIONS_MAX: Final = 1_024
"""How many lists are counted how often they were asked for."""

WINDOW_MAX: Final = 2_000
"""Where more products than this must be sorted for a page, the engine does it."""

type Name = tuple[object, ...]
"""What tells a list from all others of its state."""


def split(filters: Iterable[Filter], field: str) -> tuple[list[Filter], tuple[Filter, ...]]:
    """Return the filters that cut a list sorted by *field* at one place, and the others."""
    ranges: list[Filter] = []
    others: list[Filter] = []
    for each in filters:
        cuts = each.field == field and each.operator in RANGES and len(each.values) == 1
        (ranges if cuts else others).append(each)
    return ranges, tuple(others)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a list: all of it, or what some ranges leave.

    Attributes:
        numbers: Of the whole list, ascending.
        addresses: Of the products that have them.
        ids: Theirs; "" where it was not yet read.
        first: Place of the first that belongs to the part.
        end: Place behind the last.
    """

    numbers: Sequence[float]
    addresses: Sequence[tantivy.DocAddress]
    ids: list[str]
    first: int
    end: int

    @property
    def total(self) -> int:
        """How many products are in it."""
        return self.end - self.first

    def narrowed(self, ranges: Iterable[Filter]) -> "Part":
        """Return what the ranges leave."""
        first, end = self.first, self.end
        for each in ranges:
            number = bound(each.field, each.values[0])
            match each.operator.value:
                case "gt":
                    first = max(first, bisect_right(self.numbers, number))
                case "gte":
                    first = max(first, bisect_left(self.numbers, number))
                case "lt":
                    end = min(end, bisect_left(self.numbers, number))
                case _:
                    end = min(end, bisect_right(self.numbers, number))
        return Part(self.numbers, self.addresses, self.ids, first, max(first, end))

    def page(
        self, walker: Walker, order: Path, need: int, after: Found | None
    ) -> list[Found] | None:
        """Return the next products after one of them, or nearly so; None if that is much work."""
        first, end = self.first, self.end
        if order.levels[0].descending:
            if after is not None:
                end = min(end, bisect_right(self.numbers, after.keys[0]))
            last = end if after is None else bisect_left(self.numbers, after.keys[0])
            if last - need > first:
                first = max(first, bisect_left(self.numbers, self.numbers[last - need]))
        else:
            if after is not None:
                first = max(first, bisect_left(self.numbers, after.keys[0]))
            begin = first if after is None else bisect_right(self.numbers, after.keys[0])
            if begin + need < end:
                end = min(end, bisect_right(self.numbers, self.numbers[begin + need - 1]))
        if end - first > WINDOW_MAX:
            return None
        addresses, ids = self.addresses[first:end], self.ids[first:end]
        if "" in ids:
            # Others may read them at the same time: they will find the same.
            ids = self.ids[first:end] = walker.ids(addresses)
        return walker.ordered(self.numbers[first:end], addresses, ids, order, after)[:need]


class Lists:
    """The kept lists of one state of the index. Safe to use from several threads."""

    def __init__(self) -> None:
        self._asked: Counter[Name] = Counter()
        self._kept: dict[Name, Part | None] = {}
        self._room = ENTRIES_MAX

    def find(
        self, name: Name, searcher: tantivy.Searcher, wanted: Callable[[], Query], field: str
    ) -> Part | None:
        """Return the list of what meets a query, sorted by a number field; None if it is not kept.

        Args:
            name: Of the list, the same whenever it is asked for.
            searcher: Of the state.
            wanted: Returns what it holds; all of it has a value in the field.
            field: To sort by.
        """
        if name in self._kept:
            return self._kept[name]
        if name not in self._asked and len(self._asked) >= QUESTIONS_MAX:
            return None
        self._asked[name] += 1
        if self._asked[name] < ASKED_FROM:
            return None
        query = wanted()
        total = count(searcher, query)
        if total > min(LIST_MAX, self._room):
            self._kept[name] = None
            return None
        self._room -= total
        hits = searcher.search(
            query, max(total, 1), count=False, order_by_field=field, order=Order.Asc
        ).hits
        numbers, addresses = [number for number, _ in hits], [each for _, each in hits]
        kept = Part(numbers, addresses, [""] * len(hits), 0, len(hits))
        self._kept[name] = kept
        return kept
