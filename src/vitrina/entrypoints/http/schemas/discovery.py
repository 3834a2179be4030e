"""Suggestions, related products, comparisons and the catalog in numbers."""

from typing import Annotated, Literal

from pydantic import Field

from vitrina.entrypoints.http.schemas.listing import FacetRange, FacetValue
from vitrina.entrypoints.http.schemas.products import Product
from vitrina.entrypoints.http.schemas.values import Id, Image, Money, Strict


class RelatedProduct(Product):
    """A product, and how like the one asked about it is."""

    score: Annotated[float, Field(ge=0, le=1)]


class RelatedList(Strict):
    """Products that are like one, the best first."""

    items: list[RelatedProduct]


class Suggestion(Strict):
    """How what was typed may go on."""

    kind: Literal["query", "product", "brand", "category"]
    text: str
    id: str | None = Field(description="Of the product or category.")
    count: Annotated[int, Field(ge=0)] | None = Field(
        description="How many active products the brand or category has."
    )


class SuggestionList(Strict):
    """Suggestions, by kind, the best first."""

    items: list[Suggestion]


class ComparedProduct(Strict):
    """A product above the rows of a comparison."""

    id: Id
    sku: str | None
    title: str
    slug: str | None
    brand: str | None
    price: Money | None
    url: str | None
    image: Image | None


class ComparisonRow(Strict):
    """One property of all products."""

    attribute: str = Field(description="A field, or `attributes.NAME`.")
    label: str
    unit: str | None = Field(description="Of the numbers: a currency or a unit of measure.")
    values: list[str | float | bool | list[str] | None] = Field(
        description="One for each product; null: missing."
    )
    differs: bool
    order: list[int] = Field(description="Of numbers: the places of the products, the least first.")
    best: list[int] = Field(description="The places of the best, where that is known.")


class Comparison(Strict):
    """Products side by side; the rows that differ come first."""

    products: list[ComparedProduct]
    rows: list[ComparisonRow]


class Statistics(Strict):
    """The catalog in numbers; products of every status are counted."""

    total: Annotated[int, Field(ge=0)]
    by_status: list[FacetValue]
    by_category: list[FacetValue]
    by_brand: list[FacetValue]
    by_condition: list[FacetValue]
    by_availability: list[FacetValue]
    price: FacetRange
    rating: FacetRange
