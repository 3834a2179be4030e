"""Sorted pages out of a search engine that sorts by one number at a time.

An order is a list of number fields, the id's own levels last, and what they leave undecided is decided
by the ids themselves. A page is found from the place where the one before ended: first what has the same
first number and comes later by the others, then what has a later first number. So a page deep in
the list is not counted from the top, and writes in between move nothing.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple

import tantivy
from tantivy import FieldType, Occur, Order, Query

from vitrina.adapters.index.encoding import read_id
from vitrina.adapters.index.schema import ID_FIELDS, INTEGERS

FEW: Final = 64
"""Products that share a number, but are no more than this, are sorted here at once."""

TIE_MAX: Final = 1_000_000
"""How many products may agree in everything but the end of a very long id or title."""


@dataclass(frozen=True, slots=True)
class Level:
    """A number field to sort by."""

    field: str
    descending: bool = False

    @property
    def kind(self) -> FieldType:
        if self.field == "rating":
            return FieldType.Float
        return FieldType.Integer if self.field in INTEGERS else FieldType.Unsigned


@dataclass(frozen=True, slots=True)
class Path:
    """An order as number fields.

    Attributes:
        levels: To sort by, the id's last.
        text_at: How many of the levels are the beginning of a text; 0 when there is none. Where it
            fills them all, its rest decides before the levels that follow.
    """

    levels: tuple[Level, ...]
    text_at: int = 0

    @property
    def is_by_number(self) -> bool:
        """Whether it is by one number, and then by id."""
        return self.levels[1:] == ID_PATHS[False].levels


class Found(NamedTuple):
    """A product on a page.

    Attributes:
        id: Of the product.
        keys: Its numbers in the levels it was sorted by.
        text: The whole text that the first of them are the beginning of, where they do not hold it.
    """

    id: str
    keys: tuple[float, ...]
    text: str = ""


ID_PATHS: Final = {
    descending: Path(tuple(Level(name, descending) for name in ID_FIELDS))
    for descending in (False, True)
}
"""Sorting by id, ascending and descending."""


@lru_cache(maxsize=64)
def path(*fields: str, descending: bool = False, text: bool = False) -> Path:
    """Return the order by number fields and then by id."""
    levels = tuple(Level(name, descending) for name in fields) + ID_PATHS[False].levels
    return Path(levels, len(fields) if text else 0)


def is_filled(last_level: float) -> bool:
    """Say whether a text fills its levels, so that there may be more of it."""
    return bool(int(last_level) & 0xFF)


@dataclass(frozen=True, slots=True)
class Walker:
    """Reads sorted pages from one state of the index.

    Products have only as many levels of the id as it takes to tell them apart. Where one has no further level, no
    other product shares those that it has, so that a walk never comes to a level that is missing.

    Attributes:
        searcher: That state.
        schema: Of the index.
        prefix: What most ids begin with.
        texts: Returns the whole texts of products, for a path that begins with one.
        counted: How many products match, for each first page that was read.
    """

    searcher: tantivy.Searcher
    schema: tantivy.Schema
    prefix: str
    texts: Callable[[Sequence[str]], Sequence[str]] = list
    counted: list[int] = field(default_factory=list)

    def page(self, query: Query, order: Path, need: int, after: Found | None = None) -> list[Found]:
        """Return the next *need* products that match, after one of them.

        Every match must have a value in each level.
        """
        return list(self._walk(query, order, 0, need, after)) if need else []

    def ordered(
        self,
        numbers: Sequence[float],
        addresses: Sequence[tantivy.DocAddress],
        ids: Sequence[str],
        order: Path,
        after: Found | None,
    ) -> list[Found]:
        """Return those of some documents that come after one, in order.

        Args:
            numbers: Of the documents in the first level, ascending.
            addresses: Theirs.
            ids: Theirs.
            order: To sort them by.
            after: May be among them.
        """
        if order.is_by_number:
            placed = _placed(numbers, ids, order)
            if after is not None:
                (place,) = _placed(after.keys[:1], [after.id], order)
                placed = placed[bisect_right(placed, place) :]
            return _found(placed, order)
        step = -1 if order.levels[0].descending else 1
        hits = list(zip(numbers[::step], addresses[::step], strict=True))
        # Only the whole place of a product tells which of those that share its number come later.
        depth = 0 if after is None else None
        return _later(self._sorted(hits, order, depth, ids[::step]), after, order)

    def ids(self, addresses: Sequence[tantivy.DocAddress]) -> list[str]:
        """Return the ids of documents."""
        places = list(addresses)
        heads = self.searcher.fast_field_values(ID_FIELDS[0], places)
        ids = [read_id((int(_known(each)),), self.prefix) for each in heads]
        untold = [place for place, known in zip(places, ids, strict=True) if known is None]
        if not untold:
            return [each for each in ids if each is not None]
        others = iter(self._read_ids(untold))
        return [next(others) if each is None else each for each in ids]

    def _read_ids(self, places: list[tantivy.DocAddress]) -> Iterator[str]:
        """Yield the ids of documents whose places in the order of ids do not tell them."""
        columns: list[list[int]] = [[0] * len(places)]
        for name in ID_FIELDS[1:]:
            columns.append(
                [int(each or 0) for each in self.searcher.fast_field_values(name, places)]
            )
            if not any(map(is_filled, columns[-1])):
                break  # Most ids are short: what would follow is known.
        for address, levels in zip(places, zip(*columns, strict=True), strict=True):
            known = read_id(levels, self.prefix)
            yield self._kept_id(address) if known is None else known

    def _kept_id(self, address: tantivy.DocAddress) -> str:
        kept: Any = self.searcher.doc(address).get_first("long")
        return bytes(kept).decode()

    def _walk(
        self, query: Query, order: Path, depth: int, need: int, after: Found | None
    ) -> Iterator[Found]:
        level = order.levels[depth]
        count = 0
        if after is not None:
            for each in self._within(query, order, depth, after.keys[depth], need, after):
                count += 1
                yield each
            query = _both(query, self._past(level, after.keys[depth]))
        if count >= need:
            return
        asked = need - count + 1
        whole_query = depth == 0 and after is None
        hits = self._search(query, asked, level, counting=whole_query)
        cut = len(hits) == asked and hits[-1][0] == hits[-2][0]
        whole = [hit for hit in hits if not cut or hit[0] != hits[-1][0]]
        yield from self._sorted(whole, order, depth)[: need - count]
        if cut and (rest := need - count - len(whole)) > 0:
            # The last number is shared by more products than fit: the next level decides which.
            yield from self._within(query, order, depth, hits[-1][0], rest, None)

    def _within(
        self, query: Query, order: Path, depth: int, key: float, need: int, after: Found | None
    ) -> Iterator[Found]:
        """Yield what has one number in a level, as the levels after it sort it."""
        query = _both(query, self._at(order.levels[depth], key))
        hits = self.searcher.search(query, FEW + 1, count=False).hits
        depth += 1
        if len(hits) > FEW:
            if depth < len(order.levels) and not (depth == order.text_at and is_filled(key)):
                yield from self._walk(query, order, depth, need, after)
                return
            hits = self.searcher.search(query, TIE_MAX, count=False).hits
        yield from _later(self._sorted(hits, order), after, order)[:need]

    def _search(
        self, query: Query, limit: int, level: Level, *, counting: bool
    ) -> list[tuple[float, tantivy.DocAddress]]:
        order = Order.Desc if level.descending else Order.Asc
        found = self.searcher.search(
            query, limit, count=counting, order_by_field=level.field, order=order
        )
        if counting:
            self.counted.append(found.count)  # type: ignore[attr-defined] # as in narrowing.count
        return found.hits

    def _sorted(
        self,
        hits: Sequence[tuple[float, tantivy.DocAddress]],
        order: Path,
        depth: int | None = None,
        ids: Sequence[str] | None = None,
    ) -> list[Found]:
        """Return what was found, in order.

        Args:
            hits: Documents, with their numbers in the level they were sorted by.
            order: To sort them by.
            depth: That level; None when they are in no order.
            ids: Theirs, if they are known.
        """
        addresses = [address for _, address in hits]
        if not addresses:
            return []
        ids = self.ids(addresses) if ids is None else ids
        if depth == 0 and len({key for key, _ in hits}) == len(hits):
            # Told apart by the first number, they are in order, and the others do not matter.
            return [Found(each, (key,)) for each, (key, _) in zip(ids, hits, strict=True)]
        if depth == 0 and order.is_by_number:
            return _found(_placed([key for key, _ in hits], ids, order), order)
        columns = [self.searcher.fast_field_values(each.field, addresses) for each in order.levels]
        keys = [tuple([number or 0 for number in each]) for each in zip(*columns, strict=True)]
        if order.text_at == 0:
            return _sort(list(map(Found, ids, keys)), order)
        filled = [is_filled(each[order.text_at - 1]) for each in keys]
        asked = [product_id for product_id, full in zip(ids, filled, strict=True) if full]
        texts = dict(zip(asked, self.texts(asked), strict=True))
        found = [
            Found(each, numbers, texts.get(each, ""))
            for each, numbers in zip(ids, keys, strict=True)
        ]
        return _sort(found, order)

    def _at(self, level: Level, key: float) -> Query:
        return Query.range_query(self.schema, level.field, level.kind, key, key)

    def _past(self, level: Level, key: float) -> Query:
        if level.descending:
            return Query.range_query(
                self.schema, level.field, level.kind, None, key, include_upper=False
            )
        return Query.range_query(
            self.schema, level.field, level.kind, key, None, include_lower=False
        )


def _known(value: float | None) -> float:
    if value is None:
        raise ValueError("a product without a value in a level it is sorted by")
    return value


def _placed(numbers: Sequence[float], ids: Sequence[str], order: Path) -> list[tuple[float, str]]:
    """Return the places of products in an order by a number and then by id, the first one first.

    What shares the number is in the order of the ids, so that their levels need not be read.
    """
    if order.levels[0].descending:
        numbers = [-each for each in numbers]
    return sorted(zip(numbers, ids, strict=True))


def _found(placed: Iterable[tuple[float, str]], order: Path) -> list[Found]:
    """Return the products that have these places."""
    if order.levels[0].descending:
        return [Found(each, (-number,)) for number, each in placed]
    return [Found(each, (number,)) for number, each in placed]


def _sort(found: list[Found], order: Path) -> list[Found]:
    """Return the products in the order of the levels and the text, then by id."""
    found = sorted(found, key=lambda each: each.id, reverse=order.levels[-1].descending)
    for place in reversed(range(len(order.levels))):
        found.sort(key=lambda each: each.keys[place], reverse=order.levels[place].descending)
        if place == order.text_at and order.text_at:
            found.sort(key=lambda each: each.text, reverse=order.levels[0].descending)
    return found


def _later(found: list[Found], after: Found | None, order: Path) -> list[Found]:
    """Return those of the sorted products that come after one, which may be among them."""
    if after is None:
        return found
    others = [each for each in found if each.id != after.id]
    every = _sort([*others, after], order)
    return every[every.index(after) + 1 :]


def _both(left: Query, right: Query) -> Query:
    return Query.boolean_query([(Occur.Must, left), (Occur.Must, right)])
