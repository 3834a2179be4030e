"""Long questions: what matches is ranked while it is counted, and the answer is the same."""

from dataclasses import replace

import pytest

from tests.builders import eur
from tests.contract.product_index import follow, new_catalog, put
from vitrina.adapters.index import searching
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.memory import MemoryCatalog
from vitrina.domain.errors import BadCursor
from vitrina.domain.product import Product
from vitrina.service_layer.queries import Facet, Filter, Hits, Operator, ProductQuery

BRANDS = ("Acme", "Blu", "Red")
FACETS = (Facet("brand"), Facet("price"))
CHEAP = Filter("price", Operator.LTE, (eur("20").amount,))
QUERIES = [
    ProductQuery("red lamp", facets=FACETS, limit=7),
    ProductQuery("lamp", facets=FACETS, limit=7),
    ProductQuery("red lamp sofa", facets=FACETS, filters=(CHEAP,), limit=7),
    ProductQuery("red sofa", limit=7),
    ProductQuery("wireless lamp", facets=FACETS, filters=(Filter("brand", Operator.EQ, ("Red",)),)),
    ProductQuery("nothing lamp", facets=FACETS, limit=7),
]


@pytest.fixture
def catalog() -> MemoryCatalog:
    catalog = new_catalog()
    things = ["lamp", "red lamp", "sofa", "red wireless lamp", "desk lamp"]
    put(
        catalog,
        *(
            Product(
                id=f"p{number:03}",
                title=f"{things[number % 5]} number {number}",
                brand=BRANDS[number % 3],
                price=eur(str(number)),
            )
            for number in range(90)
        ),
    )
    return catalog


def answers(catalog: MemoryCatalog, query: ProductQuery) -> list[Hits]:
    """Return the first and the second page."""
    with TantivyIndex(catalog.view, catalog) as index:
        first = index.search(query)
        if first.next is None:
            return [first]
        return [first, index.search(replace(query, after=first.next))]


@pytest.mark.parametrize("query", QUERIES, ids=[str(each.text) for each in QUERIES])
def test_an_answer_is_the_same_when_it_is_ranked_beside(
    catalog: MemoryCatalog, monkeypatch: pytest.MonkeyPatch, query: ProductQuery
) -> None:
    alone = answers(catalog, query)
    monkeypatch.setattr(searching, "LONG", 0)

    assert answers(catalog, query) == alone


def test_all_pages_join_when_they_are_ranked_beside(
    catalog: MemoryCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "LONG", 0)
    with TantivyIndex(catalog.view, catalog) as index:
        whole = index.search(ProductQuery("red lamp", facets=FACETS, limit=200))

        assert follow(index, replace(QUERIES[0], limit=5)) == list(whole.ids)


def test_a_wrong_position_is_refused_when_it_is_ranked_beside(
    catalog: MemoryCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "LONG", 0)
    with TantivyIndex(catalog.view, catalog) as index:
        following = index.search(QUERIES[1]).next
        assert following is not None
        last_id, worth, _, *rest = following
        wrong = (last_id, worth, -1, *rest)

        with pytest.raises(BadCursor):
            index.search(replace(QUERIES[1], after=wrong))
