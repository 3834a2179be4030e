"""Examples in the OpenAPI document: a product of the example shop, as it is sent and as it is answered."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from vitrina.domain.identifiers import slugify
from vitrina.service_layer.document_reading import read_product
from vitrina.service_layer.documents import Document, Json, write_product
from vitrina.service_layer.times import format_time

PRODUCT_INPUT: Final[Document] = {
    "id": "6579c22f-be2b-444c-a52b-0116dd82df6c",
    "sku": "PACK-EXP-40",
    "title": "Adventure-Ready Expedition Backpack",
    "description": "A durable beige backpack with a robust harness system, black straps, and multiple "
    "compartments.",
    "category_id": "accessories.backpack",
    "price": {"amount": "129.99", "currency": "USD"},
    "list_price": {"amount": "149.99", "currency": "USD"},
    "quantity": 15,
    "images": [
        {"url": "https://example.com/images/expedition-backpack.jpg", "alt": "The backpack, beige"}
    ],
    "attributes": {
        "color": "beige",
        "volume": {"value": 40, "unit": "l"},
        "waterproof": True,
        "style": ["outdoor", "travel"],
    },
    "tags": ["backpack"],
    "rating": {"average": 4.6, "count": 127},
}

_AT: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
_MADE: Final = read_product(PRODUCT_INPUT)

PRODUCT: Final[Document] = write_product(
    replace(_MADE, slug=slugify(_MADE.title), version=1, created_at=_AT, updated_at=_AT)
)
ETAG: Final = '"1-9f86d081"'
CURSOR: Final = "3q2-7w0Y5hlbIkxBTVAtMSJd"

PRODUCT_LIST: Final[Document] = {"items": [PRODUCT], "total": 2465, "next": CURSOR}
PRODUCTS_BY_ID: Final[Document] = {
    "items": [PRODUCT],
    "total": 1,
    "next": None,
    "missing": ["no-such-product"],
}

RELATED: Final[Document] = {"items": [{**PRODUCT, "score": 0.74}]}
SUGGESTIONS: Final[Document] = {
    "items": [
        {"kind": "query", "text": "backpack", "id": None, "count": None},
        {"kind": "product", "text": str(PRODUCT["title"]), "id": PRODUCT["id"], "count": None},
        {"kind": "brand", "text": "Backcountry", "id": None, "count": 12},
        {"kind": "category", "text": "Backpacks", "id": "accessories.backpack", "count": 28},
    ]
}
COMPARISON: Final[Document] = {
    "products": [
        {
            **{name: PRODUCT[name] for name in ("id", "sku", "title", "slug", "brand", "price")},
            "url": None,
            "image": None,
        }
    ]
    * 2,
    "rows": [
        {
            "attribute": "price",
            "label": "Price",
            "unit": "USD",
            "values": ["129.90", "99.00"],
            "differs": True,
            "order": [1, 0],
            "best": [1],
        }
    ],
}
COMPARISON_CSV: Final = """\
attribute,label,unit,LAMP-1,LAMP-2,differs\r
title,Title,,Desk lamp,Floor lamp,\r
price,Price,USD,129.90,99.00,true\r
"""
COMPARISON_MARKDOWN: Final = """\
|  | Desk lamp | Floor lamp |
| --- | --- | --- |
| Price (USD) | 129.90 | **99.00** |
"""
_RANGE: Final[Document] = {
    "min": "1.99",
    "max": "24.99",
    "buckets": [{"from": "1", "to": "2", "count": 3}],
}
STATISTICS: Final[Document] = {
    "total": 2465,
    "by_status": [{"value": "active", "count": 2465}],
    "by_category": [
        {"value": "accessories", "name": "Accessories", "parent_id": None, "count": 310}
    ],
    "by_brand": [],
    "by_condition": [{"value": "new", "count": 2465}],
    "by_availability": [{"value": "in_stock", "count": 2465}],
    "price": _RANGE,
    "rating": {"min": None, "max": None, "buckets": []},
}

CATEGORY_INPUT: Final[Document] = {"name": "Backpacks", "parent_id": "accessories"}
CATEGORY: Final[Document] = {
    "id": "accessories.backpack",
    "name": "Backpacks",
    "parent_id": "accessories",
    "path": ["Accessories", "Backpacks"],
    "product_count": 28,
    "version": 1,
}
CATEGORY_LIST: Final[Document] = {"items": [CATEGORY]}

MERGE_PATCH: Final[Document] = {
    "price": {"amount": "119.99"},
    "attributes": {"color": "olive"},
    "rating": None,
}
JSON_PATCH: Final[list[Json]] = [
    {"op": "test", "path": "/price/amount", "value": "129.99"},
    {"op": "replace", "path": "/price/amount", "value": "119.99"},
    {"op": "add", "path": "/tags/-", "value": "sale"},
]
CATEGORY_MERGE_PATCH: Final[Document] = {"name": "Rucksacks"}
CATEGORY_JSON_PATCH: Final[list[Json]] = [
    {"op": "replace", "path": "/name", "value": "Rucksacks"},
]
HEALTH: Final[Document] = {"status": "pass", "checks": []}

_CHANGED: Final[Document] = {
    "seq": 4002,
    "at": format_time(_AT),
    "type": "product.updated",
    "source": "api",
    "version": 1,
    "changed": ["price"],
}
HISTORY: Final[Document] = {"items": [{**_CHANGED, "product": PRODUCT}], "next": None}
CHANGES: Final[Document] = {
    "items": [{**_CHANGED, "product_id": PRODUCT["id"], "data": PRODUCT}],
    "next": None,
    "last_seq": 4002,
    "latest_seq": 4002,
}
EVENTS: Final = """\
retry: 2000

id: 4002
event: product.deleted
data: {"seq":4002,"at":"2026-01-31T12:00:00.000000Z","type":"product.deleted","source":"api",\
"product_id":"LAMP-1","version":3,"changed":[],"data":null}

"""
METRICS: Final = """\
# HELP vitrina_store_seq Number of the last durable change.
# TYPE vitrina_store_seq gauge
vitrina_store_seq 4002.0
"""
FILE_STATUS: Final[Document] = {
    "file": "products.csv",
    "state": "pending",
    "detail": (
        "/shop/products.csv was saved so that it would delete 812 of 2465 products. Nothing of it is "
        "applied. If that is meant, run: vitrina accept /shop/products.csv  (or POST "
        "/v1/file/accept); else mend the file."
    ),
    "line": 0,
    "column": 0,
    "code": "",
    "rows": 2465,
    "refused": 0,
    "seq": 4002,
    "waiting": 0,
    "waiting_since": None,
    "pending": {
        "products": 2465,
        "deleted": 812,
        "columns": [],
        "categories": 0,
        "fingerprint": "b5e7a6b2a6e0f1c0b5e7a6b2a6e0f1c0",
    },
    "conflicts": 1,
    "problems": [],
    "problems_total": 0,
}
CONFLICTS: Final[Document] = {
    "items": [
        {
            "id": "9f86d081884c7d65",
            "product_id": PRODUCT["id"],
            "category_id": None,
            "field": "price",
            "reason": "both_changed",
            "file_value": {"amount": "99.00", "currency": "EUR"},
            "kept_value": {"amount": "119.99", "currency": "EUR"},
            "base_value": {"amount": "129.99", "currency": "EUR"},
            "line": 17,
            "at": format_time(_AT),
        }
    ]
}
