"""What the bodies look like: models for the OpenAPI document only.

Nothing is validated by them. Documents are read and written by
:mod:`vitrina.service_layer.documents`, and a test holds these models to what that module does.
A schema cannot say everything: the check digit of a GTIN, the digits of a currency, and what refers to
other resources are told in words, and answered with a 422 or a 409.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from vitrina.domain import attributes, category, identifiers, product
from vitrina.domain.money import MINOR_DIGITS
from vitrina.service_layer.person_file import CONFLICTS_MAX, PROBLEMS_SHOWN_MAX

_CONTROL: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_ID_CHAR: Final = r"A-Za-z0-9_~:\-"
# Neither "." nor "..".
ID_PATTERN: Final = rf"^(?:[{_ID_CHAR}]|\.[{_ID_CHAR}]|\.\.[{_ID_CHAR}.])[{_ID_CHAR}.]{{0,127}}$"
TEXT_PATTERN: Final = rf"^[^{_CONTROL}]*$"
NOT_BLANK_PATTERN: Final = rf"^[^{_CONTROL}]*[^{_CONTROL}\s][^{_CONTROL}]*$"
LINE_PATTERN: Final = r"^[^\s\x00-\x1f\x7f-\x9f](?:[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
SLUG_PATTERN: Final = r"^[^\s\x00-/:-`{-\x9f]+(?:-[^\s\x00-/:-`{-\x9f]+)*$"
URL_PATTERN: Final = (
    r"^[hH][tT][tT][pP][sS]?://[^\s/?#\x00-\x1f\x7f-\x9f]+[^\s\x00-\x1f\x7f-\x9f]*$"
)
TIME_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$"
AMOUNT_PATTERN: Final = r"^(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,4})?$"
GTIN_PATTERN: Final = r"^(?:[0-9]{8}|[0-9]{12,14})$"

type Id = Annotated[
    str,
    Field(
        min_length=1,
        max_length=identifiers.ID_LENGTH_MAX,
        pattern=ID_PATTERN,
        description="1 to 128 of `A-Z a-z 0-9 . _ ~ : -`, and neither `.` nor `..`. Case-sensitive.",
    ),
]
type Currency = Annotated[
    str, Field(json_schema_extra={"enum": sorted(MINOR_DIGITS)}, description="ISO 4217.")
]
type Slug = Annotated[
    str,
    Field(
        min_length=1,
        max_length=identifiers.SLUG_LENGTH_MAX,
        pattern=SLUG_PATTERN,
        description="Lower-case letters and digits of any script, in groups joined by `-`; unique.",
    ),
]
type Sku = Annotated[
    str,
    Field(
        min_length=1,
        max_length=identifiers.SKU_LENGTH_MAX,
        pattern=LINE_PATTERN,
        description="The merchant's own identifier; unique over the catalog.",
    ),
]
type Gtin = Annotated[
    str,
    Field(pattern=GTIN_PATTERN, description="GTIN-8, -12, -13 or -14 with a right check digit."),
]
type Url = Annotated[str, Field(max_length=product.URL_LENGTH_MAX, pattern=URL_PATTERN)]
type Time = Annotated[
    str,
    Field(
        pattern=TIME_PATTERN,
        description="RFC 3339, UTC, with microseconds.",
        json_schema_extra={"format": "date-time"},
    ),
]
type Title = Annotated[
    str, Field(min_length=1, max_length=product.TITLE_LENGTH_MAX, pattern=NOT_BLANK_PATTERN)
]
type Description = Annotated[
    str, Field(max_length=product.DESCRIPTION_LENGTH_MAX, pattern=TEXT_PATTERN)
]
type Brand = Annotated[
    str, Field(min_length=1, max_length=product.BRAND_LENGTH_MAX, pattern=NOT_BLANK_PATTERN)
]
type Mpn = Annotated[
    str,
    Field(
        min_length=1,
        max_length=product.MPN_LENGTH_MAX,
        pattern=NOT_BLANK_PATTERN,
        description="Manufacturer's part number.",
    ),
]
type Tag = Annotated[
    str, Field(min_length=1, max_length=product.TAG_LENGTH_MAX, pattern=NOT_BLANK_PATTERN)
]
type Count = Annotated[int, Field(ge=0, le=product.COUNT_MAX)]
type Status = Literal["draft", "active", "archived"]
type Condition = Literal["new", "refurbished", "used"]
type Availability = Literal["in_stock", "out_of_stock", "preorder", "backorder"]
type AttributeText = Annotated[
    str, Field(max_length=attributes.TEXT_LENGTH_MAX, pattern=TEXT_PATTERN)
]
type Unit = Annotated[
    str, Field(min_length=1, max_length=attributes.UNIT_LENGTH_MAX, pattern=NOT_BLANK_PATTERN)
]
type CategoryName = Annotated[
    str, Field(min_length=1, max_length=category.NAME_LENGTH_MAX, pattern=NOT_BLANK_PATTERN)
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Money(_Strict):
    """An exact amount."""

    amount: Annotated[str, Field(pattern=AMOUNT_PATTERN, description="A decimal, digit for digit.")]
    currency: Currency


class MoneyInput(_Strict):
    """An exact amount; a JSON number is kept as it is written."""

    amount: Annotated[
        Annotated[str, Field(pattern=AMOUNT_PATTERN)]
        | Annotated[float, Field(ge=0, lt=10**12, json_schema_extra={"type": "number"})],
        Field(description="At most as many digits after the point as the currency has."),
    ]
    currency: Currency


class Image(_Strict):
    """A picture of a product."""

    url: Url
    alt: Annotated[str, Field(max_length=product.ALT_LENGTH_MAX, pattern=TEXT_PATTERN)]


class ImageInput(_Strict):
    """A picture of a product; `alt` is its text for those who cannot see it."""

    url: Url
    alt: Annotated[str, Field(max_length=product.ALT_LENGTH_MAX, pattern=TEXT_PATTERN)] | None = (
        None
    )


class Rating(_Strict):
    """What buyers think."""

    average: Annotated[float, Field(ge=0, le=product.RATING_MAX)]
    count: Count


class Measure(_Strict):
    """A number with its unit."""

    value: float
    unit: Unit


type AttributeValue = (
    AttributeText
    | float
    | bool
    | Annotated[list[AttributeText], Field(max_length=attributes.LIST_LENGTH_MAX)]
    | Measure
)
_ATTRIBUTES: Final[JsonDict] = {
    "maxProperties": attributes.ATTRIBUTES_MAX,
    "propertyNames": {
        "minLength": 1,
        "maxLength": attributes.NAME_LENGTH_MAX,
        "pattern": LINE_PATTERN,
    },
}
_ATTRIBUTES_TEXT: Final = (
    "Name → text, number, boolean, list of texts, or a measure such as `{value: 55, unit: in}`."
)


class Product(_Strict):
    """A product as it is answered. Every field is there; `null` is "not set"."""

    id: Id
    sku: Sku | None
    title: Title
    slug: Slug
    description: Description | None
    status: Status
    brand: Brand | None
    category_id: Id | None
    condition: Condition
    price: Money | None
    list_price: Money | None
    quantity: Count | None = Field(description="Pieces in stock; null is not tracked.")
    availability: Availability
    gtin: Gtin | None
    mpn: Mpn | None
    images: Annotated[list[Image], Field(max_length=product.IMAGES_MAX)]
    attributes: dict[str, AttributeValue] = Field(
        description=_ATTRIBUTES_TEXT, json_schema_extra=_ATTRIBUTES
    )
    tags: Annotated[list[Tag], Field(max_length=product.TAGS_MAX)]
    rating: Rating | None
    url: Url | None
    created_at: Time
    updated_at: Time
    version: Annotated[int, Field(ge=1, description="1, 2, 3, …")]


class ProductInput(_Strict):
    """A product as it is sent. Absent and `null` both mean "not set".

    The read-only fields may be sent back as they were read.
    """

    id: Id | None = Field(None, description="Made by the service when absent (UUIDv7).")
    sku: Sku | None = None
    title: Title
    slug: Slug | None = Field(None, description="Made from the title when absent.")
    description: Description | None = None
    status: Status | None = Field(None, description="`active` when absent.")
    brand: Brand | None = None
    category_id: Id | None = Field(None, description="Of a category that exists.")
    condition: Condition | None = Field(None, description="`new` when absent.")
    price: MoneyInput | None = None
    list_price: MoneyInput | None = Field(
        None, description="Struck through; at least `price`, in the same currency."
    )
    quantity: Count | None = Field(None, description="Pieces in stock; null is not tracked.")
    availability: Availability | None = Field(
        None, description="Follows from `quantity` when absent."
    )
    gtin: Gtin | None = None
    mpn: Mpn | None = None
    images: Annotated[list[ImageInput], Field(max_length=product.IMAGES_MAX)] | None = None
    attributes: dict[str, AttributeValue | None] | None = Field(
        None, description=_ATTRIBUTES_TEXT, json_schema_extra=_ATTRIBUTES
    )
    tags: Annotated[list[Tag], Field(max_length=product.TAGS_MAX)] | None = None
    rating: Rating | None = None
    url: Url | None = Field(None, description="The page where it is sold.")
    created_at: Time | None = Field(None, json_schema_extra={"readOnly": True})
    updated_at: Time | None = Field(None, json_schema_extra={"readOnly": True})
    version: Annotated[int, Field(ge=1)] | None = Field(None, json_schema_extra={"readOnly": True})


class Category(_Strict):
    """A category as it is answered."""

    id: Id
    name: CategoryName
    parent_id: Id | None = Field(description="null for a root.")
    path: Annotated[
        list[CategoryName],
        Field(
            min_length=1,
            max_length=category.DEPTH_MAX,
            description="Names from the root to itself.",
        ),
    ]
    product_count: Annotated[Count, Field(description="Active products in the whole subtree.")]
    version: Annotated[int, Field(ge=1)]


class CategoryBranch(Category):
    """A category with those below it."""

    children: list["CategoryBranch"]


class CategoryInput(_Strict):
    """A category as it is sent. The derived fields may be sent back; they are not looked at."""

    id: Id | None = Field(None, description="May repeat the id in the URL.")
    name: CategoryName
    parent_id: Id | None = Field(None, description="Of a category that exists; null for a root.")
    path: object = Field(None, json_schema_extra={"readOnly": True})
    product_count: object = Field(None, json_schema_extra={"readOnly": True})
    version: object = Field(None, json_schema_extra={"readOnly": True})


class Problem(BaseModel):
    """RFC 9457 Problem Details. Members beyond these tell the facts of the kind of problem."""

    model_config = ConfigDict(extra="allow")

    type: Annotated[str, Field(description="Where the kind of problem is explained.")]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    instance: Annotated[str, Field(description="The path of the request.")]
    code: Annotated[str, Field(pattern="^[a-z][a-z_]*$", description="Stable; test for this.")]
    request_id: Annotated[str, Field(description="Also in the service's log.")]
    trace_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] = Field(
        default="", description="Of the request's `traceparent`."
    )
    errors: list["ProblemError"] = Field(
        default=[], description="Every fault found, at most 100 of them."
    )


class ProblemError(BaseModel):
    """One fault of what was sent."""

    pointer: str = Field(default="", description="RFC 6901 JSON Pointer into the body.")
    parameter: str = Field(default="", description="Name of the query parameter.")
    code: str
    detail: str


class FacetValue(_Strict):
    """A value, and how many of the matching products have it."""

    value: str | float | bool
    count: Annotated[int, Field(ge=1)]
    name: str = Field("", description="Of a category.")
    parent_id: str | None = Field(None, description="Of a category.")


type Bound = str | float


class FacetBucket(_Strict):
    """How many of the matching products have a value from `from` to below `to`."""

    from_: Annotated[Bound | None, Field(alias="from")]
    to: Bound | None
    count: Annotated[int, Field(ge=0)]


class FacetRange(_Strict):
    """The numbers of a field; prices are decimal strings."""

    min: Bound | None
    max: Bound | None
    buckets: list[FacetBucket]


class FacetStats(_Strict):
    """The extremes of an attribute's numbers, in the unit that most of them have."""

    min: float
    max: float
    unit: str | None


