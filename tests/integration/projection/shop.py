"""A shop's file, and what people and clients do to it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from vitrina.adapters import codec
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.projection.conflicts import ConflictBook
from vitrina.adapters.projection.desk import Desk
from vitrina.bootstrap import Catalog
from vitrina.service_layer import products
from vitrina.service_layer.documents import Document, Json

CSV = """\
id;title;price;quantity;color
LAMP-1;"Desk lamp";129.90 EUR;12;brown
LAMP-2;Floor lamp;249.00 EUR;3;
RUG-1;Wool rug;89.00 EUR;5;red
"""

type Open = Callable[..., AbstractContextManager[Catalog]]


def put(catalog: Catalog, product_id: str, **fields: Json) -> None:
    """Change fields of a product as a client does, or add it."""
    found = catalog.view.products([product_id])[0]
    document: Document = codec.load(found.body) if found else {}
    products.put_product(catalog.unit_of_work(), product_id, {**document, **fields})


def get(catalog: Catalog, product_id: str) -> Document:
    return codec.load(catalog.view.product(product_id).body)


def edit(shop: Path, old: str, new: str) -> None:
    path = shop / "products.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def book(shop: Path, desk: Path) -> ConflictBook:
    return ConflictBook(
        Disk(),
        Desk(Disk(), desk),
        shop / "products.csv",
        current=lambda key: None if key == "RUG-1" else {},
        category=lambda _: None,
        now=lambda: datetime.now(UTC),
    )


def problems(catalog: Catalog) -> list[str]:
    assert catalog.understood is not None
    return [each.code for each in catalog.understood.problems]
