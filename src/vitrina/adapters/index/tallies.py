"""Facets from the search engine's aggregations.

Facets that are narrowed by the same filters are counted in one pass. Of a keyword the engine first gives its
most frequent values; all of them are asked for only when values with equal counts would be cut apart.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import tantivy
from tantivy import Order, Query

from vitrina.adapters.index import counts, encoding
from vitrina.adapters.index.lineages import Lineages
from vitrina.adapters.index.rows import Value
from vitrina.adapters.index.schema import COUNTED_BY, step_field
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.queries import (
    ATTRIBUTE_PREFIX,
    FACET_VALUES_MAX,
    Facet,
    FieldKind,
    kind_of,
)

FIRST_ASKED: Final = 10 * FACET_VALUES_MAX
"""How many values of a keyword are asked for at first."""

VALUES_MAX: Final = 65_000
"""How many distinct values the engine answers at most: the most frequent ones, with their exact counts."""

SEGMENT_VALUES_MAX: Final = 100_000_000
"""A segment of the index tells all of its values: one that it kept to itself would be counted too low."""

_EXACT_MAX: Final = 2**53
"""From here on the engine's doubles are not exact."""

type _Answer = Mapping[str, object]


class TooManyValues(Exception):
    """There are more distinct values than :data:`VALUES_MAX`."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted of the products that match a query.

    Attributes:
        total: How many they are.
        facets: Field → its facet.
        stats: Attribute → the extremes of its numbers.
    """

    total: int
    facets: Mapping[str, Json]
    stats: Mapping[str, Document]


class Tally:
    """Counts facets on one state of the index."""

    def __init__(self, searcher: tantivy.Searcher, lineages: Lineages) -> None:
        self._searcher = searcher
        self._lineages = lineages

    def count(self, query: Query, facets: Sequence[Facet]) -> Counted:
        """Count what matches, and its facets, in one pass."""
        asked: dict[str, object] = {"total": {"value_count": {"field": COUNTED_BY}}}
        for place, facet in enumerate(facets):
            asked |= _question(place, facet)
        answer = self._searcher.aggregate(query, asked)
        found: dict[str, Json] = {}
        stats: dict[str, Document] = {}
        for place, facet in enumerate(facets):
            match kind_of(facet.field):
                case FieldKind.NUMBER:
                    found[facet.field] = self._numbers(query, facet, place, answer)
                case FieldKind.CATEGORY:
                    filed = self._terms(query, facet.field, answer[str(place)])
                    found[facet.field] = self._lineages.facet(filed, facet)
                case FieldKind.ATTRIBUTE:
                    held = self.values(answer[str(place)])
                    found[facet.field] = counts.attribute(held, facet)
                    if (extremes := counts.attribute_stats(held)) is not None:
                        stats[facet.field] = extremes
                case _:
                    every = facet.matching is not None
                    held_terms = self._terms(query, facet.field, answer[str(place)], every=every)
                    found[facet.field] = counts.terms(held_terms, facet)
        return Counted(int(answer["total"]["value"]), found, stats)

    def attribute_values(self, query: Query, name: str, *, field: str = "a") -> dict[Value, int]:
        """Return each value of an attribute among what matches, with its count.

        Raises:
            TooManyValues: There are more than the engine answers.
        """
        asked = {"0": _terms_question(f"{field}.{name}", VALUES_MAX)}
        answer = self._searcher.aggregate(query, asked)["0"]
        if answer["sum_other_doc_count"]:
            raise TooManyValues
        return self.values(answer)

    def terms(self, query: Query, field: str) -> dict[str, int]:
        """Return each value of a keyword among what matches, with its count."""
        asked = {"0": _terms_question(field, VALUES_MAX)}
        return dict(_buckets(self._searcher.aggregate(query, asked)["0"]))

    def values(self, answer: object) -> dict[Value, int]:
        """Return the values of an attribute and their counts from the engine's answer."""
        return {encoding.read_value(term): count for term, count in _buckets(answer)}

    def _terms(
        self, query: Query, field: str, answer: object, *, every: bool = False
    ) -> dict[str, int]:
        found = _buckets(answer)
        full = len(found) == FIRST_ASKED
        # A value beyond the last one may have the same count and come first by its name.
        if full and (every or field == "category" or found[FACET_VALUES_MAX][1] == found[-1][1]):
            asked = {"0": _terms_question(field, VALUES_MAX)}
            found = _buckets(self._searcher.aggregate(query, asked)["0"])
            if len(found) == VALUES_MAX and found[FACET_VALUES_MAX - 1][1] == 1:
                # Most values have one product each: the first of them by name are asked for by name.
                asked["0"]["terms"] |= {"size": 2 * FACET_VALUES_MAX, "order": {"_key": "asc"}}
                named = _buckets(self._searcher.aggregate(query, asked)["0"])
                found = [each for each in found if each[1] > 1]
                found += [each for each in named if each[1] == 1]
        if len(found) > FACET_VALUES_MAX and not every and field != "category":
            least = found[FACET_VALUES_MAX - 1][1]
            # The most frequent come first.
            found = found[: bisect_left(found, -least + 1, key=lambda each: -each[1])]
        return dict(found)

    def _numbers(self, query: Query, facet: Facet, place: int, answer: _Answer) -> Json:
        stats, steps = answer[f"{place}s"], answer[f"{place}b"]
        if not isinstance(stats, Mapping) or not stats["count"]:
            return counts.numbers(facet.field, {})
        lowest, highest = stats["min"], stats["max"]
        if max(abs(lowest), abs(highest)) >= _EXACT_MAX:
            lowest = self._extreme(query, facet.field, Order.Asc)
            highest = self._extreme(query, facet.field, Order.Desc)
        held = {int(float(step)): count for step, count in _buckets(steps)}
        return counts.number_facet(facet.field, lowest, highest, held)

    def _extreme(self, query: Query, field: str, order: Order) -> float:
        has = Query.exists_query(field)
        both = Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, has)])
        ((value, _),) = self._searcher.search(
            both, 1, count=False, order_by_field=field, order=order
        ).hits
        return float(value) if field == "rating" else int(value)


def _question(place: int, facet: Facet) -> dict[str, object]:
    field = facet.field
    match kind_of(field):
        case FieldKind.NUMBER:
            return {
                f"{place}s": {"stats": {"field": field}},
                f"{place}b": _terms_question(step_field(field), VALUES_MAX),
            }
        case FieldKind.ATTRIBUTE:
            name = encoding.escape(field.removeprefix(ATTRIBUTE_PREFIX))
            return {str(place): _terms_question(f"a.{name}", VALUES_MAX)}
        case _:
            return {str(place): _terms_question(field, FIRST_ASKED)}


def _terms_question(field: str, size: int) -> dict[Literal["terms"], dict[str, object]]:
    return {"terms": {"field": field, "size": size, "segment_size": SEGMENT_VALUES_MAX}}


def _buckets(answer: object) -> list[tuple[str, int]]:
    assert isinstance(answer, Mapping)  # noqa: S101 - the engine's own form
    return [(each["key"], each["doc_count"]) for each in answer["buckets"]]