class WordPlace(_Strict):
    """Where a word of the query was found."""

    field: str
    text: str = Field(description="The word as it stands in the product.")
    how: Literal["exact", "stem", "prefix", "typo", "joined", "split", "synonym"]


class ExplainedWord(_Strict):
    """A word of the query, and where it was found."""

    word: str
    found: list[WordPlace]


class Explanation(_Strict):
    """Why a product was found."""

    words_held: Annotated[int, Field(ge=0)]
    words: list[ExplainedWord]


class Removal(_Strict):
    """What keeps a product out of an answer."""

    by: str = Field(description="The parameter; `catalog`: there is no such product.")
    detail: str


class WhyNot(_Strict):
    """Why a product is not in the answer; it may be on another page when it is `found`."""

    id: str
    found: bool
    removed: list[Removal]


class ProductList(_Strict):
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


class RelatedProduct(Product):
    """A product, and how like the one asked about it is."""

    score: Annotated[float, Field(ge=0, le=1)]


class RelatedList(_Strict):
    """Products that are like one, the best first."""

    items: list[RelatedProduct]


class Suggestion(_Strict):
    """How what was typed may go on."""

    kind: Literal["query", "product", "brand", "category"]
    text: str
    id: str | None = Field(description="Of the product or category.")
    count: Annotated[int, Field(ge=0)] | None = Field(
        description="How many active products the brand or category has."
    )


