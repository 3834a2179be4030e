"""Facets and orders of fields with more values than the engine tells at once."""

import pytest

from tests.contract.product_index import new_catalog, put
from vitrina.adapters.index import tallies
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.index.scan import ScanIndex
from vitrina.domain.errors import InvalidQuery
from vitrina.domain.product import Product
from vitrina.service_layer.queries import Facet, ProductQuery, Sort


@pytest.fixture(autouse=True)
def few_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "FIRST_ASKED", 250)
    monkeypatch.setattr(tallies, "VALUES_MAX", 300)


@pytest.mark.parametrize("repeated", [0, 50, 250])
def test_the_most_frequent_are_told_and_those_of_one_product_by_name(repeated: int) -> None:
    catalog = new_catalog()
    index = TantivyIndex(catalog.view, catalog)
    for part in range(3):
        put(
            catalog,
            *(
                Product(id=f"p{n}", title="Thing", brand=f"b{n * 37 % 600}")
                for n in range(part, 600, 3)
            ),
            *(
                Product(id=f"r{part}-{n}", title="Thing", brand=f"b{n * 2}")
                for n in range(repeated)
            ),
        )
        index.search(ProductQuery())  # What it takes in at once is one segment.
    query = ProductQuery(facets=(Facet("brand"), Facet("status")))

    found = index.search(query)

    assert found.facets == ScanIndex(catalog.view, catalog).search(query).facets


def test_a_sort_by_too_many_values_is_refused() -> None:
    catalog = new_catalog()
    put(catalog, *(Product(id=f"p{n}", title="T", attributes={"n": n}) for n in range(301)))
    index = TantivyIndex(catalog.view, catalog)

    with pytest.raises(InvalidQuery, match="narrow it"):
        index.search(ProductQuery(sort=Sort("attributes.n")))
