"""One search on one state of the index: its page, its total, its facets."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import groupby
from typing import Final

from tantivy import Query

from vitrina.adapters.index import orders
from vitrina.adapters.index.encoding import (
    escape,
    head_level,
    id_levels,
    title_levels,
    value_term,
)
from vitrina.adapters.index.lists import split
from vitrina.adapters.index.matches import Matches
from vitrina.adapters.index.narrowing import all_of, any_of, count, without
from vitrina.adapters.index.notes import explanation, highlights, reasons
from vitrina.adapters.index.orders import Key
from vitrina.adapters.index.pages import page_of
from vitrina.adapters.index.planning import ENOUGH
from vitrina.adapters.index.plans import Plan
from vitrina.adapters.index.ranking import Ranking
from vitrina.adapters.index.rows import Row
from vitrina.adapters.index.schema import TITLE_FIELDS
from vitrina.adapters.index.state import FACTS_MAX, Question, State
from vitrina.adapters.index.tallies import VALUES_MAX, Counted, TooManyValues
from vitrina.adapters.index.walking import ID_PATHS, Found, Path, Walker, is_filled, path
from vitrina.domain.errors import BadCursor, Fault, InvalidQuery
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.ports import CatalogView, Stored
from vitrina.service_layer.queries import (
    ATTRIBUTE_PREFIX,
    SORT_FIELDS,
    Facet,
    Filter,
    Hits,
    Position,
    ProductQuery,
)

DEAR: Final = 1_000
"""Where each of a few words is held by so many products, those that hold all are sought only once."""

FEW: Final = 4
"""How many words these are at most."""

ANSWERS_MAX: Final = 256
"""How many whole answers are kept until the next change."""

_ALWAYS_SET: Final = frozenset({"id", "title"})


class Moved(Exception):
    """A product that was found is no longer in the catalog: look again."""


class Search:
    """One search on one state of the index."""

    def __init__(self, state: State, view: CatalogView, query: ProductQuery) -> None:
        self._state = state
        self._view = view
        self._query = query
        self._order = query.order
        self._plan: Plan | None = None
        self._totals: dict[Question, int] = {}
        self._counted: dict[tuple[int, ...], Counted] = {}
        self._found: Matches | None = None
        self._narrowed: Matches | None = None
        self._whole: Query | None = None

    @cached_property
    def _walker(self) -> Walker:
        return Walker(self._state.searcher, self._state.narrowing.schema, self._titles)

    def hits(self) -> Hits:
        """Return the page that was asked for.

        Raises:
            BadCursor: It is to begin at a position that is not one of this order.
            Moved: A product was deleted meanwhile.
        """
        known = self._state.answers.get(self._query)
        if known is not None:
            return known
        hits = self._find()
        if len(self._state.answers) < ANSWERS_MAX:
            self._state.answers[self._query] = hits
        return hits

    def _find(self) -> Hits:
        plan = self._planned()
        if plan is not None:
            self._follow(plan)
        field = self._order.field
        if self._plan is not None and field == "relevance":
            ids, following = self._by_worth(self._plan)
        elif field.startswith(ATTRIBUTE_PREFIX):
            ids, following = self._by_attribute(self._matched(), field)
        else:
            ids, following = self._by_field(field)
        facets, stats = self._facets()
        hits = Hits(tuple(ids), self._total(), following, facets, stats)
        return self._noted(hits)

    @property
    def _continues(self) -> bool:
        """Whether this goes on with an answer that was begun with a plan of its own."""
        return self._query.after is not None and self._order.field == "relevance"

    def _follow(self, plan: Plan) -> None:
        """Look for what a plan says; where too few products hold all words, for what holds some."""
        self._plan = plan
        relaxing = plan.needed > 1 and not self._continues
        self._found = self._state.matching.matches(plan, relaxing=relaxing)
        if self._found is not None:
            self._plan = self._found.plan
            self._narrowed = self._narrow(self._query.filters)
        elif relaxing and not self._finds_enough(plan):
            self._plan = self._state.vocabulary.relaxed(plan)
            self._whole = None

    def _narrow(self, filters: Sequence[Filter]) -> Matches | None:
        """Return what of the matches that are known meets filters; None where the engine is to be asked."""
        if self._found is None:
            return None
        return self._state.matching.narrowed(self._found, self._telling(filters))

    def _finds_enough(self, plan: Plan) -> bool:
        """Say whether enough products hold all words of a plan, whatever the filters leave of them."""
        # Of few products it is far sooner told how many they are than what facets they have.
        many = len(plan.words) <= FEW and self._state.vocabulary.rarest(plan) >= DEAR
        if self._plain_facets() and not many:
            total = count(self._state.searcher, self._matched())
        else:
            total = self._total()
        if total >= ENOUGH:
            return True
        if not self._telling(self._query.filters):
            return False
        return count(self._state.searcher, self._state.vocabulary.match(plan)) >= ENOUGH

    def _noted(self, hits: Hits) -> Hits:
        """Return the page with the notes that were asked for."""
        query, plan, tree = self._query, self._plan, self._state.narrowing.tree
        if not (query.highlight or query.explain) and query.why_not is None:
            return hits
        meant = None if plan is None else self._state.vocabulary.meant(plan)
        found = zip(hits.ids, self._view.products(hits.ids), strict=True)
        known = {key: each for key, each in found if each is not None}
        if meant is not None and plan is not None:
            if query.highlight:
                marked = {key: highlights(each, meant) for key, each in known.items()}
                hits = replace(hits, highlights=marked)
            if query.explain:
                asked = [each.text for each in plan.asked]
                told = {key: explanation(each, tree, asked, meant) for key, each in known.items()}
                hits = replace(hits, explanations=told)
        if query.why_not is not None:
            (stored,) = self._view.products([query.why_not])
            missing: list[str] = []
            if stored is not None and plan is not None and meant is not None:
                missing = self._missing(stored, plan)
            why = reasons(query.why_not, stored, tree, query.filters, missing)
            hits = replace(hits, why_not=why)
        return hits

    def _missing(self, stored: Stored, plan: Plan) -> list[str]:
        """Return the words of a plan that a product lacks, when it does not match for that."""
        itself = self._state.narrowing.term("id", stored.id)
        if count(self._state.searcher, all_of([itself, self._state.vocabulary.match(plan)])):
            return []
        return [
            word.text
            for word in plan.asked
            if not count(self._state.searcher, all_of([itself, self._state.vocabulary.held(word)]))
        ]

    def _planned(self) -> Plan | None:
        text = self._query.text
        if text is None:
            return None
        if not self._continues:
            return self._state.vocabulary.plan(text)
        match self._query.after:
            case (str(), float() | int(), int(), int(), *numbers):
                whole = [each for each in numbers if isinstance(each, int)]
                if len(whole) == len(numbers):
                    return self._state.vocabulary.plan(text, whole)
        raise BadCursor

    def _matched(self) -> Query:
        """Return what matches; a page out of a list that is kept does without it."""
        if self._whole is None:
            self._whole = self._base(self._query.filters)
        return self._whole

    def _base(self, filters: Sequence[Filter]) -> Query:
        narrowed = self._state.narrowing.query(self._telling(filters))
        if self._plan is None:
            return narrowed
        return all_of([self._state.vocabulary.match(self._plan), narrowed])

    def _telling(self, filters: Sequence[Filter]) -> list[Filter]:
        """Return the filters that leave something out."""
        return [each for each in filters if not self._state.is_met_by_all(each)]

    def _having(self, base: Query, field: str) -> Query:
        """Return what of *base* has a value of a field."""
        if field in _ALWAYS_SET or self._state.all_have(field):
            return base
        return all_of([base, self._state.narrowing.has(field)])

    @property
    def _question(self) -> Question:
        numbers = () if self._plan is None else self._plan.numbers
        return self._query.text, self._query.filters, numbers

    def _is_counted(self) -> bool:
        """Say whether the total is known, or is told with the facets."""
        return self._known_total() is not None or bool(self._plain_facets())

    def _known_total(self) -> int | None:
        if self._narrowed is not None:
            return self._narrowed.total
        asked = self._question
        return self._totals.get(asked, self._state.totals.get(asked))

    def _keep_total(self, total: int) -> None:
        asked = self._question
        self._totals[asked] = total
        if len(self._state.totals) < FACTS_MAX:
            self._state.totals[asked] = total

    def _total(self) -> int:
        total = self._known_total()
        if total is None:
            total = self._counted_total()
            self._keep_total(total)
        return total

    def _counted_total(self) -> int:
        if self._plain_facets():
            return self._tallied().total
        total = self._total_of_page()
        return count(self._state.searcher, self._matched()) if total is None else total

    def _plain_facets(self) -> list[Facet]:
        """Return the facets that all filters narrow."""
        narrowed = {each.field for each in self._query.filters}
        return [each for each in self._query.facets if each.field not in narrowed]

    def _tallied(self) -> Counted:
        """Return what is counted of all that matches."""
        numbers = () if self._plan is None else self._plan.numbers
        counted = self._counted.get(numbers)
        if counted is None:
            counted = self._counted[numbers] = self._count(
                self._query.filters, self._plain_facets(), self._narrowed
            )
        return counted

    def _count(
        self, filters: Sequence[Filter], facets: Sequence[Facet], matches: Matches | None
    ) -> Counted:
        """Count facets of what meets some filters.

        Args:
            filters: These.
            facets: To be counted.
            matches: What meets them, where that is known.
        """
        if matches is None:
            return self._state.tally.count(self._base(filters), facets)
        told = self._state.columns.tell(matches.documents, facets)
        rest = [each for each in facets if each.field not in told]
        counted = Counted(matches.total, {}, {})
        if rest:
            counted = self._state.tally.count(self._base(filters), rest)
        found = {field: facet for field, (facet, _) in told.items()}
        stats = {field: each for field, (_, each) in told.items() if each is not None}
        return Counted(counted.total, {**counted.facets, **found}, {**counted.stats, **stats})

    def _total_of_page(self) -> int | None:
        """Return the total when the page was read from all that matches, and so counted it."""
        field = self._order.field
        if field in _ALWAYS_SET or (field in SORT_FIELDS and self._state.all_have(field)):
            return self._walker.counted[0] if self._walker.counted else None
        return None

    def _facets(self) -> tuple[dict[str, Json], dict[str, Document]]:
        filters, plain = self._query.filters, self._plain_facets()
        facets: dict[str, Json] = {}
        stats: dict[str, Document] = {}
        counted = [self._tallied()] if plain else []
        for facet in self._query.facets:
            if facet not in plain:
                others = [each for each in filters if each.field != facet.field]
                counted.append(self._count(others, [facet], self._narrow(others)))
        for each in counted:
            facets |= each.facets
            stats |= each.stats
        ordered = {each.field: facets[each.field] for each in self._query.facets}
        return ordered, stats

    def _titles(self, ids: Sequence[str]) -> list[str]:
        """Return the folded titles of products, as far as the catalog goes beyond the index."""
        return [row.title for row in self._rows(ids)]

    def _rows(self, ids: Sequence[str]) -> list[Row]:
        rows: list[Row] = []
        for stored in self._view.products(ids):
            if stored is None:
                raise Moved
            rows.append(Row.of(stored))
        return rows

    def _id_keys(self, product_id: str) -> tuple[int, ...]:
        try:
            return (head_level(product_id, self._state.prefix), *id_levels(product_id))
        except UnicodeEncodeError:
            raise BadCursor from None

    def _by_worth(self, plan: Plan) -> tuple[list[str], Position | None]:
        if self._narrowed is not None:
            return page_of(self._narrowed, self._query)
        ranking = Ranking(
            self._walker,
            self._state.vocabulary,
            plan,
            self._state.narrowing.query(self._telling(self._query.filters)),
            counting=not self._is_counted(),
        )
        page = page_of(ranking, self._query)
        if ranking.total is not None:
            self._keep_total(ranking.total)
        return page

    def _by_field(self, field: str) -> tuple[list[str], Position | None]:
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
                having = self._having(self._matched(), field)
                kept = self._walker.page(having, order, need, begin)
            found = kept
        ids = [each.id for each in found]
        if field not in _ALWAYS_SET and not self._state.all_have(field):
            ids += self._without(self._matched(), field, need - len(ids), after)
        if len(ids) < need:
            return ids, None
        last = self._query.limit - 1
        key = self._key(field, found[last]) if last < len(found) else None
        return ids[:-1], orders.position(key, ids[last])

    def _kept_page(
        self, field: str, order: Path, need: int, begin: Found | None
    ) -> list[Found] | None:
        """Return a page out of a list that is kept; None when there is none."""
        query, state = self._query, self._state
        ranges, others = split(query.filters, field)
        has_all = field in _ALWAYS_SET or state.all_have(field)
        numbers = () if self._plan is None else self._plan.numbers
        name = (query.text, numbers, others, field)
        kept = state.lists.find(
            name,
            state.searcher,
            lambda: self._having(self._base(others), field),
            order.levels[0].field,
        )
        if kept is None:
            return None
        part = kept.narrowed(ranges)
        if has_all or ranges:
            self._keep_total(part.total)
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
        lacks = all_of([base, without(self._state.narrowing.has(field))])
        begin = None
        if after is not None and after[1] is None:
            begin = Found(after[0], self._id_keys(after[0]))
        return [each.id for each in self._walker.page(lacks, ID_PATHS[False], need, begin)]

    def _by_attribute(self, base: Query, field: str) -> tuple[list[str], Position | None]:
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
            return ids, None
        return ids[:-1], orders.position(keys[-2], ids[-2])

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
