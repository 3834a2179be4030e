"""Vitrina over a catalog that is kept in memory: without a journal, and without a product file to take in.

The routes, the index on the disk and the server are those of ``vitrina serve``.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from products_made import categories, stored_products

from vitrina.adapters import codec
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.memory import MemoryCatalog, utc_now
from vitrina.adapters.tables import Tables
from vitrina.bootstrap import Catalog
from vitrina.entrypoints.http.app import create_app
from vitrina.entrypoints.server import listen, serve_until_stopped


@contextmanager
def opened(folder: Path, count: int) -> Iterator[Catalog]:
    """Yield an open catalog of so many products."""
    tables = Tables()
    filed = [codec.store_category(replace(each, version=1)).body for each in categories()]
    products = (each.body for each in stored_products(count))
    tables.load(seq=1, at=utc_now(), categories=filed, products=products, answers=())
    catalog = MemoryCatalog(tables)
    with TantivyIndex(catalog.view, catalog, folder) as index:
        yield Catalog(
            view=catalog.view,
            index=index,
            log=catalog,
            unit_of_work=catalog.unit_of_work,
            checks=index.checks,
        )


def main() -> None:
    """Serve until stopped."""
    folder, port, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    with listen("127.0.0.1", port) as listener:
        app = create_app(lambda: opened(folder, count))
        serve_until_stopped(app, listener, grace_s=5)


if __name__ == "__main__":
    main()
