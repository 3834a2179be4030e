"""The words of the read side: what may be asked of the product index, and what it answers.

A :class:`ProductQuery` is already parsed and typed; the texts of an HTTP query string become one
in :mod:`vitrina.service_layer.query_string`. Its parts are named tuples: what is known of a state of the
index is found by them, and a tuple is made and hashed three times as fast as a frozen dataclass.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from vitrina.service_layer.documents import Document, Json

LIMIT_DEFAULT: Final = 20
LIMIT_MAX: Final = 200
IDS_MAX: Final = 200
FILTER_VALUES_MAX: Final = 50
FILTER_TEXT_MAX: Final = 1_000
TEXT_MAX: Final = 10_000
FACETS_MAX: Final = 20
FACET_VALUES_MAX: Final = 200
SUGGESTIONS_MAX: Final = 20
SUGGESTION_TEXT_MAX: Final = 200
RELATED_MAX: Final = 50


class FieldKind(StrEnum):
    """How the values of a field are compared."""

    KEYWORD = "keyword"  # equal or not, code point by code point
    NUMBER = "number"  # by size, exactly
    TIME = "time"  # by instant
    CATEGORY = "category"  # within a subtree
    ATTRIBUTE = "attribute"  # text, number, boolean or measure, as each product has it


FILTER_FIELDS: Final[Mapping[str, FieldKind]] = {
    "brand": FieldKind.KEYWORD,
    "category": FieldKind.CATEGORY,
    "status": FieldKind.KEYWORD,
    "condition": FieldKind.KEYWORD,
    "availability": FieldKind.KEYWORD,
    "tag": FieldKind.KEYWORD,
    "sku": FieldKind.KEYWORD,
    "gtin": FieldKind.KEYWORD,
    "price": FieldKind.NUMBER,
    "quantity": FieldKind.NUMBER,
    "rating": FieldKind.NUMBER,
    "created_at": FieldKind.TIME,
    "updated_at": FieldKind.TIME,
}
"""The fixed fields that a query may filter by; ``attributes.NAME`` comes beside them."""

ATTRIBUTE_PREFIX: Final = "attributes."

SORT_FIELDS: Final = ("price", "title", "created_at", "updated_at", "rating")
"""The fixed fields that a query may sort by; ``relevance`` and ``attributes.NAME`` beside them."""

FACET_FIELDS: Final = (
    "brand",
    "category",
    "status",
    "condition",
    "availability",
    "tag",
    "price",
    "quantity",
    "rating",
)
"""The fixed fields whose values can be counted; ``attributes.NAME`` beside them."""


def kind_of(field_name: str) -> FieldKind:
    """Return how the values of a filter's or facet's field are compared."""
    if field_name.startswith(ATTRIBUTE_PREFIX):
        return FieldKind.ATTRIBUTE
    return FILTER_FIELDS[field_name]


class Operator(StrEnum):
    """How a filter compares. ``EXISTS`` takes one boolean."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EXISTS = "exists"


RANGES: Final = frozenset({Operator.GT, Operator.GTE, Operator.LT, Operator.LTE})

type FilterValue = str | bool | Decimal | datetime


class Filter(NamedTuple):
    """One condition; a query's filters must all hold.

    Attributes:
        field: A key of :data:`FILTER_FIELDS`, or ``attributes.NAME``.
        operator: With ``EQ`` any of the values may match; with ``NE`` none may, and a product
            without the field passes; ``EXISTS`` asks whether the field has a value.
        values: At least one. Text for keywords, categories and attributes, exact decimals for
            numbers, aware UTC times for times. Prices compare by amount, whatever the currency.
            An attribute's text is read as each product's own value is: as text, code point by code
            point; as ``true`` or ``false``; as a number, the nearest double; and for a measure as a
            number with a unit, which is converted, or as a bare number in the product's own unit.
    """

    field: str
    operator: Operator
    values: tuple[FilterValue, ...]