class SuggestionList(_Strict):
    """Suggestions, by kind, the best first."""

    items: list[Suggestion]


class ComparedProduct(_Strict):
    """A product above the rows of a comparison."""

    id: Id
    sku: str | None
    title: str
    slug: str | None
    brand: str | None
    price: Money | None
    url: str | None
    image: Image | None


class ComparisonRow(_Strict):
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


class Comparison(_Strict):
    """Products side by side; the rows that differ come first."""

    products: list[ComparedProduct]
    rows: list[ComparisonRow]


class Statistics(_Strict):
    """The catalog in numbers; products of every status are counted."""

    total: Annotated[int, Field(ge=0)]
    by_status: list[FacetValue]
    by_category: list[FacetValue]
    by_brand: list[FacetValue]
    by_condition: list[FacetValue]
    by_availability: list[FacetValue]
    price: FacetRange
    rating: FacetRange


class CategoryList(_Strict):
    """Categories; with `tree=true` the roots, each with its `children`."""

    items: list[Category | CategoryBranch]


class HistoryEntry(_Strict):
    """One version of a product."""

    version: Annotated[int, Field(ge=1)]
    seq: Annotated[int, Field(ge=1, description="The number of the change in the change feed.")]
    at: Time
    type: Literal["product.created", "product.updated", "product.deleted"]
    source: Literal["api", "file", "import"]
    changed: list[str] = Field(description="The fields that took other values.")
    product: Product | None = Field(description="As it was then; null when it was deleted.")


