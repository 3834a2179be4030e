"""A catalog folder with many products, made without asking the service to take them in one by one.

What is written is what the service would have: a snapshot, the product file, and the copies of it
that tell that both are in step.
"""

from dataclasses import replace
from pathlib import Path

import orjson
from products_made import build_tree, categories, stored_products

from vitrina.adapters import codec
from vitrina.adapters.catalog_folder import Location
from vitrina.adapters.journal.disk import Disk, make_folder
from vitrina.adapters.journal.fold import write_snapshot
from vitrina.adapters.memory import utc_now
from vitrina.adapters.product_file.categories_file import FILE_NAME, write_categories
from vitrina.adapters.projection.base import Base, BaseKeeper
from vitrina.adapters.tables import Tables
from vitrina.service_layer.documents import READ_ONLY_FIELDS


def make_store(folder: Path, products: int) -> None:
    """Make a catalog without files; its last change has the number *products*."""
    tables = Tables()
    tables.load(
        seq=products,
        at=utc_now(),
        categories=[codec.store_category(replace(each, version=1)).body for each in categories()],
        products=(each.body for each in stored_products(products)),
        answers=[],
    )
    state = Location(folder, folder).state
    for each in (folder, state):
        make_folder(Disk(), each)
    write_snapshot(Disk(), state, tables.freeze())


def make_catalog(folder: Path, products: int) -> None:
    """Make a catalog with ``products.jsonl`` and ``categories.json``, all of it in step."""
    make_store(folder, products)
    file = folder / "products.jsonl"
    with file.open("wb") as lines:
        for each in stored_products(products):
            document = codec.load(each.body)
            wanted = {key: document[key] for key in document if key not in READ_ONLY_FIELDS}
            lines.write(orjson.dumps(wanted) + b"\n")
    (folder / FILE_NAME).write_bytes(write_categories(build_tree()))
    base = Location(folder, file).base
    make_folder(Disk(), base)
    for each in (file, folder / FILE_NAME):
        BaseKeeper(Disk(), base, each.name).store(Base(products, each.read_bytes()), before=None)
