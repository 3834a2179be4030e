"""The words of the read side: what may be asked of the product index, and what it answers.

A :class:`ProductQuery` is already parsed and typed; the texts of an HTTP query string become one
in :mod:`vitrina.service_layer.query_string`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

LIMIT_DEFAULT: Final = 20
LIMIT_MAX: Final = 200
IDS_MAX: Final = 200


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


class Operator(StrEnum):
    """How a filter compares. ``EXISTS`` takes one boolean."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EXISTS = "exists"


type FilterValue = str | bool | Decimal | datetime


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition; a query's filters must all hold.

    Attributes:
        field: A key of :data:`FILTER_FIELDS`, or ``attributes.NAME``.
        operator: With ``EQ`` any of the values may match; with ``NE`` none may, and a product
            without the field passes; ``EXISTS`` asks whether the field is set at all.
        values: At least one. Text for keywords, categories and attributes (an attribute's text
            is read as a number, a boolean or a text, whichever a product's own value is), exact
            decimals for numbers, aware UTC times for times.
    """

    field: str
    operator: Operator
    values: tuple[FilterValue, ...]


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of the answer. Ties are broken by id, ascending; missing values come last.

    Attributes:
        field: One of :data:`SORT_FIELDS`, ``relevance``, ``id`` or ``attributes.NAME``.
            Titles are compared without case and accents.
    """

    field: str
    descending: bool = False


type Position = tuple[str | int | float | None, ...]
"""Where a page ends: opaque to all but the index that made it; survives JSON."""


@dataclass(frozen=True, slots=True)
class ProductQuery:
    """What to find, in which order, and how much of it.

    Attributes:
        text: Words to find, or None.
        filters: All must hold.
        sort: None is ``relevance`` with a text, else by id.
        limit: 1 to 200.
        after: The position that the page before gave, or None for the first page.
        facets: Fields to count values of, among the products that match. Unknown to an index
            that :attr:`ProductIndex.features` says is without them.
    """

    text: str | None = None
    filters: tuple[Filter, ...] = ()
    sort: Sort | None = None
    limit: int = LIMIT_DEFAULT
    after: Position | None = None
    facets: tuple[str, ...] = ()

    @property
    def order(self) -> Sort:
        """The sort that holds when none is asked for made explicit."""
        if self.sort is not None:
            return self.sort
        return Sort("relevance" if self.text else "id", descending=False)


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of an answer.

    Attributes:
        ids: The products, in order; at most the query's limit.
        total: How many match on all pages together; exact.
        next: The position after the last of ``ids``; None when nothing follows.
        facets: Field → its facet, as a document; empty when none were asked for.
    """

    ids: tuple[str, ...]
    total: int
    next: Position | None = None
    facets: Mapping[str, object] = field(default_factory=dict)