class History(_Strict):
    """The versions of one product, newest first."""

    items: list[HistoryEntry]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


class CategoryRecord(_Strict):
    """A category in the change feed: without what follows from others."""

    id: Id
    name: Annotated[str, Field(min_length=1, max_length=category.NAME_LENGTH_MAX)]
    parent_id: Id | None
    version: Annotated[int, Field(ge=1)]


class ProductChange(_Strict):
    """A product changed."""

    seq: Annotated[int, Field(ge=1)]
    at: Time
    type: Literal["product.created", "product.updated", "product.deleted"]
    source: Literal["api", "file", "import"]
    product_id: Id
    version: Annotated[int, Field(ge=1)]
    changed: list[str] = Field(description="The fields that took other values.")
    data: Product | None = Field(description="The product after the change; null: deleted.")


class CategoryChange(_Strict):
    """A category changed."""

    seq: Annotated[int, Field(ge=1)]
    at: Time
    type: Literal["category.created", "category.updated", "category.deleted"]
    source: Literal["api", "file", "import"]
    category_id: Id
    version: Annotated[int, Field(ge=1)]
    changed: list[str]
    data: CategoryRecord | None = Field(description="The category after the change; null: deleted.")


class ChangeList(_Strict):
    """Changes, oldest first, without gaps in `seq`."""

    items: list[ProductChange | CategoryChange]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")
    last_seq: Annotated[
        int, Field(ge=0, description="Ask for what comes `after` this number next time.")
    ]
    latest_seq: Annotated[int, Field(ge=0, description="The newest change of the catalog.")]


