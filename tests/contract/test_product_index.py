"""The port ``ProductIndex``: every index finds what the words of ``queries.py`` say, and nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from tests.builders import FULL, LAMP, eur
from tests.contract.product_index import (
    FILTERS,
    IDS,
    PRODUCTS,
    SORTS,
    all_products,
    expected_counts,
    expected_ids,
    follow,
    may_become,
    new_catalog,
    put,
    remove,
)
from vitrina.adapters.index import lists
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.index.scan import ScanIndex
from vitrina.adapters.memory import MemoryCatalog
from vitrina.domain.attributes import Measure
from vitrina.domain.category import Category
from vitrina.domain.errors import BadCursor
from vitrina.domain.product import Product, Status
from vitrina.service_layer.ports import ProductIndex
from vitrina.service_layer.queries import (
    Facet,
    Filter,
    Operator,
    Position,
    ProductQuery,
    Sort,
)

type NewIndex = Callable[[MemoryCatalog], ProductIndex]

EVERYTHING = ProductQuery(limit=200)


@pytest.fixture(params=["scan", "tantivy", "tantivy, lists kept at once"], scope="module")
def new_index(request: pytest.FixtureRequest) -> Iterator[NewIndex]:
    with pytest.MonkeyPatch.context() as patch:
        if "lists" in request.param:
            patch.setattr(lists, "ASKED_FROM", 1)
        yield _new_index(request.param.partition(",")[0])


def _new_index(kind: str) -> NewIndex:
    match kind:
        case "scan":
            return lambda catalog: ScanIndex(catalog.view, catalog)
        case "tantivy":
            return lambda catalog: TantivyIndex(catalog.view, catalog)
        case _:
            raise ValueError(kind)


@pytest.fixture
def catalog() -> MemoryCatalog:
    return new_catalog()


@pytest.fixture
def index(catalog: MemoryCatalog, new_index: NewIndex) -> ProductIndex:
    return new_index(catalog)


def product(product_id: str, title: str = "Thing", /, **values: object) -> Product:
    return replace(Product(id=product_id, title=title), **values)  # type: ignore[arg-type]


def where(field: str, operator: Operator, *values: str | bool | Decimal) -> ProductQuery:
    return ProductQuery(filters=(Filter(field, operator, values),), limit=200)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(PRODUCTS, max_size=25),
    st.lists(FILTERS, max_size=3).map(tuple),
    SORTS,
    st.integers(1, 5),
)
def test_filters_order_and_pages_are_those_of_a_plain_evaluation(
    new_index: NewIndex,
    products: list[Product],
    filters: tuple[Filter, ...],
    sort: Sort,
    limit: int,
) -> None:
    """The whole of it: what is found, its order, its number, and that pages join without a seam."""
    catalog = new_catalog()
    index = new_index(catalog)
    put(catalog, *{each.id: each for each in products}.values())
    query = ProductQuery(filters=filters, sort=sort, limit=limit)

    expected = expected_ids(all_products(catalog), query)

    assert follow(index, query) == expected
    assert index.search(query).total == len(expected)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(PRODUCTS, min_size=5, max_size=25),
    st.lists(st.lists(PRODUCTS | st.sampled_from(IDS), max_size=3), max_size=12),
    SORTS,
)
def test_pages_stay_whole_while_products_are_written(
    new_index: NewIndex,
    products: list[Product],
    writes: list[list[Product | str]],
    sort: Sort,
) -> None:
    """Between any two pages others are created, changed and deleted.

    What is left alone must be found exactly once, in the order it had, and nothing twice.
    """
    catalog = new_catalog()
    index = new_index(catalog)
    put(catalog, *{each.id: each for each in products}.values())
    query = ProductQuery(sort=sort, limit=2)
    before = expected_ids(all_products(catalog), query)
    touched: set[str] = set()

    found: list[str] = []
    while True:
        hits = index.search(query)
        found.extend(hits.ids)
        if hits.next is None:
            break
        query = replace(query, after=hits.next)
        for write in writes.pop() if writes else ():
            if isinstance(write, str):
                remove(catalog, write)
                touched.add(write)
            elif may_become(catalog, write):
                put(catalog, write)
                touched.add(write.id)

    assert [each for each in found if each not in touched] == [
        each for each in before if each not in touched
    ]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(PRODUCTS, max_size=25),
    st.lists(FILTERS, max_size=2).map(tuple),
    st.sampled_from(["brand", "status", "condition", "availability", "tag"]),
)
def test_facets_of_words_count_what_the_other_filters_leave(
    new_index: NewIndex, products: list[Product], filters: tuple[Filter, ...], field: str
) -> None:
    catalog = new_catalog()
    index = new_index(catalog)
    put(catalog, *{each.id: each for each in products}.values())
    query = ProductQuery(filters=filters, facets=(Facet(field),))

    counts = expected_counts(all_products(catalog), query, field)

    expected = sorted(counts.items(), key=lambda each: (-each[1], str(each[0])))
    assert index.search(query).facets[field] == [
        {"value": value, "count": count} for value, count in expected
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(PRODUCTS, max_size=25), st.lists(FILTERS, max_size=2).map(tuple))
def test_a_facet_of_an_attribute_counts_what_choosing_its_value_finds(
    new_index: NewIndex, products: list[Product], filters: tuple[Filter, ...]
) -> None:
    catalog = new_catalog()
    index = new_index(catalog)
    put(catalog, *{each.id: each for each in products}.values())
    field = "attributes.size"
    others = tuple(each for each in filters if each.field != field)

    facet = index.search(ProductQuery(filters=filters, facets=(Facet(field),))).facets[field]

    assert isinstance(facet, list)
    held = [each for each in all_products(catalog) if each.attributes.get("size") not in {None, ()}]
    assert bool(facet) == any(
        each.id in index.search(ProductQuery(filters=others, limit=200)).ids for each in held
    )
    for entry in facet:
        value, count = entry["value"], entry["count"]
        text = str(value).lower() if isinstance(value, bool) else _plain(value)
        chosen = Filter(field, Operator.EQ, (text,))
        found = index.search(ProductQuery(filters=(*others, chosen), limit=200))
        # A text "1" is chosen together with the number 1: at least what was counted is found.
        assert found.total >= count > 0


def _plain(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def test_an_empty_catalog_answers_nothing(index: ProductIndex) -> None:
    hits = index.search(
        replace(EVERYTHING, facets=(Facet("brand"), Facet("price"), Facet("attributes.x")))
    )

    assert (hits.ids, hits.total, hits.next) == ((), 0, None)
    assert hits.facets == {
        "brand": [],
        "price": {"min": None, "max": None, "buckets": []},
        "attributes.x": [],
    }


def test_every_write_is_found_by_the_next_search(
    catalog: MemoryCatalog, index: ProductIndex
) -> None:
    put(catalog, LAMP)
    assert index.search(EVERYTHING).ids == ("lamp",)

    put(catalog, replace(LAMP, brand="Acme"))
    assert index.search(where("brand", Operator.EQ, "Acme")).ids == ("lamp",)

    remove(catalog, "lamp")
    assert index.search(EVERYTHING).ids == ()


def test_what_was_there_before_the_index_is_found(
    catalog: MemoryCatalog, new_index: NewIndex
) -> None:
    put(catalog, LAMP, FULL_HERE)

    assert new_index(catalog).search(EVERYTHING).total == 2


FULL_HERE = replace(FULL, category_id="desk-lamps")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("brand", ("Ærø",)),
        ("category", ("home",)),
        ("category", ("desk-lamps",)),
        ("status", ("active", "draft")),
        ("condition", ("used",)),
        ("availability", ("preorder",)),
        ("tag", ("sale",)),
        ("sku", ("SKU 0012",)),
        ("gtin", ("4006381333931",)),
        ("price", (Decimal("12.50"),)),
        ("quantity", (Decimal(7),)),
        ("rating", (Decimal("4.5"),)),
        ("attributes.color", ("red",)),
        ("attributes.weight", ("2.0",)),
        ("attributes.ratio", ("0.5",)),
        ("attributes.wireless", ("true",)),
        ("attributes.ports", ("hdmi",)),
        ("attributes.screen", ("55",)),
        ("attributes.screen", ("55 inches",)),
        ("attributes.screen", ("1397 mm",)),
        ("attributes.screen", ("1.397m",)),
    ],
)
def test_every_field_can_be_filtered_by(
    catalog: MemoryCatalog, index: ProductIndex, field: str, values: tuple[str | Decimal, ...]
) -> None:
    put(catalog, product("other", status=Status.ARCHIVED), FULL_HERE)

    assert index.search(where(field, Operator.EQ, *values)).ids == (FULL.id,)


def test_a_moved_category_takes_its_products_along(
    catalog: MemoryCatalog, index: ProductIndex
) -> None:
    put(catalog, product("a", category_id="desk-lamps"))
    in_toys = where("category", Operator.EQ, "toys")
    assert index.search(in_toys).ids == ()

    with catalog.unit_of_work() as uow:
        uow.categories.save(replace(uow.categories.tree().get("lamps"), parent_id="toys"))
        uow.commit()

    assert index.search(in_toys).ids == ("a",)
    facets = index.search(replace(EVERYTHING, facets=(Facet("category"),))).facets
    assert facets["category"] == [
        {"value": "toys", "name": "Toys", "parent_id": None, "count": 1},
        {"value": "lamps", "name": "Lamps", "parent_id": "toys", "count": 1},
        {"value": "desk-lamps", "name": "Desk lamps", "parent_id": "lamps", "count": 1},
    ]


def test_a_facet_ignores_the_filter_on_its_own_field_only(
    catalog: MemoryCatalog, index: ProductIndex
) -> None:
    put(
        catalog,
        product("a", brand="Acme", category_id="toys"),
        product("b", brand="Bolt", category_id="toys"),
        product("c", brand="Bolt", category_id="lamps"),
    )
    query = ProductQuery(
        filters=(
            Filter("brand", Operator.EQ, ("Acme",)),
            Filter("category", Operator.EQ, ("toys",)),
        ),
        facets=(Facet("brand"), Facet("category")),
    )

    hits = index.search(query)

    assert hits.ids == ("a",)
    assert hits.facets == {
        "brand": [{"value": "Acme", "count": 1}, {"value": "Bolt", "count": 1}],
        "category": [{"value": "toys", "name": "Toys", "parent_id": None, "count": 1}],
    }


def test_a_number_facet_has_extremes_and_round_buckets(
    catalog: MemoryCatalog, index: ProductIndex
) -> None:
    prices = ["0.50", "9.99", "10", "10.5", "49.99"]
    put(catalog, *(product(f"p{n}", price=eur(each)) for n, each in enumerate(prices)))
    put(catalog, product("none"))

    facets = index.search(replace(EVERYTHING, facets=(Facet("price"),))).facets

    assert facets["price"] == {
        "min": "0.50",
        "max": "49.99",
        "buckets": [
            {"from": "0", "to": "1", "count": 1},
            {"from": "1", "to": "2", "count": 0},
            {"from": "2", "to": "5", "count": 0},
            {"from": "5", "to": "10", "count": 1},
            {"from": "10", "to": "20", "count": 2},
            {"from": "20", "to": "50", "count": 1},
        ],
    }


def test_equal_measures_count_as_one_value(catalog: MemoryCatalog, index: ProductIndex) -> None:
    sizes = [Measure(1, "m"), Measure(100, "cm"), Measure(100, "cm"), Measure(2, "m"), 5, "big"]
    put(catalog, *(product(f"p{n}", attributes={"size": e}) for n, e in enumerate(sizes)))

    hits = index.search(replace(EVERYTHING, facets=(Facet("attributes.size"),)))

    assert hits.facets["attributes.size"] == [
        {"value": "100 cm", "count": 3},
        {"value": "2 m", "count": 1},
        {"value": 5, "count": 1},
        {"value": "big", "count": 1},
    ]
    assert hits.facet_stats == {"attributes.size": {"min": 100, "max": 200, "unit": "cm"}}


def test_a_facet_can_be_searched(catalog: MemoryCatalog, index: ProductIndex) -> None:
    brands = ["Sony Ericsson", "Ericsson", "Éric", "Acme"]
    put(catalog, *(product(f"p{n}", brand=each) for n, each in enumerate(brands)))

    facets = index.search(replace(EVERYTHING, facets=(Facet("brand", "eric"),))).facets

    assert [each["value"] for each in facets["brand"]] == ["Ericsson", "Sony Ericsson", "Éric"]  # type: ignore[union-attr, index, call-overload]


def test_at_most_two_hundred_values_are_counted(
    catalog: MemoryCatalog, index: ProductIndex
) -> None:
    put(catalog, *(product(f"p{n}", brand=f"brand {n:03}") for n in range(250)))
    put(catalog, product("again", brand="brand 249"))

    facet = index.search(replace(EVERYTHING, facets=(Facet("brand"),))).facets["brand"]

    assert isinstance(facet, list)
    assert facet[0] == {"value": "brand 249", "count": 2}
    assert [each["value"] for each in facet[1:]] == [f"brand {n:03}" for n in range(199)]


@pytest.mark.parametrize(
    "after",
    [
        (),
        (1,),
        (None,),
        ("a", "x", 3),
        ("a", "x"),
        ("a", 3, None),
    ],
)
def test_a_position_of_another_order_is_refused(
    catalog: MemoryCatalog, index: ProductIndex, after: Position
) -> None:
    put(catalog, product("a", price=eur("1")), product("b", price=eur("2")))

    with pytest.raises(BadCursor):
        index.search(ProductQuery(sort=Sort("price"), after=after))


def test_words_are_found_in_every_text(catalog: MemoryCatalog, index: ProductIndex) -> None:
    put(catalog, FULL_HERE, product("other"))

    for text in ["läsk", "LASK", "ærø", "lines", "0012", "4006381333931", "0042", "desk", "sale"]:
        assert index.search(ProductQuery(text=text)).ids == (FULL.id,), text
    assert index.search(ProductQuery(text="hdmi")).ids == (FULL.id,)
    assert index.search(ProductQuery(text="lin")).ids == (FULL.id,)


def test_what_holds_more_of_the_words_comes_first(
    catalog: MemoryCatalog, index: ProductIndex
) -> None:
    put(
        catalog,
        product("a", "Red chair"),
        product("b", "Lamp", description="red, for the desk"),
        product("c", "Red desk lamp"),
        product("d", "Blue sofa"),
    )
    query = ProductQuery(text="red desk lamp", limit=1)

    assert follow(index, query) == ["c", "b", "a"]


@pytest.mark.parametrize("text", ["!!! ???", "🛋", "\u200f", "a" * 10_000, "( OR AND *", "x " * 500])
def test_a_text_without_known_words_finds_nothing(
    catalog: MemoryCatalog, index: ProductIndex, text: str
) -> None:
    put(catalog, LAMP)

    assert index.search(ProductQuery(text=text)).total == 0


def test_a_new_category_is_searched_at_once(catalog: MemoryCatalog, index: ProductIndex) -> None:
    put(catalog, product("a", category_id="toys"))
    assert index.search(ProductQuery(text="puzzles")).total == 0

    with catalog.unit_of_work() as uow:
        uow.categories.save(Category(id="toys", name="Puzzles and games"))
        uow.commit()

    assert index.search(ProductQuery(text="puzzles")).ids == ("a",)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("field", ["id", "title", "price", "rating", "attributes.size"])
@pytest.mark.parametrize("limit", [7, 100])
def test_very_many_that_are_almost_equal_come_once_and_in_order(
    catalog: MemoryCatalog, index: ProductIndex, field: str, limit: int, *, descending: bool
) -> None:
    """Long ids and titles that begin alike, and equal values: only their ends tell them apart."""
    start = "a-very-long-beginning-that-all-products-have-in-common"
    put(
        catalog,
        *(product(f"{start}-{n}", f"{start}{n % 90}", price=eur("1")) for n in range(150)),
        *(product(f"p{n}", "Same", attributes={"size": 1}) for n in range(90)),
    )
    sort = Sort(field, descending=descending)

    assert follow(index, ProductQuery(sort=sort, limit=limit)) == expected_ids(
        all_products(catalog), ProductQuery(sort=sort)
    )
