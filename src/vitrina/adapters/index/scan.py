"""An exact index that looks at every product: for small catalogs, and the measure of other indexes.

It follows the catalog: before each search it takes in what was committed since the last one. What it
has filtered and sorted it keeps until the next change, so that further pages and repeated questions cost
little. 25,000 products take about 40 MB.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from threading import Lock
from typing import Final, TypedDict

from vitrina.adapters.index import advice, counts, explanations
from vitrina.adapters.index.conditions import condition
from vitrina.adapters.index.names import Name
from vitrina.adapters.index.orders import Key, arrange, key_of, position, start
from vitrina.adapters.index.rows import Row, Value, words
from vitrina.adapters.index.spelling import begin, begin_like
from vitrina.domain.category import CategoryTree
from vitrina.domain.errors import ChangesGone
from vitrina.domain.text import fold
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.ports import CatalogView, ChangeLog, Stored
from vitrina.service_layer.queries import (
    Facet,
    FieldKind,
    Filter,
    Hits,
    ProductQuery,
    Related,
    Sort,
    Suggestion,
    kind_of,
)

KEPT_MAX: Final = 64
"""How many filtered and sorted lists are kept until the next change."""

WORDS_MAX: Final = 32
"""How many distinct words of a query's text are looked for; the rest are left out."""

BATCH_CHANGES: Final = 1_000


class _Notes(TypedDict):
    """What :mod:`~vitrina.adapters.index.explanations` says of a page."""

    highlights: dict[str, Document]
    explanations: dict[str, Document]
    why_not: Document | None


type _Question = tuple[str | None, tuple[Filter, ...], Sort | None]


