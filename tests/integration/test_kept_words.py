"""Texts answered out of what is kept of their words find what the engine finds, place by place."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from random import Random
from types import ModuleType

import pytest
from hypothesis import given, settings, strategies as st

from tests.builders import eur
from tests.contract.product_index import (
    FILTERS as ANY_FILTERS,
    PRODUCTS as ANY_PRODUCTS,
    may_become,
    maybe,
    new_catalog,
    put,
    remove,
)
from vitrina.adapters.index import documents, filling, holdings, keeping, matches, planning
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.index.planning import Synonyms
from vitrina.adapters.index.reading import Reading
from vitrina.adapters.memory import MemoryCatalog
from vitrina.domain.attributes import Measure
from vitrina.domain.errors import BadCursor
from vitrina.domain.product import Condition, Product, Rating, Status
from vitrina.service_layer.queries import FACET_FIELDS, Facet, Filter, Operator, ProductQuery, Sort

WORDS = [
    "red",
    "lamp",
    "lamps",
    "desk",
    "the",
    "blu",
    "ray",
    "bluray",
    "wireless",
    "home",
    "12",
    "x",
]
WORDS_WEIGHTS = [9, 9, 3, 3, 5, 2, 2, 1, 1, 2, 1, 1]
TYPED = [*WORDS, "wirless", "wire", "la", "de", "nothing", "sofa", "couch", "ab12"]
SYNONYMS: Synonyms = {("sofa",): (("red", "desk"),), ("couch",): (("lamp",),)}
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
PRODUCTS = st.builds(
    Product,
    id=st.integers(10, 70).map("p{}".format),
    title=TEXTS,
    status=st.sampled_from([Status.ACTIVE, Status.DRAFT]),
    description=maybe(TEXTS),
    brand=maybe(st.sampled_from(["Red", "Blu", "Acme"])),
    category_id=maybe(st.sampled_from(["home", "desk-lamps"])),
    price=maybe(st.sampled_from(["1", "2", "30"]).map(eur)),
    gtin=maybe(st.just("4006381333931")),
    mpn=maybe(st.sampled_from(["ab12", "lamp", "04006381333931"])),
)
FILTERS = st.lists(
    st.sampled_from(
        [
            Filter("status", Operator.EQ, ("active",)),
            Filter("brand", Operator.EQ, ("Red", "Blu")),
            Filter("category", Operator.NE, ("home",)),
            Filter("price", Operator.EXISTS, (True,)),
        ]
    ),
    max_size=2,
    unique=True,
).map(tuple)
QUERIES = st.builds(
    ProductQuery,
    text=st.lists(st.sampled_from(TYPED), min_size=1, max_size=4).map(" ".join)
    | st.sampled_from(["ab-12", "AB 12", "4006381333931", "the", ""]),
    filters=FILTERS,
    sort=st.sampled_from([None, Sort("price"), Sort("id", descending=True)]),
    limit=st.integers(1, 30),
    facets=st.sampled_from([(), (Facet("brand"), Facet("category"), Facet("price"))]),
)

COUNTED = [
    *FACET_FIELDS,
    "attributes.size",
    "attributes.color",
    "attributes.x.y [z]",
    "attributes.no",
]
FACETS = st.lists(
    st.builds(Facet, st.sampled_from(COUNTED), st.sampled_from([None, None, "a", "re", "1 m"])),
    min_size=1,
    max_size=6,
    unique_by=lambda each: each.field,
).map(tuple)


@contextmanager
def nothing_kept() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "LONGEST", -1)
        yield


@pytest.fixture(autouse=True, scope="module")
def everything_kept_at_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "OUTSET", 0)
        patch.setattr(keeping, "EARNED_MAX", 10**6)
        patch.setattr(keeping, "EARNED", 10**6)
        yield


class Both:
    """Two indexes of one catalog: one keeps words, one asks the engine for everything."""

    def __init__(self, catalog: MemoryCatalog) -> None:
        reading = Reading(synonyms=SYNONYMS)
        self.keeping = TantivyIndex(catalog.view, catalog, reading=reading)
        self.asking = TantivyIndex(catalog.view, catalog, reading=reading)

    def compare(self, query: ProductQuery) -> None:
        """Find all pages of a query with both, each page going on where one of both had ended."""
        while True:
            kept = self.keeping.search(query)
            with nothing_kept():
                asked = self.asking.search(query)
            assert kept == asked
            if kept.next is None:
                return
            query = replace(query, after=asked.next)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(PRODUCTS, max_size=60),
    st.lists(PRODUCTS | st.integers(10, 70).map("p{}".format), max_size=4),
    st.lists(QUERIES, min_size=1, max_size=6),
    st.sampled_from([4, 15, planning.BROAD]),
)
def test_both_ways_find_the_same(
    products: list[Product], writes: list[Product | str], queries: list[ProductQuery], broad: int
) -> None:
    """Also in an index of several segments, some of whose products are deleted."""
    catalog = new_catalog()
    put(catalog, *{each.id: each for each in products}.values())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "BROAD", broad)
        both = Both(catalog)
        for query in queries:
            both.compare(query)
        for write in writes:
            if isinstance(write, str):
                remove(catalog, write)
            else:
                put(catalog, write)
            both.compare(queries[0])
        for query in queries:
            both.compare(query)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(ANY_PRODUCTS, max_size=25),
    st.lists(ANY_PRODUCTS, max_size=2),
    st.lists(ANY_FILTERS, max_size=2).map(tuple),
    st.lists(FACETS, min_size=1, max_size=3),
    st.sampled_from([1, filling.PART]),
)
def test_both_ways_count_the_same(
    products: list[Product],
    writes: list[Product],
    filters: tuple[Filter, ...],
    asked: list[tuple[Facet, ...]],
    part: int,
) -> None:
    """Of every kind of field, with the filters on a facet's own field set aside; also while a column is being made."""
    catalog = new_catalog()
    put(catalog, *{each.id: each for each in products}.values())
    both = Both(catalog)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filling, "PART", part)
        for write in (None, *writes):
            if write is not None and may_become(catalog, write):
                put(catalog, write)
            for facets in asked:
                for text in ("lamp", "eclair apfel 100", "zebra ß"):
                    both.compare(ProductQuery(text, filters, limit=5, facets=facets))