class FileProblem(_Strict):
    """Something wrong in the product file."""

    file: str
    line: Annotated[int, Field(ge=0, description="0: the file as a whole.")]
    column: Annotated[
        int, Field(ge=0, description="In CSV the number of the cell, in JSON the character; or 0.")
    ]
    header: str
    value: str
    code: str
    detail: str
    severity: Literal["error", "warning"] = Field(
        description="An error is not served; a warning is."
    )


class PendingEdit(_Strict):
    """An edit of the file that waits to be accepted."""

    products: Annotated[int, Field(ge=0, description="How many products had a row.")]
    deleted: Annotated[int, Field(ge=0, description="How many of them would be deleted.")]
    columns: list[str] = Field(description="Columns whose values would go.")
    fingerprint: str = Field(description="Of the bytes that would be accepted.")


class FileStatus(_Strict):
    """How the product file and the catalog get along."""

    file: str = Field(description="Its name.")
    state: Literal["none", "in_sync", "held", "pending", "broken", "blocked"]
    detail: str = Field(description="What is wrong and what to do; empty when nothing is.")
    line: Annotated[int, Field(ge=0)]
    column: Annotated[int, Field(ge=0)]
    code: str = Field(description="The broken rule, when there is one to name.")
    rows: Annotated[int, Field(ge=0)]
    refused: Annotated[int, Field(ge=0, description="How many of the rows are not served.")]
    seq: Annotated[int, Field(ge=0, description="The file holds every change up to this number.")]
    pending: PendingEdit | None
    conflicts: Annotated[int, Field(ge=0, description="How many conflicts are open.")]
    problems: Annotated[list[FileProblem], Field(max_length=PROBLEMS_SHOWN_MAX)]
    problems_total: Annotated[int, Field(ge=0)]


class Conflict(_Strict):
    """A value of the file that was not taken."""

    id: str
    product_id: Id
    field: str = Field(description="`price`, `attributes.color`, …; empty: the whole product.")
    reason: Literal[
        "both_changed",
        "deleted_in_catalog",
        "deleted_in_file",
        "stale_copy",
        "stale_version",
        "damaged",
    ]
    file_value: Any = Field(description="What the file said.")
    kept_value: Any = Field(description="What the catalog had and has.")
    base_value: Any = Field(description="What both had before.")
    line: Annotated[int, Field(ge=0, description="Of the row; 0: there was none.")]
    at: Time


class ConflictList(_Strict):
    """What was not taken from the file, newest first."""

    items: Annotated[list[Conflict], Field(max_length=CONFLICTS_MAX)]


class Check(_Strict):
    """How one part of the service is."""

    name: str
    status: Literal["pass", "warn", "fail"]
    detail: str


class Health(_Strict):
    """How the service is."""

    status: Literal["pass", "warn", "fail"]
    checks: list[Check] = []
