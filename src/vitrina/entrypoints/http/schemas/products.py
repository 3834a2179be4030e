"""Products, as they are answered and as they are sent."""

from typing import Annotated, Final

from pydantic import Field
from pydantic.config import JsonDict

from vitrina.domain import attributes, product
from vitrina.entrypoints.http.schemas.values import (
    LINE_PATTERN,
    AttributeValue,
    Availability,
    Brand,
    Condition,
    Count,
    Description,
    Gtin,
    Id,
    Image,
    ImageInput,
    Money,
    MoneyInput,
    Mpn,
    Rating,
    Sku,
    Slug,
    Status,
    Strict,
    Tag,
    Time,
    Title,
    Url,
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


class Product(Strict):
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


class ProductInput(Strict):
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
