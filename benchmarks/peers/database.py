"""The databases of the peers: one table of flat columns, the stored bodies, and FTS5."""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from vitrina.service_layer.ports import Stored

_COLUMNS = (
    "number INTEGER PRIMARY KEY, id TEXT UNIQUE, sku TEXT, title TEXT, slug TEXT, description TEXT, "
    "status TEXT, brand TEXT, category_id TEXT, condition TEXT, price REAL, currency TEXT, "
    "availability TEXT, color TEXT, size REAL, rating REAL, rating_count INTEGER, "
    "created_at TEXT, updated_at TEXT, version INTEGER"
)
_COUNT = _COLUMNS.count(",") + 1


INDEXES_BY_HAND = ("category_id, status, price, number",)
"""The index for the very page that is asked for."""

INDEXES_OF_TUTORIALS = ("status", "category_id", "brand", "price")
"""What `Field(index=True)` makes of the columns that are filtered by."""


def make_database(path: Path, products: Iterable[Stored], indexes: Iterable[str]) -> None:
    """Write the products into a new database."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = OFF")
    db.execute("PRAGMA synchronous = OFF")
    db.execute(f"CREATE TABLE product ({_COLUMNS})")
    db.execute("CREATE TABLE body (number INTEGER PRIMARY KEY, body TEXT)")
    db.execute(
        "CREATE VIRTUAL TABLE product_fts USING fts5(title, brand, description, "
        "content='product', content_rowid='number', tokenize='porter unicode61')"
    )
    marks = ", ".join("?" * _COUNT)
    for batch in _batches(products):
        rows = [_row(number, orjson.loads(each.body)) for number, each in batch]
        db.executemany(f"INSERT INTO product VALUES ({marks})", rows)  # noqa: S608 - only marks
        bodies = [(number, each.body.decode()) for number, each in batch]
        db.executemany("INSERT INTO body VALUES (?, ?)", bodies)
    db.execute("INSERT INTO product_fts(product_fts) VALUES ('rebuild')")
    db.execute("INSERT INTO product_fts(product_fts, rank) VALUES ('rank', 'bm25(4.0, 2.0, 1.0)')")
    for number, columns in enumerate(indexes):
        db.execute(f"CREATE INDEX index_{number} ON product({columns})")
    db.execute("ANALYZE")
    db.commit()
    db.close()


def _batches(products: Iterable[Stored]) -> Iterator[list[tuple[int, Stored]]]:
    batch: list[tuple[int, Stored]] = []
    for number, each in enumerate(products):
        batch.append((number, each))
        if len(batch) == 10_000:
            yield batch
            batch = []
    yield batch


def _row(number: int, document: dict[str, object]) -> tuple[object, ...]:
    each = dict(document)
    price, rating, attributes = each["price"], each["rating"], each["attributes"]
    assert isinstance(price, dict)
    assert isinstance(rating, dict)
    assert isinstance(attributes, dict)
    return (
        number,
        *(each[name] for name in ("id", "sku", "title", "slug", "description", "status", "brand")),
        *(each["category_id"], each["condition"]),
        *(float(price["amount"]), price["currency"], each["availability"]),
        *(attributes["color"], attributes["size"]["value"], rating["average"], rating["count"]),
        *(each["created_at"], each["updated_at"], each["version"]),
    )
