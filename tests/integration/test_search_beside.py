"""Long questions: what matches is ranked while it is counted, and the answer is the same."""

from collections.abc import Sequence
from concurrent.futures import wait
from dataclasses import replace
from os import process_cpu_count
from threading import Event, Thread, current_thread

import pytest
from tantivy import Query

from tests.builders import eur
from tests.contract.product_index import follow, new_catalog, put
from tests.integration.disks import Gate
from vitrina.adapters.index import pages, searching
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.index.pages import Page, Ranking
from vitrina.adapters.index.tallies import Counted, Tally
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


@pytest.mark.parametrize(
    "query",
    [ProductQuery("red sofa", limit=7), ProductQuery("lamp", facets=FACETS, limit=7)],
    ids=["too few products hold all words", "all do"],
)
def test_nobody_waits_for_a_thread_that_others_keep_busy(
    catalog: MemoryCatalog, monkeypatch: pytest.MonkeyPatch, query: ProductQuery
) -> None:
    monkeypatch.setattr(searching, "LONG", 0)
    ranked_in: list[Thread] = []

    def page_of(ranking: Ranking, query: ProductQuery) -> Page:
        ranked_in.append(current_thread())
        return pages.page_of(ranking, query)

    monkeypatch.setattr(searching, "page_of", page_of)
    gate = Gate()
    with TantivyIndex(catalog.view, catalog) as index:
        beside = index._follower.state.beside  # noqa: SLF001 - to keep all of its threads busy
        others = [beside.submit(gate) for _ in range(4 * (process_cpu_count() or 1))]
        index.search(query)
        gate.open()
        wait(others, 30)
    assert ranked_in == [current_thread()]


def test_facets_are_counted_while_the_page_is_ranked(
    catalog: MemoryCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "LONG", 0)
    counted, count, ranked = Event(), Tally.count, list[bool]()

    def count_all(tally: Tally, query: Query, facets: Sequence[Facet]) -> Counted:
        counted.set()
        return count(tally, query, facets)

    def page_of(ranking: Ranking, query: ProductQuery) -> Page:
        ranked.append(counted.wait(5))
        return pages.page_of(ranking, query)

    monkeypatch.setattr(Tally, "count", count_all)
    monkeypatch.setattr(searching, "page_of", page_of)
    with TantivyIndex(catalog.view, catalog) as index:
        index.search(ProductQuery("lamp", facets=FACETS))
    assert ranked == [True]
