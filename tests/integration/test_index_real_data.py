"""The fast index and the exact one agree on real products, before and after they change."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random

import orjson
import pytest

from vitrina.adapters.index.scan import ScanIndex
from vitrina.bootstrap import Catalog, open_catalog
from vitrina.service_layer.documents import Document
from vitrina.service_layer.products import put_product, remove_product
from vitrina.service_layer.queries import (
    FACET_FIELDS,
    SORT_FIELDS,
    Facet,
    Filter,
    Operator,
    ProductQuery,
    Sort,
)
from vitrina.settings import Settings

SHOP = Path(__file__).parents[2] / "examples" / "shop"
QUESTIONS = 80


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("catalog") / "shop"
    shutil.copytree(SHOP, folder)
    with open_catalog(folder, Settings.load()) as catalog:
        yield catalog


def documents(catalog: Catalog) -> list[Document]:
    return [orjson.loads(each.body) for each in catalog.view.snapshot()[1]]


def question(chosen: Random, products: list[Document]) -> ProductQuery:
    """Return a question whose values some product has."""
    held = [each["attributes"] for each in products]
    names = sorted({str(name) for each in held if isinstance(each, dict) for name in each})
    fields = [*SORT_FIELDS, "id", *(f"attributes.{each}" for each in names)]
    facets = [*FACET_FIELDS, *(f"attributes.{each}" for each in names)]
    filters = [_filter(chosen, chosen.choice(products), names) for _ in range(chosen.randrange(4))]
    return ProductQuery(
        filters=tuple(filters),
        sort=Sort(chosen.choice(fields), descending=chosen.random() < 0.5),
        limit=chosen.choice([1, 7, 20, 200]),
        facets=tuple(map(Facet, chosen.sample(facets, 3))),
    )


def _filter(chosen: Random, product: Document, names: list[str]) -> Filter:
    kind = chosen.randrange(4)
    equal = chosen.choice([Operator.EQ, Operator.EQ, Operator.NE])
    price, attributes = product["price"], product["attributes"]
    if kind == 0 and isinstance(price, dict):
        bound = chosen.choice([Operator.GT, Operator.GTE, Operator.LT, Operator.LTE])
        return Filter("price", bound, (Decimal(price["amount"]),))
    if kind == 1 and isinstance(attributes, dict) and attributes:
        name, value = chosen.choice(sorted(attributes.items()))
        if isinstance(value, str):
            return Filter(f"attributes.{name}", equal, (value,))
    if kind == 2:
        return Filter("category", equal, (str(product["category_id"]).split(".")[0],))
    field = chosen.choice(
        ["brand", "tag", "quantity", "gtin", f"attributes.{chosen.choice(names)}"]
    )
    return Filter(field, Operator.EXISTS, (chosen.random() < 0.5,))


def compare(catalog: Catalog, chosen: Random) -> None:
    scan = ScanIndex(catalog.view, catalog.log)
    products = documents(catalog)
    for _ in range(QUESTIONS):
        query = question(chosen, products)
        for _ in range(3):
            expected, found = scan.search(query), catalog.index.search(query)
            assert found == expected, query
            if found.next is None:
                break
            query = replace(query, after=found.next)


def test_they_agree(catalog: Catalog) -> None:
    compare(catalog, Random(1))  # noqa: S311 - the same questions in each run


def test_they_agree_after_changes(catalog: Catalog) -> None:
    chosen = Random(2)  # noqa: S311 - the same changes in each run
    products = documents(catalog)
    for document in chosen.sample(products, 60):
        product_id = str(document["id"])
        if chosen.random() < 0.4:
            remove_product(catalog.unit_of_work(), product_id)
            continue
        changed = {name: each for name, each in document.items() if name not in _READ_ONLY}
        changed["price"] = {
            "amount": f"{chosen.randrange(1, 99)}.{chosen.randrange(10, 99)}",
            "currency": "USD",
        }
        changed["title"] = f"{chosen.choice(['É', 'e', 'Z'])}{document['title']}"
        changed["attributes"] = {"style": chosen.choice(["new", "old"]), "size": chosen.random()}
        put_product(catalog.unit_of_work(), product_id, changed)

    compare(catalog, chosen)


_READ_ONLY = {"created_at", "updated_at", "version"}