@pytest.mark.parametrize(
    ("module", "limit", "value"),
    [
        (keeping, "PAID", 10),
        (keeping, "OUTSET", 100),
        (keeping, "EARNED_MAX", 30),
        (keeping, "LONGEST", 12),
        (keeping, "NAMES_MAX", 2),
        (keeping, "ENTRY_BYTES", 10 * 2**20),
        (holdings, "EXTRAS_MAX", 1),
        (matches, "FAR", 0),
        (documents, "IDS_KEPT", 5),
        (planning, "BROAD", 15),
        (filling, "PAID", 30),
        (filling, "PART", 1),
        (filling, "COMMONEST", 3),
        (filling, "BYTES_MAX", 500),
        (filling, "FIELDS_MAX", 1),
        (filling, "VALUES_MAX", 1),
    ],
)
def test_whatever_is_kept_nothing_else_is_found(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, limit: str, value: int
) -> None:
    monkeypatch.setattr(module, limit, value)
    chosen = Random(3)  # noqa: S311 - the same words in each run
    catalog = new_catalog()
    put(
        catalog,
        *(
            Product(
                id=f"p{n}",
                title=" ".join(chosen.choices(WORDS, WORDS_WEIGHTS, k=3)),
                description=" ".join(chosen.choices(WORDS, WORDS_WEIGHTS, k=3)),
                brand=chosen.choice(["Red", "Blu"]),
                mpn=f"ab{n % 4}",
                price=eur(str(n % 7)) if n % 5 else None,
                tags=("a", "b", "c")[n % 4 :],
                category_id=("home", "desk-lamps", None, "unknown")[n % 4],
            )
            for n in range(80)
        ),
    )
    both = Both(catalog)
    filters = (Filter("brand", Operator.EQ, ("Red",)),)

    for _ in range(60):
        text = " ".join(chosen.choices(TYPED, k=chosen.randint(1, 4)))
        facets = (Facet("brand"), Facet("price"), Facet("tag"), Facet("category"))
        both.compare(ProductQuery(text, chosen.choice([(), filters]), limit=7, facets=facets))
    both.compare(ProductQuery("ab 1", limit=7))