class ScanIndex:
    """Meets the port ``ProductIndex`` by brute force. Safe to use from several threads."""

    def __init__(self, view: CatalogView, log: ChangeLog) -> None:
        self._view = view
        self._log = log
        self._lock = Lock()
        self._tree = CategoryTree()
        self._kept: OrderedDict[_Question, list[Row]] = OrderedDict()
        self._seq, self._rows = self._load()

    @property
    def behind(self) -> bool:
        return self._seq < self._view.seq

    def search(self, query: ProductQuery) -> Hits:
        """Return one page of the products that match; see :meth:`ProductIndex.search`."""
        with self._lock:
            self._follow()
            key = self._key(query)
            rows = self._arranged(query, key)
            first = start(rows, key, query.order, query.after)
            page = rows[first : first + query.limit]
            more = first + len(page) < len(rows)
            facets, stats = self._facets(query)
            return Hits(
                ids=tuple(row.id for row in page),
                total=len(rows),
                next=position(key(page[-1]), page[-1].id) if more else None,
                facets=facets,
                facet_stats=stats,
                **self._notes(query, page),
            )

    def _notes(self, query: ProductQuery, page: Sequence[Row]) -> _Notes:
        found: _Notes = {"highlights": {}, "explanations": {}, "why_not": None}
        asked = query_words(query.text or "")
        if asked and (query.highlight or query.explain):
            ids = [row.id for row in page]
            products = [each for each in self._view.products(ids) if each is not None]
            if query.highlight:
                found["highlights"] = {
                    each.id: explanations.highlights(each, _meant(asked)) for each in products
                }
            if query.explain:
                found["explanations"] = {
                    each.id: explanations.explanation(each, self._tree, asked, _meant(asked))
                    for each in products
                }
        if query.why_not is not None:
            (stored,) = self._view.products([query.why_not])
            row = self._rows.get(query.why_not)
            missing = [] if not asked or row is None or self._held(row, asked)[0] else asked
            found["why_not"] = explanations.reasons(
                query.why_not, stored, self._tree, query.filters, missing
            )
        return found

    def suggest(self, text: str, limit: int) -> list[Suggestion]:
        """Return how what was typed so far may go on; see :meth:`ProductIndex.suggest`."""
        facets = (Facet("brand"),)
        hits = self.search(ProductQuery(filters=(advice.ACTIVE,), limit=1, facets=facets))
        brands = [Name(brand, brand, count) for brand, count in counted(hits.facets["brand"])]
        counts = self._view.category_counts()
        categories = [
            Name(each.id, each.name, counts.get(each.id, 0)) for each in self._view.categories()
        ]
        return advice.suggest(
            text,
            limit,
            search=self.search,
            view=self._view,
            brands=partial(named, brands),
            categories=partial(named, categories),
        )

    def related(self, product_id: str, limit: int) -> list[Related]:
        """Return the products most like one; see :meth:`ProductIndex.related`."""
        with self._lock:
            self._follow()
            row = Row.of(self._view.product(product_id))
            active = [condition(advice.ACTIVE, self._tree)]
            found = [
                Related(each.id, self._likeness(row, each))
                for each in self._rows.values()
                if each.id != product_id and active[0](each)
            ]
        found = [each for each in found if each.score]
        return sorted(found, key=lambda each: (-each.score, each.id))[:limit]

    def _likeness(self, row: Row, other: Row) -> float:
        shared = len(row.title_words & other.title_words) / max(len(row.title_words), 1)
        alike = shared * advice.WORDS_WORTH
        for field, worth in (
            ("category", advice.CATEGORY_WORTH),
            ("brand", advice.BRAND_WORTH),
        ):
            mine = row.values.get(field)
            alike += worth * (mine is not None and mine == other.values.get(field))
        if not alike:
            return 0.0
        (price,), (theirs,) = (each.values.get("price", (None,)) for each in (row, other))
        if isinstance(price, int) and isinstance(theirs, int):
            alike += advice.PRICE_WORTH * (price <= 2 * theirs and theirs <= 2 * price)
        return round(alike, 6)

    def _load(self) -> tuple[int, dict[str, Row]]:
        seq, products = self._view.snapshot()
        return seq, {each.id: Row.of(each) for each in products}

    def _follow(self) -> None:
        """Take in what was committed since the last search."""
        while (behind := self._view.seq - self._seq) > 0:
            try:
                changes = self._log.changes(self._seq, limit=min(behind, BATCH_CHANGES))
            except ChangesGone:
                self._seq, self._rows = self._load()
                changes = ()
            for change in changes:
                if not change.type.startswith("product."):
                    pass  # The tree is the view's; only what was kept must go.
                elif change.body is None:
                    self._rows.pop(change.id, None)
                else:
                    stored = Stored.of(change.id, change.version, change.body)
                    self._rows[change.id] = Row.of(stored)
                self._seq = change.seq
            self._kept.clear()
        if (tree := self._view.categories()) is not self._tree:
            self._tree = tree
            self._kept.clear()

    def _key(self, query: ProductQuery) -> Callable[[Row], Key | None]:
        """Return what the query's answer is sorted by."""
        field = query.order.field
        if field != "relevance" or query.text is None:
            return lambda row: key_of(row, field)
        asked = query_words(query.text)
        # The best come first, in an order that ascends.
        return lambda row: tuple(-each for each in self._held(row, asked))

    def _arranged(self, query: ProductQuery, key: Callable[[Row], Key | None]) -> list[Row]:
        """Return all rows that match, in order."""
        question = (query.text, query.filters, query.order)
        kept = self._kept.get(question)
        if kept is None:
            kept = arrange(self._matching(query.text, query.filters), key, query.order)
            self._kept[question] = kept
            if len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)
        self._kept.move_to_end(question)
        return kept

    def _matching(self, text: str | None, filters: Sequence[Filter]) -> list[Row]:
        tests = [condition(each, self._tree) for each in filters]
        rows = [row for row in self._rows.values() if all(test(row) for test in tests)]
        if text is None:
            return rows
        asked = query_words(text)
        return [row for row in rows if self._held(row, asked)[0]]

    def _held(self, row: Row, asked: Sequence[str]) -> tuple[int, int]:
        """Return how many of the words a row holds, and how many of them in its title.

        The last word may be unfinished: it is held by any word that begins with it.
        """
        everywhere = row.words | self._category_words(row)
        *whole, last = asked or ("",)
        held = sum(each in everywhere for each in whole) + _begins(everywhere, last)
        titled = sum(each in row.title_words for each in whole) + _begins(row.title_words, last)
        return held, titled

    def _category_words(self, row: Row) -> frozenset[str]:
        (category_id,) = row.values.get("category", (None,))
        if not isinstance(category_id, str) or category_id not in self._tree.by_id:
            return frozenset()
        return frozenset(words(fold(" ".join(self._tree.path(category_id)))))

    def _facets(self, query: ProductQuery) -> tuple[dict[str, Json], dict[str, Document]]:
        facets: dict[str, Json] = {}
        stats: dict[str, Document] = {}
        for facet in query.facets:
            others = tuple(each for each in query.filters if each.field != facet.field)
            counted = counts.count_values(
                row.values.get(facet.field, ()) for row in self._matching(query.text, others)
            )
            facets[facet.field] = self._facet(facet, counted)
            if kind_of(facet.field) is FieldKind.ATTRIBUTE:
                found = counts.attribute_stats(counted)
                if found is not None:
                    stats[facet.field] = found
        return facets, stats

    def _facet(self, facet: Facet, counted: Mapping[Value, int]) -> Json:
        match kind_of(facet.field):
            case FieldKind.ATTRIBUTE:
                return counts.attribute(counted, facet)
            case FieldKind.NUMBER:
                sizes = {each: n for each, n in counted.items() if isinstance(each, int | float)}
                return counts.numbers(facet.field, sizes)
            case FieldKind.CATEGORY:
                filed = {str(each): n for each, n in counted.items()}
                return counts.categories(filed, self._tree, facet)
            case _:
                return counts.terms({str(each): n for each, n in counted.items()}, facet)


def counted(facet: Json) -> list[tuple[str, int]]:
    """Return the values of a facet of words and their counts."""
    match facet:
        case list():
            return [(str(each["value"]), int(each["count"])) for each in facet]
        case _:
            return []


def named(names: Sequence[Name], typed: Sequence[str], limit: int) -> list[Name]:
    """Return the first names that begin as typed, the most frequent first.

    Where none does, those are taken that begin so with typos.
    """
    held = [(each, words(fold(each.text))) for each in names]
    found = [each for each, own in held if begin(own, typed)]
    found = found or [each for each, own in held if begin_like(own, typed)]
    return sorted(found, key=lambda each: (-each.count, each.text, each.key))[:limit]


def query_words(text: str) -> tuple[str, ...]:
    """Return the distinct words of a query's text, folded, in order, the last one last."""
    found = words(fold(text))
    return tuple(dict.fromkeys(reversed(found)))[:WORDS_MAX][::-1]


def _meant(asked: Sequence[str]) -> explanations.Meant:
    def meant(held: str) -> explanations.Match | None:
        if held in asked:
            return explanations.Match(held, "exact")
        return explanations.Match(asked[-1], "prefix") if held.startswith(asked[-1]) else None

    return meant


def _begins(held: Collection[str], word: str) -> bool:
    return bool(word) and (word in held or any(each.startswith(word) for each in held))