class Sort(NamedTuple):
    """The order of the answer. Ties are broken by id, ascending; missing values come last.

    Attributes:
        field: One of :data:`SORT_FIELDS`, ``relevance``, ``id`` or ``attributes.NAME``.
            Titles are compared without case and accents. Of an attribute, numbers come before
            measures (by dimension and size), these before booleans, and these before texts, which
            are compared as titles are; a list stands where its first text does.
    """

    field: str
    descending: bool = False


type Position = tuple[str | int | float | None, ...]
"""Where a page ends: opaque to all but the index that made it; survives JSON."""


class Facet(NamedTuple):
    """A field whose values are to be counted among the products that match.

    The filters on this field itself do not narrow its counts, so that a multi-select works.

    Attributes:
        field: One of :data:`FACET_FIELDS`, or ``attributes.NAME``.
        matching: Only values that hold, for each of these words, one that begins with it
            (without case and accents); None counts all.
    """

    field: str
    matching: str | None = None


@dataclass(frozen=True, slots=True)
class ProductQuery:
    """What to find, in which order, and how much of it.

    Attributes:
        text: Words to find, or None.
        filters: All must hold.
        sort: None is ``relevance`` with a text, else by id.
        limit: 1 to 200.
        after: The position that the page before gave, or None for the first page.
        facets: At most 20.
        highlight: Mark the words that were found.
        explain: Say why each product was found.
        why_not: The id of a product, to be told why it was not found.
    """

    text: str | None = None
    filters: tuple[Filter, ...] = ()
    sort: Sort | None = None
    limit: int = LIMIT_DEFAULT
    after: Position | None = None
    facets: tuple[Facet, ...] = ()
    highlight: bool = False
    explain: bool = False
    why_not: str | None = None

    @property
    def order(self) -> Sort:
        """The sort that holds when none is asked for made explicit."""
        if self.sort is None or (self.sort.field == "relevance" and self.text is None):
            return Sort("id" if self.text is None else "relevance")
        return self.sort


class SuggestionKind(StrEnum):
    """What a suggestion leads to."""

    QUERY = "query"
    PRODUCT = "product"
    BRAND = "brand"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """How what was typed so far may go on.

    Attributes:
        kind: What it leads to.
        text: A query, a product's title, or the name of a brand or category.
        id: Of the product or category; None for the others.
        count: How many active products there are of it; None for a product.
    """

    kind: SuggestionKind
    text: str
    id: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Related:
    """A product that is like another.

    Attributes:
        id: Of the product.
        score: How like it is; 1 is as like as can be.
    """

    id: str
    score: float


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of an answer.

    Attributes:
        ids: The products, in order; at most the query's limit.
        total: How many match on all pages together; exact.
        next: The position after the last of ``ids``; None when nothing follows.
        facets: Field → its facet. Prices, quantities and ratings are ``{"min", "max", "buckets":
            [{"from", "to", "count"}]}``, where a bucket holds ``from`` ≤ value < ``to``; all others
            are lists of at most 200 ``{"value", "count"}``, the most frequent first, those of
            categories with ``name`` and ``parent_id`` and counted with their subtree.
        facet_stats: Attribute → ``{"min", "max", "unit"}`` of its numbers, for the facets that
            have any; measures of one dimension are converted to the unit most of them have.
        highlights: Id → field → its text as HTML with ``<mark>`` around the words that were found.
        explanations: Id → ``{"words_held", "words": [{"word", "found": [{"field", "text",
            "how"}]}]}``.
        why_not: ``{"id", "found", "removed": [{"by", "detail"}]}``, when it was asked for.
    """

    ids: tuple[str, ...]
    total: int
    next: Position | None = None
    facets: Mapping[str, Json] = field(default_factory=dict)
    facet_stats: Mapping[str, Document] = field(default_factory=dict)
    highlights: Mapping[str, Document] = field(default_factory=dict)
    explanations: Mapping[str, Document] = field(default_factory=dict)
    why_not: Document | None = None