def test_several_threads_find_what_one_finds() -> None:
    """They share what is kept, and take it in at the same time."""
    chosen = Random(5)  # noqa: S311 - the same words in each run
    catalog = new_catalog()
    titles = [" ".join(chosen.choices(WORDS, WORDS_WEIGHTS, k=4)) for _ in range(300)]
    put(catalog, *(Product(id=f"p{n}", title=each) for n, each in enumerate(titles)))
    texts = [" ".join(chosen.choices(TYPED, k=3)) for _ in range(100)]
    queries = [ProductQuery(each, facets=(Facet("status"),)) for each in texts]
    one = TantivyIndex(catalog.view, catalog)
    expected = list(map(one.search, queries))
    together = TantivyIndex(catalog.view, catalog)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(together.search, 4 * queries))

    assert found == 4 * expected


def test_what_was_not_asked_for_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "ENTRY_BYTES", 0)
    shelf = keeping.Shelf[str, int](20)
    for number, name in enumerate("abc"):
        shelf.put(name, number, 8)
        shelf.put(name, 9, 8)
        shelf.get("a")

    assert [shelf.get(each) for each in "abc"] == [0, None, 2]


def test_much_is_taken_in_when_it_was_asked_for_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as as much was asked of the engine as it costs to take it in; and never what is too long."""
    monkeypatch.setattr(keeping, "PAID", 10)
    monkeypatch.setattr(keeping, "LONGEST", 30)
    shelf = keeping.Shelf[str, int](100)
    sizes = {"few": 10, "many": 25, "most": 31}

    prices = {
        name: [shelf.price(name, 0, 1_000, lambda: sizes[name]) for _ in range(4)]  # noqa: B023
        for name in sizes
    }

    assert prices == {
        "few": [10, 10, 10, 10],
        "many": [None, None, 25, 25],
        "most": [None, None, None, None],
    }
    assert shelf.price("few", 0, 9, lambda: 10) is None


def test_a_state_that_was_asked_much_may_take_in_much(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"OUTSET": 3, "EARNED": 2, "EARNED_MAX": 5}.items():
        monkeypatch.setattr(keeping, name, value)
    credit = keeping.Credit()

    left = []
    for _ in range(4):
        credit.earn()
        left.append(credit.left)

    assert left == [-1, 3, 8, 13]
    assert credit.spend(13)
    assert not credit.spend(1)


def test_a_position_with_numbers_that_no_catalog_has_is_read_by_the_engine() -> None:
    catalog = new_catalog()
    put(catalog, *(Product(id=f"p{n}", title="Red lamp") for n in range(5)))
    both = Both(catalog)

    for numbers in [
        (2, 10**9, 0, 0, 500, 0, 0),
        (0, 500, 0, 0, 500, 0, 0),
        (9, 500, 0, 0, 500, 0, 0),
    ]:
        both.compare(ProductQuery("red lamp", after=("p1", 1e300, 1, 0, *numbers)))


def test_a_word_of_a_position_from_before_others_were_added_is_taken_in_whole() -> None:
    """How many products hold it with a typo was found out before there were as many."""
    catalog = new_catalog()
    put(catalog, *(Product(id=f"p{n}", title="Wireless lamp") for n in range(20)))
    put(catalog, *(Product(id=f"r{n}", title="Red lamp") for n in range(180)))
    both = Both(catalog)
    query = ProductQuery("wirless", limit=7)
    after = both.asking.search(query).next
    put(catalog, *(Product(id=f"q{n}", title="Wireless lamp") for n in range(20)))

    both.compare(replace(query, after=after))


def test_a_word_is_taken_in_whole_when_it_was_counted_beside_another_neighbour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What has ``bluray`` holds ``blu`` only where ``ray`` follows."""
    monkeypatch.setattr(keeping, "PAID", 15)
    catalog = new_catalog()
    titles = ["Blu ray", "Bluray", *4 * ["Light"]]
    put(catalog, *(Product(id=f"p{n}", title=titles[n % 6]) for n in range(60)))
    both = Both(catalog)

    for text, limit in (("blu light", 7), ("blu ray", 7), ("blu ray", 8)):
        query = ProductQuery(text, limit=limit)
        kept = both.keeping.search(query)
        with nothing_kept():
            assert both.asking.search(query) == kept


