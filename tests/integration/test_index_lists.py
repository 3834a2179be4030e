"""Lists that are kept sorted: what is asked for again is found as it was found first."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.builders import eur
from tests.contract.product_index import follow, new_catalog, put
from vitrina.adapters.index import lists
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.index.scan import ScanIndex
from vitrina.adapters.memory import MemoryCatalog
from vitrina.domain.product import Product, Rating
from vitrina.service_layer.queries import Filter, Operator, ProductQuery, Sort


@pytest.fixture(scope="module")
def catalog() -> MemoryCatalog:
    """Forty products, many of one price; some have no rating."""
    catalog = new_catalog()
    put(
        catalog,
        *(
            Product(
                id=f"p{n * 7 % 40:02}",
                title=f"Thing {n % 5}",
                price=eur(str(n % 4)),
                rating=Rating(n % 3, 1) if n % 6 else None,
            )
            for n in range(40)
        ),
    )
    return catalog


def queries() -> Iterator[ProductQuery]:
    for field in ("id", "title", "price", "rating", "created_at"):
        for descending in (False, True):
            query = ProductQuery(sort=Sort(field, descending), limit=3)
            yield query
            if field in {"price", "rating"}:
                for operator in (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE):
                    at = Filter(field, operator, (Decimal(2),))
                    yield replace(query, filters=(at,))
                    yield replace(query, filters=(at, Filter(field, Operator.LTE, (Decimal(1),))))


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("ASKED_FROM", 1),
        ("LIST_MAX", 5),
        ("ENTRIES_MAX", 50),
        ("WINDOW_MAX", 4),
        ("QUESTIONS_MAX", 2),
    ],
)
def test_whatever_is_kept_nothing_else_is_found(
    catalog: MemoryCatalog, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(lists, "ASKED_FROM", 2)
    monkeypatch.setattr(lists, limit, value)
    exact, index = ScanIndex(catalog.view, catalog), TantivyIndex(catalog.view, catalog)

    for query in queries():
        for _ in range(3):
            assert follow(index, query) == follow(exact, query), query
        assert index.search(replace(query, limit=200)).total == exact.search(query).total


def test_a_write_is_seen_in_a_list_that_is_kept(catalog: MemoryCatalog) -> None:
    index = TantivyIndex(catalog.view, catalog)
    cheap = Filter("price", Operator.LT, (Decimal(1),))
    query = ProductQuery(filters=(cheap,), sort=Sort("price"))
    for limit in range(1, 6):
        assert index.search(replace(query, limit=limit)).total == 10

    put(catalog, Product(id="new", title="New", price=eur("0.50")))

    assert index.search(query).total == 11
    assert index.search(query).ids[-1] == "new"
