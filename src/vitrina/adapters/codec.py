"""Documents ⇄ bytes: the one place that writes canonical JSON and the one that reads it back.

Canonical JSON is UTF-8 without white space, with the fields in the order of
:data:`vitrina.service_layer.documents.PRODUCT_FIELDS`. It is stored, sent and hashed as it is.
"""

import re
from typing import Final

import orjson

from vitrina.domain.category import Category
from vitrina.domain.events import (
    Event,
    PriceChanged,
    ProductCreated,
    ProductRemoved,
    ProductRevised,
    StatusChanged,
)
from vitrina.domain.money import Money
from vitrina.domain.product import Product
from vitrina.service_layer.document_reading import read_product
from vitrina.service_layer.documents import Document, Json, write_product
from vitrina.service_layer.ports import Stored

# Only id and SKU stand before the title, and within a text each quote has a backslash before it.
_TITLE: Final = re.compile(rb'"title":("[^"\\]*(?:\\.[^"\\]*)*")')


def dump(document: object) -> bytes:
    """Return *document* as canonical JSON, in no more memory than that takes."""
    # What orjson returns still lies in the buffer of 8 KiB that it was written to: a catalog of small
    # products would take eight times the memory that it needs.
    return bytes(memoryview(orjson.dumps(document)))


def load(body: bytes) -> Document:
    """Return the document that the catalog wrote as *body*.

    Raises:
        ValueError: The bytes are not a JSON object.
    """
    document = orjson.loads(body)
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the value is wrong, not a type of ours
    return document


def title_of(body: bytes) -> str:
    """Return the title of the product that the catalog wrote as *body*, without reading the rest.

    Raises:
        ValueError: It has none.
    """
    found = _TITLE.search(body)
    if found is None:
        raise ValueError("not a product")
    title: str = orjson.loads(found[1])
    return title


def store_product(product: Product) -> Stored:
    """Return a product, stamped with its version and times, in its stored form."""
    return Stored.of(product.id, product.version, dump(write_product(product)))


def load_product(body: bytes) -> Product:
    """Return the product that :func:`store_product` wrote."""
    return read_product(load(body))


def store_category(category: Category) -> Stored:
    """Return a category in its stored form: without path and count, which follow from others."""
    document = {
        "id": category.id,
        "name": category.name,
        "parent_id": category.parent_id,
        "version": category.version,
    }
    return Stored.of(category.id, category.version, dump(document))


def load_category(body: bytes) -> Category:
    """Return the category that :func:`store_category` wrote."""
    return Category(**orjson.loads(body))


def write_event(event: Event) -> Document:
    """Return an event as a document: its ``type`` in the past tense, and its facts."""
    match event:
        case ProductCreated():
            return {"type": "product_created"}
        case ProductRevised():
            return {"type": "product_revised", "changed": list(event.changed)}
        case PriceChanged():
            before, after = _write_money(event.before), _write_money(event.after)
            return {"type": "price_changed", "before": before, "after": after}
        case StatusChanged():
            return {"type": "status_changed", "before": event.before, "after": event.after}
        case ProductRemoved():
            return {"type": "product_removed"}


def _write_money(money: Money | None) -> Json:
    return None if money is None else {"amount": money.text, "currency": money.currency}
