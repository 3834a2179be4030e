"""The port ``ProductIndex``: suggestions, likeness, and notes on what was found."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.builders import eur
from tests.contract.product_index import new_catalog, put
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.index.scan import ScanIndex
from vitrina.adapters.memory import MemoryCatalog
from vitrina.domain.attributes import AttributeValue, Measure
from vitrina.domain.errors import ProductNotFound
from vitrina.domain.product import Product, Status
from vitrina.service_layer.ports import ProductIndex
from vitrina.service_layer.queries import Filter, Operator, ProductQuery, SuggestionKind

SHOP = (
    Product(id="a", title="Wireless mouse", brand="Logi Tech", category_id="toys", price=eur("20")),
    Product(
        id="b", title="Wireless keyboard", brand="Logi Tech", category_id="toys", price=eur("30")
    ),
    Product(id="c", title="Wired mouse", brand="Acme", category_id="toys", price=eur("900")),
    Product(id="d", title="Desk lamp", brand="Lumen", category_id="desk-lamps"),
    Product(id="e", title="Wireless mouse", brand="Secret", status=Status.DRAFT),
    Product(id="f", title="Sofa"),
)


@pytest.fixture
def catalog() -> MemoryCatalog:
    catalog = new_catalog()
    put(catalog, *SHOP)
    return catalog


@pytest.fixture(params=[ScanIndex, TantivyIndex])
def index(request: pytest.FixtureRequest, catalog: MemoryCatalog) -> ProductIndex:
    make: Callable[..., ProductIndex] = request.param
    return make(catalog.view, catalog)


def suggested(index: ProductIndex, text: str, kind: str, limit: int = 5) -> list[str]:
    return [each.text for each in index.suggest(text, limit) if each.kind is SuggestionKind(kind)]


def test_queries_are_completed(index: ProductIndex) -> None:
    assert suggested(index, "wirele", "query") == ["wireless"]
    assert set(suggested(index, "wir", "query")) == {"wireless", "wired"}
    assert suggested(index, "mouse wirel", "query")[0] == "mouse wireless"


def test_products_brands_and_categories_are_named(index: ProductIndex) -> None:
    assert suggested(index, "desk", "product") == ["Desk lamp"]
    assert suggested(index, "LOG", "brand") == ["Logi Tech"]
    assert suggested(index, "tech lo", "brand") == ["Logi Tech"]
    assert suggested(index, "lam", "category") == ["Desk lamps", "Lamps"]
    (brand,) = [each for each in index.suggest("logi", 5) if each.kind is SuggestionKind.BRAND]
    (toys,) = [each for each in index.suggest("toys", 5) if each.kind is SuggestionKind.CATEGORY]
    assert (brand.count, brand.id) == (2, None)
    assert (toys.count, toys.id) == (3, "toys")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("cafe", "café"),
        ("Café em gr", "café em grãos"),
        ("cafe  em gr", "café em grãos"),
        ("AT&T go", "at&t gophone"),
        ("wi-fi ro", "wi-fi router"),
        ("grson caf", "grson café"),
        ("galxay sma", "galaxy smartphone"),
        ("½ xylo", "1 2 xylophone"),
        ("unheard galaxy sma", "unheard galaxy smartphone"),
    ],
)
def test_a_query_is_completed_as_titles_spell_it(
    catalog: MemoryCatalog, index: ProductIndex, typed: str, expected: str
) -> None:
    put(
        catalog,
        Product(id="c1", title="CAFÉ em Grãos"),
        Product(id="c2", title="Café"),
        Product(id="c3", title="AT&T GoPhone"),
        Product(id="c4", title="Galaxy Smartphone"),
        Product(id="c5", title="Wi-Fi router"),
        Product(id="c6", title="½ Xylophone"),
    )

    assert suggested(index, typed, "query")[0] == expected


def test_what_is_not_active_is_not_suggested(index: ProductIndex) -> None:
    assert not suggested(index, "secret", "brand")
    assert len(suggested(index, "wireless mouse", "product")) <= 3


def test_typos_in_brands_are_forgiven(index: ProductIndex) -> None:
    assert suggested(index, "lumne", "brand") == ["Lumen"]
    assert suggested(index, "zzz", "brand") == []


@pytest.mark.parametrize("text", ["", " ", "!?", "🛋"])
def test_nothing_typed_is_nothing_suggested(index: ProductIndex, text: str) -> None:
    assert list(index.suggest(text, 5)) == []


def test_there_is_a_limit_for_each_kind(index: ProductIndex) -> None:
    found = index.suggest("wir", 1)

    assert [each.kind for each in found] == [SuggestionKind.QUERY, SuggestionKind.PRODUCT]


def test_what_is_more_alike_comes_first(index: ProductIndex) -> None:
    found = index.related("a", 10)

    assert [each.id for each in found] == ["b", "c"]
    assert 1 >= found[0].score > found[1].score > 0
    assert [each.id for each in index.related("a", 1)] == ["b"]


def test_a_draft_has_related_products_too(index: ProductIndex) -> None:
    assert [each.id for each in index.related("e", 1)] == ["a"]


def test_what_is_like_nothing_has_no_related_products(index: ProductIndex) -> None:
    assert list(index.related("f", 10)) == []


def test_there_must_be_the_product(index: ProductIndex) -> None:
    with pytest.raises(ProductNotFound):
        index.related("none", 10)


def test_hits_are_marked_and_the_rest_escaped(catalog: MemoryCatalog, index: ProductIndex) -> None:
    description = "The <b>best</b> mouse. " + "filler " * 60 + "mouse"
    put(catalog, Product(id="x", title="Mouse & Mat", description=description))

    marked = index.search(ProductQuery("mouse", highlight=True)).highlights["x"]

    assert marked["title"] == "<mark>Mouse</mark> &amp; Mat"
    text = str(marked["description"])
    assert text.startswith("The &lt;b&gt;best&lt;/b&gt; <mark>mouse</mark>. filler")
    assert text.endswith("…")
    assert len(text) < 350


def test_a_hit_far_into_a_text_is_shown(catalog: MemoryCatalog, index: ProductIndex) -> None:
    put(catalog, Product(id="x", title="Thing", description="filler " * 100 + "unicorn " * 3))

    marked = index.search(ProductQuery("unicorn", highlight=True)).highlights["x"]

    assert str(marked["description"]).startswith("…filler")
    assert str(marked["description"]).count("<mark>unicorn</mark>") == 3


def test_a_find_is_explained(catalog: MemoryCatalog, index: ProductIndex) -> None:
    put(
        catalog,
        Product(
            id="x",
            title="Red unicorn",
            tags=("unicorn",),
            category_id="toys",
            attributes={"kind": "unicorn", "real": False, "list": ("unicorn",)},
        ),
    )

    told = index.search(ProductQuery("unicorn toys", explain=True)).explanations["x"]

    assert told["words_held"] == 2
    words = told["words"]
    assert isinstance(words, list)
    assert [each["word"] for each in words] == ["unicorn", "toys"]
    places = [(each["field"], each["how"]) for each in words[0]["found"]]
    assert places == [
        ("title", "exact"),
        ("tags", "exact"),
        ("attributes.kind", "exact"),
        ("attributes.list", "exact"),
    ]
    assert words[1]["found"][0]["field"] == "category"


def why(index: ProductIndex, query: ProductQuery) -> tuple[bool, list[str]]:
    told = index.search(query).why_not
    assert told is not None
    removed = told["removed"]
    assert isinstance(removed, list)
    return bool(told["found"]), [each["by"] for each in removed]


def test_why_a_product_is_not_there(index: ProductIndex) -> None:
    filters = (
        Filter("status", Operator.EQ, ("active",)),
        Filter("brand", Operator.NE, ("Secret",)),
        Filter("price", Operator.EXISTS, (True,)),
    )

    assert why(index, ProductQuery(filters=filters, why_not="e")) == (
        False,
        ["status", "brand[ne]", "price[exists]"],
    )
    assert why(index, ProductQuery(filters=filters, why_not="a")) == (True, [])
    assert why(index, ProductQuery(why_not="none")) == (False, ["catalog"])
    assert why(index, ProductQuery("unicorn lamp", why_not="a")) == (False, ["q"])
    assert why(index, ProductQuery("desk lamp", why_not="d")) == (True, [])


@pytest.mark.parametrize(
    ("asked", "detail"),
    [
        (
            Filter("brand", Operator.EQ, ("Acme", "Lumen")),
            "Asked for brand=Acme or Lumen; the product's brand is Logi Tech.",
        ),
        (
            Filter("category", Operator.EQ, ("lamps",)),
            "Asked for category=lamps; the product's category is toys.",
        ),
        (
            Filter("price", Operator.GTE, (Decimal(100),)),
            "Asked for price[gte]=100; the product's price is 20 EUR.",
        ),
        (
            Filter("rating", Operator.EXISTS, (True,)),
            "Asked for rating[exists]=true; the product's rating has no value.",
        ),
        (
            Filter("tag", Operator.EQ, ("desk",)),
            "Asked for tag=desk; the product's tag is gift, red.",
        ),
        (
            Filter("attributes.width", Operator.GT, ("1 m",)),
            "Asked for attributes.width[gt]=1 m; the product's attributes.width is 40 cm.",
        ),
        (
            Filter("attributes.hdr", Operator.NE, ("true",)),
            "Asked for attributes.hdr[ne]=true; the product's attributes.hdr is true.",
        ),
        (
            Filter("created_at", Operator.LT, (datetime(2020, 1, 2, tzinfo=UTC),)),
            "Asked for created_at[lt]=2020-01-02T00:00:00.000000Z; the product's created_at is ",
        ),
    ],
)
def test_a_filter_that_removed_a_product_is_told_with_what_the_product_has(
    catalog: MemoryCatalog, index: ProductIndex, asked: Filter, detail: str
) -> None:
    held: dict[str, AttributeValue] = {"width": Measure(40, "cm"), "hdr": True}
    put(catalog, replace(SHOP[0], tags=("gift", "red"), attributes=held))

    told = index.search(ProductQuery(filters=(asked,), why_not="a")).why_not
    assert told is not None
    removed = told["removed"]
    assert isinstance(removed, list)
    assert [each["detail"][: len(detail)] for each in removed] == [detail]


def test_half_a_word_is_a_hit_beside_the_other_only(catalog: MemoryCatalog) -> None:
    put(
        catalog,
        Product(id="x", title="Smart watch", description="A watch."),
        Product(id="y", title="Watch for a smartwatch", description="Smart watch."),
    )
    index = TantivyIndex(catalog.view, catalog)

    hits = index.search(ProductQuery("smartwatch", highlight=True, explain=True))

    assert hits.highlights == {
        "x": {"title": "<mark>Smart</mark> <mark>watch</mark>"},
        "y": {"title": "Watch for a <mark>smartwatch</mark>"},
    }
