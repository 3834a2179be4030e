"""Values within documents: identifiers, texts, money, measures, times."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from vitrina.domain import attributes, category, identifiers, product
from vitrina.domain.money import MINOR_DIGITS

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


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Money(Strict):
    """An exact amount."""

    amount: Annotated[str, Field(pattern=AMOUNT_PATTERN, description="A decimal, digit for digit.")]
    currency: Currency


class MoneyInput(Strict):
    """An exact amount; a JSON number is kept as it is written."""

    amount: Annotated[
        Annotated[str, Field(pattern=AMOUNT_PATTERN)]
        | Annotated[float, Field(ge=0, lt=10**12, json_schema_extra={"type": "number"})],
        Field(description="At most as many digits after the point as the currency has."),
    ]
    currency: Currency


class Image(Strict):
    """A picture of a product."""

    url: Url
    alt: Annotated[str, Field(max_length=product.ALT_LENGTH_MAX, pattern=TEXT_PATTERN)]


class ImageInput(Strict):
    """A picture of a product; `alt` is its text for those who cannot see it."""

    url: Url
    alt: Annotated[str, Field(max_length=product.ALT_LENGTH_MAX, pattern=TEXT_PATTERN)] | None = (
        None
    )


class Rating(Strict):
    """What buyers think."""

    average: Annotated[float, Field(ge=0, le=product.RATING_MAX)]
    count: Count


class Measure(Strict):
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
