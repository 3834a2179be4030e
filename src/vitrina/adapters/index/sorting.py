"""Pages in the order of a field: of numbers and titles, of ids, and of attributes."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from itertools import groupby
from typing import Final

from tantivy import Query

from vitrina.adapters.index import orders
from vitrina.adapters.index.encoding import (
    escape,
    id_levels,
    title_levels,
    value_term,
)
from vitrina.adapters.index.lists import split
from vitrina.adapters.index.narrowing import all_of, any_of, without
from vitrina.adapters.index.orders import Key
from vitrina.adapters.index.pages import Page
from vitrina.adapters.index.rows import Row
from vitrina.adapters.index.schema import ID_FIELDS, TITLE_FIELDS
from vitrina.adapters.index.state import State
from vitrina.adapters.index.tallies import VALUES_MAX, TooManyValues
from vitrina.adapters.index.walking import ID_PATHS, Found, Path, Walker, is_filled, path
from vitrina.domain.errors import BadCursor, Fault, InvalidQuery
from vitrina.service_layer.ports import CatalogView
from vitrina.service_layer.queries import ATTRIBUTE_PREFIX, Filter, ProductQuery

_ALWAYS_SET: Final = frozenset({"id", "title"})


class Moved(Exception):
    """A product that was found is no longer in the catalog: look again."""


class Sorting:
    """One page in the order of a field, on one state of the index."""

    def __init__(
        self,
        state: State,
        view: CatalogView,
        query: ProductQuery,
        base: Callable[[Sequence[Filter]], Query],
        numbers: tuple[int, ...],
    ) -> None:
        """Prepare to sort.

        Args:
            state: Of the index.
            view: The catalog, for titles that the index does not hold as a whole.
            query: What is asked for.
            base: Returns what matches its text and some filters.
            numbers: Of the plan for its text.
        """
        self._state = state
        self._query = query
        self._order = query.order
        self._base = base
        self._numbers = numbers
        # No method of its own: whoever holds itself in a circle is let go of late, with the whole state.
        self._titles = partial(_titles, view)
        self._walker = Walker(state.searcher, state.narrowing.schema, state.prefix, self._titles)
        self.total: int | None = None
        """How many products match, where that was told by the way."""

    def page(self) -> Page:
        """Return the page that was asked for.

        Raises:
            BadCursor: It is to begin at a position that is not one of this order.
            InvalidQuery: There are too many values to sort by.
            Moved: A product was deleted meanwhile.
        """
        field = self._order.field
        if field.startswith(ATTRIBUTE_PREFIX):
            return self._by_attribute(self._matched, field)
        page = self._by_field(field)
        if self.total is None and self._all_have(field) and self._walker.counted:
            self.total = self._walker.counted[0]
        return page

    @cached_property
    def _matched(self) -> Query:
        """What matches; a page out of a list that is kept does without it."""
        return self._base(self._query.filters)

    def _all_have(self, field: str) -> bool:
        return field in _ALWAYS_SET or self._state.all_have(field)

    def _having(self, base: Query, field: str) -> Query:
        """Return what of *base* has a value of a field."""
        if self._all_have(field):
            return base
        return all_of([base, self._state.narrowing.has(field)])

    def _id_keys(self, product_id: str) -> tuple[int, ...]:
        try:
            levels = id_levels(product_id, self._state.prefix)
        except UnicodeEncodeError:
            raise BadCursor from None
        return levels + (0,) * (len(ID_FIELDS) - len(levels))

    def _by_field(self, field: str) -> Page:
        descending = self._order.descending
        match field:
            case "id":
                order = ID_PATHS[descending]
            case "title":
                order = path(*TITLE_FIELDS, descending=descending, text=True)
            case _:
                order = path(field, descending=descending)
        after = self._after()
        need = self._query.limit + 1
        found: list[Found] = []
        if after is None or after[1] is not None:
            begin = None if after is None else self._begin(field, *after)
            kept = self._kept_page(field, order, need, begin)
            if kept is None:
                having = self._having(self._matched, field)
                kept = self._walker.page(having, order, need, begin)
            found = kept
        ids = [each.id for each in found]
        if not self._all_have(field):
            ids += self._without(self._matched, field, need - len(ids), after)
        if len(ids) < need:
            return Page(ids, None)
        last = self._query.limit - 1
        key = self._key(field, found[last]) if last < len(found) else None
        return Page(ids[:-1], orders.position(key, ids[last]))

    def _kept_page(
        self, field: str, order: Path, need: int, begin: Found | None
    ) -> list[Found] | None:
        """Return a page out of a list that is kept; None when there is none."""
        query, state = self._query, self._state
        ranges, others = split(query.filters, field)
        name = (query.text, self._numbers, others, field)
        kept = state.lists.find(
            name,
            state.searcher,
            lambda: self._having(self._base(others), field),
            order.levels[0].field,
        )
        if kept is None:
            return None
        part = kept.narrowed(ranges)
        if ranges or self._all_have(field):
            self.total = part.total
        return part.page(self._walker, order, need, begin)

    def _after(self) -> tuple[str, Key | None] | None:
        after = self._query.after
        return None if after is None else orders.read_position(after, self._order)

    def _begin(self, field: str, last_id: str, key: Key | None) -> Found:
        """Return the place of a position among the levels of a field."""
        ids = self._id_keys(last_id)
        match field, key:
            case "id", ():
                return Found(last_id, ids)
            case "title", (str(title),):
                levels = title_levels(title)
                return Found(last_id, levels + ids, title if is_filled(levels[-1]) else "")
            case "rating", (int() | float() as number,):
                return Found(last_id, (float(number), *ids))
            case "price" | "created_at" | "updated_at", (int(number),):
                return Found(last_id, (number, *ids))
            case _:
                raise BadCursor

    def _key(self, field: str, found: Found) -> Key:
        match field:
            case "id":
                return ()
            case "title":
                return (found.text or self._titles([found.id])[0],)
            case _:
                return (found.keys[0],)

    def _without(
        self, base: Query, field: str, need: int, after: tuple[str, Key | None] | None
    ) -> list[str]:
        """Return what has no value in a field, which comes last, by id."""
        if need <= 0:
            return []
        lacks = all_of([base, self._state.narrowing.lacks(field)])
        begin = None
        if after is not None and after[1] is None:
            begin = Found(after[0], self._id_keys(after[0]))
        return [each.id for each in self._walker.page(lacks, ID_PATHS[False], need, begin)]

    def _by_attribute(self, base: Query, field: str) -> Page:
        """Sort by an attribute: value by value, in the order of the values there are."""
        name = escape(field.removeprefix(ATTRIBUTE_PREFIX))
        after = self._after()
        need = self._query.limit + 1
        ids: list[str] = []
        keys: list[Key | None] = []
        for key, query in self._values(base, name):
            begin = None
            if after is not None:
                last_id, last_key = after
                if last_key is None or not self._comes_later(key, last_key):
                    continue
                begin = Found(last_id, self._id_keys(last_id)) if key == last_key else None
            page = self._walker.page(query, ID_PATHS[False], need - len(ids), begin)
            ids += [each.id for each in page]
            keys += [key] * len(page)
            if len(ids) == need:
                break
        tail = self._without(base, field, need - len(ids), after)
        ids += tail
        keys += [None] * len(tail)
        if len(ids) < need:
            return Page(ids, None)
        return Page(ids[:-1], orders.position(keys[-2], ids[-2]))

    def _comes_later(self, key: Key, last: Key) -> bool:
        """Say whether a value's products may come after a position with the key *last*."""
        try:
            return key <= last if self._order.descending else key >= last
        except TypeError:
            raise BadCursor from None

    def _values(self, base: Query, name: str) -> Iterator[tuple[Key, Query]]:
        """Yield the keys of an attribute's values in order, with what has them."""
        listed = self._state.narrowing.has(f"list:{name}")
        terms: list[tuple[Key, str, str]] = []
        for column, query in (("a", without(listed)), ("first", listed)):
            try:
                held = self._state.tally.attribute_values(all_of([base, query]), name, field=column)
            except TooManyValues:
                detail = (
                    f"More than {VALUES_MAX:,} different values to sort by; narrow it with filters."
                )
                raise InvalidQuery((Fault("sort", "too_many_values", detail),)) from None
            terms += [(orders.attribute_key(each), column, value_term(each)) for each in held]
        terms.sort(reverse=self._order.descending)
        for key, group in groupby(terms, key=lambda each: each[0]):
            ways = [
                all_of(
                    [
                        self._state.narrowing.value(name, term, field=column),
                        without(listed) if column == "a" else listed,
                    ]
                )
                for _, column, term in group
            ]
            yield key, all_of([base, any_of(ways)])


def _titles(view: CatalogView, ids: Sequence[str]) -> list[str]:
    """Return the folded titles of products, as far as the catalog goes beyond the index."""
    titles: list[str] = []
    for stored in view.products(ids):
        if stored is None:
            raise Moved
        titles.append(Row.of(stored).title)
    return titles
