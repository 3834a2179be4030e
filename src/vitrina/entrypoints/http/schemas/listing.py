"""Lists of products, with what may stand beside the items."""

from typing import Annotated, Literal

from pydantic import Field

from vitrina.entrypoints.http.schemas.products import Product
from vitrina.entrypoints.http.schemas.values import Strict


class FacetValue(Strict):
    """A value, and how many of the matching products have it."""

    value: str | float | bool
    count: Annotated[int, Field(ge=1)]
    name: str = Field("", description="Of a category.")
    parent_id: str | None = Field(None, description="Of a category.")


type Bound = str | float


class FacetBucket(Strict):
    """How many of the matching products have a value from `from` to below `to`."""

    from_: Annotated[Bound | None, Field(alias="from")]
    to: Bound | None
    count: Annotated[int, Field(ge=0)]


class FacetRange(Strict):
    """The numbers of a field; prices are decimal strings."""

    min: Bound | None
    max: Bound | None
    buckets: list[FacetBucket]


class FacetStats(Strict):
    """The extremes of an attribute's numbers, in the unit that most of them have."""

    min: float
    max: float
    unit: str | None


class WordPlace(Strict):
    """Where a word of the query was found."""

    field: str
    text: str = Field(description="The word as it stands in the product.")
    how: Literal["exact", "stem", "prefix", "typo", "joined", "split", "synonym"]


class ExplainedWord(Strict):
    """A word of the query, and where it was found."""

    word: str
    found: list[WordPlace]


class Explanation(Strict):
    """Why a product was found."""

    words_held: Annotated[int, Field(ge=0)]
    words: list[ExplainedWord]


class Removal(Strict):
    """What keeps a product out of an answer."""

    by: str = Field(description="The parameter; `catalog`: there is no such product.")
    detail: str


class WhyNot(Strict):
    """Why a product is not in the answer; it may be on another page when it is `found`."""

    id: str
    found: bool
    removed: list[Removal]


class ProductList(Strict):
    """Products. `missing` is there when they were asked for by `ids`, `facets` when asked for."""

    items: list[Product]
    total: Annotated[int, Field(ge=0, description="How many match on all pages together; exact.")]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")
    facets: dict[str, list[FacetValue] | FacetRange] = Field(
        {}, description="Field → its values, the most frequent first, or its numbers in buckets."
    )
    facet_stats: dict[str, FacetStats] = Field(
        {}, description="Attribute → the extremes of its numbers, for facets that have any."
    )
    missing: list[str] = Field([], description="The ids that no product has.")
    highlights: dict[str, dict[str, str]] = Field(
        {}, description="Id → field → HTML with `<mark>` around the words that were found."
    )
    explanations: dict[str, Explanation] = Field(
        {}, description="Id → in which fields the words were found, and in which form."
    )
    why_not: WhyNot | None = Field(None, description="Why the product asked about is not there.")
