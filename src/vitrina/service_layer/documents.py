"""Products and categories as documents: the one form that is stored, sent, and read.

A *document* is what a JSON parser yields. Every document of a product that the catalog writes has
every field, in the order of :data:`PRODUCT_FIELDS`: ``null`` is "not set". :mod:`.document_reading` reads them.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Self

from vitrina.domain.attributes import AttributeValue, Measure
from vitrina.domain.category import Category
from vitrina.domain.money import Money
from vitrina.domain.product import Product, Rating
from vitrina.service_layer.times import format_time

type Json = bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None
type Document = dict[str, Json]

PRODUCT_FIELDS: Final = (
    "id",
    "sku",
    "title",
    "slug",
    "description",
    "status",
    "brand",
    "category_id",
    "condition",
    "price",
    "list_price",
    "quantity",
    "availability",
    "gtin",
    "mpn",
    "images",
    "attributes",
    "tags",
    "rating",
    "url",
    "created_at",
    "updated_at",
    "version",
)
"""The fields of a product's document, in the order they are written."""

READ_ONLY_FIELDS: Final = frozenset({"created_at", "updated_at", "version"})
"""Fields that only the catalog sets; a caller may repeat their present value."""

CATEGORY_FIELDS: Final = ("id", "name", "parent_id", "path", "product_count", "version")
"""The fields of a category's document, in the order they are written."""


class WrittenFloat(float):
    """A number that remembers how it was written, so that money read from it stays exact."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Return the double nearest to *text*, with *text* kept beside it."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def write_product(product: Product) -> Document:
    """Return the document of a saved product."""
    return {
        "id": product.id,
        "sku": product.sku,
        "title": product.title,
        "slug": product.slug,
        "description": product.description,
        "status": product.status.value,
        "brand": product.brand,
        "category_id": product.category_id,
        "condition": product.condition.value,
        "price": _write_money(product.price),
        "list_price": _write_money(product.list_price),
        "quantity": product.quantity,
        "availability": product.effective_availability.value,
        "gtin": product.gtin,
        "mpn": product.mpn,
        "images": [{"url": image.url, "alt": image.alt} for image in product.images],
        "attributes": {name: _write_value(each) for name, each in product.attributes.items()},
        "tags": list(product.tags),
        "rating": _write_rating(product.rating),
        "url": product.url,
        "created_at": _write_time(product.created_at),
        "updated_at": _write_time(product.updated_at),
        "version": product.version,
    }


def _write_money(money: Money | None) -> Json:
    return None if money is None else {"amount": money.text, "currency": money.currency}


def _write_rating(rating: Rating | None) -> Json:
    return None if rating is None else {"average": rating.average, "count": rating.count}


def _write_time(time: datetime | None) -> Json:
    return None if time is None else format_time(time)


def _write_value(value: AttributeValue) -> Json:
    match value:
        case Measure():
            return {"value": value.value, "unit": value.unit}
        case tuple():
            return list(value)
        case _:
            return value


def write_category(category: Category, *, path: Iterable[str], product_count: int) -> Document:
    """Return the document of a category; *product_count* is that of its whole subtree."""
    return {
        "id": category.id,
        "name": category.name,
        "parent_id": category.parent_id,
        "path": list(path),
        "product_count": product_count,
        "version": category.version,
    }