@pytest.mark.parametrize("rarity", [-(2**63), 2**63 - 1])
@pytest.mark.parametrize("typos", [-1, 0, 3, 2**40])
def test_a_position_of_any_numbers_is_read_or_refused(rarity: int, typos: int) -> None:
    catalog = new_catalog()
    put(catalog, *(Product(id=f"p{n}", title="Red lamp") for n in range(5)))
    query = ProductQuery("red lamp", facets=(Facet("brand"),))
    after = ("p1", 1e300, 1, 0, 2, rarity, typos, 0, 500, 0, 0)

    with suppress(BadCursor):
        Both(catalog).compare(replace(query, after=after))


def test_the_most_frequent_two_hundred_values_are_those_that_the_engine_counts() -> None:
    """Of many brands with equal counts, and of many attributes that differ a little."""
    catalog = new_catalog()
    put(
        catalog,
        *(
            Product(
                id=f"p{n}",
                title="Thing",
                brand=f"brand {n % 256:03}",
                attributes={"size": Measure(n % 230, "cm"), "many": f"{n % 210}", "on": n % 2 == 0},
            )
            for n in range(400)
        ),
    )
    fields = ["brand", "attributes.size", "attributes.many", "attributes.on"]

    Both(catalog).compare(ProductQuery("thing", limit=200, facets=tuple(map(Facet, fields))))


def filters() -> Iterator[Filter]:
    """Filters of every field that has a column, with values that are there, between and beyond."""
    operators = [each for each in Operator if each is not Operator.EXISTS]
    for field, texts in {
        "price": ["0", "1.99", "2", "2.00001", "-1", "999999999999.99", "9" * 30],
        "quantity": ["0", "6.5", "7", "9007199254740991", "1e30"],
        "rating": ["0", "0.1", "4.5", "4.50001", "5"],
    }.items():
        for operator in operators:
            for text in texts:
                yield Filter(field, operator, (Decimal(text),))
        yield Filter(field, Operator.EQ, (Decimal(texts[0]), Decimal(texts[2])))
        yield Filter(field, Operator.NE, (Decimal(texts[0]), Decimal(texts[2])))
    for field, values in {
        "brand": ("Acme", "zz", "Zoë"),
        "category": ("home", "desk-lamps", "nowhere"),
        "tag": ("a", "b", "none"),
        "condition": ("new", "used"),
        "attributes.size": ("1 cm",),
    }.items():
        for operator in (Operator.EQ, Operator.NE):
            for chosen in (*((each,) for each in values), values):
                yield Filter(field, operator, chosen)
    for field in ("brand", "category", "tag", "price", "attributes.size"):
        for wanted in (True, False):
            yield Filter(field, Operator.EXISTS, (wanted,))


def test_columns_say_what_meets_filters_as_the_engine_does() -> None:
    catalog = new_catalog()
    prices = ["0", "1.99", "2", "2.01", "999999999999.99", None]
    put(
        catalog,
        *(
            Product(
                id=f"p{n}",
                title="Thing",
                brand=[None, "Acme", "Zoë", "Æ"][n % 4],
                category_id=[None, "home", "desk-lamps", "lost"][n % 4],
                price=eur(price) if (price := prices[n % 6]) else None,
                quantity=[0, 7, 2**53 - 1, None][n % 4],
                rating=[None, Rating(0, 1), Rating(4.5, 1)][n % 3],
                tags=[(), ("a",), ("a", "b"), ("b", "c")][n % 4],
                condition=Condition.USED if n % 2 else Condition.NEW,
                attributes={"size": Measure(n % 3, "cm")} if n % 2 else {},
            )
            for n in range(40)
        ),
    )
    both = Both(catalog)

    for asked in filters():
        both.compare(ProductQuery("thing", (asked,), limit=50))
