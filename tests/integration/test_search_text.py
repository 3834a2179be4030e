"""What a text finds: in the words of those who type it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import tantivy
from hypothesis import example, given, strategies as st

from tests.contract.product_index import follow, new_catalog, put, remove
from vitrina.adapters.index import planning
from vitrina.adapters.index.analysis import LANGUAGES, Analyzer
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.index.reading import Reading
from vitrina.adapters.index.synonyms import read_synonyms
from vitrina.adapters.memory import MemoryCatalog
from vitrina.domain.errors import BadCursor
from vitrina.domain.product import Product
from vitrina.service_layer.opening import CannotOpen
from vitrina.service_layer.queries import Facet, Filter, Operator, ProductQuery, Sort
from vitrina.settings import Language

type Find = Callable[..., list[str]]


@pytest.fixture
def catalog() -> MemoryCatalog:
    return new_catalog()


@pytest.fixture
def find(catalog: MemoryCatalog) -> Find:
    """Return what answers a text; the catalog is given as id=title."""

    def ask(text: str, reading: Reading | None = None, /, **titles: str) -> list[str]:
        put(catalog, *(Product(id=key, title=title) for key, title in titles.items()))
        index = TantivyIndex(catalog.view, catalog, reading=reading)
        return list(index.search(ProductQuery(text, limit=200)).ids)

    return ask


def test_the_whole_title_comes_first(find: Find) -> None:
    assert (
        find(
            "usb cable", a="USB cable for the usb cable box, a cable", b="Cable USB", c="USB Cable"
        )[0]
        == "c"
    )


def test_an_identifier_comes_first(catalog: MemoryCatalog) -> None:
    put(
        catalog,
        Product(id="a", title="Case for AB 12 and AB 13"),
        Product(id="b", title="Phone", sku="AB-12"),
        Product(id="c", title="Tablet", mpn="ab13"),
        Product(id="d", title="Watch", gtin="036000291452"),
    )
    index = TantivyIndex(catalog.view, catalog)

    for text, expected in {
        "AB-12": "b",
        "ab12": "b",
        "AB 12": "b",
        "ab-13": "c",
        "036000291452": "d",
        "0036000291452": "d",
        "D": "d",
    }.items():
        assert index.search(ProductQuery(text)).ids[0] == expected, text


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("wirless", "Wireless mouse"),
        ("wireles", "Wireless mouse"),
        ("wierless", "Wireless mouse"),
        ("wyrelesz", "Wireless mouse"),
        ("muose", "Wireless mouse"),
        ("mouze", "Wireless mouse"),
    ],
)
def test_typos_are_forgiven(find: Find, typed: str, title: str) -> None:
    assert find(typed, a=title, b="Kettle") == ["a"]


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("lmp", "lap"),  # three letters
        ("kettel", "Cattle"),  # two typos in six letters
        ("12346", "Model 12345"),  # a number
        ("ab124", "Model ab123"),  # an identifier
        ("mouse", "House"),  # known: see below
    ],
)
def test_typos_are_not_seen_where_there_are_none(find: Find, typed: str, title: str) -> None:
    assert find(typed, a=title, b="Mouse") == (["b"] if typed == "mouse" else [])


def test_the_last_word_may_be_unfinished(find: Find) -> None:
    titles = {"a": "Wireless mouse", "b": "Wired mouse", "c": "Mouse"}

    assert find("mouse wirel", **titles)[0] == "a"
    assert find("wir", **titles) == ["a", "b"]
    assert find("wir mouse", **titles)[0] == "c"


def test_the_beginning_of_a_brand_leads_to_what_it_makes(catalog: MemoryCatalog) -> None:
    put(
        catalog,
        Product(id="a", title="Case for Samson S7"),
        Product(id="b", title="Samson S7 telephone and a charger", brand="Samson"),
    )
    index = TantivyIndex(catalog.view, catalog)

    for typed in ("samson", "samso", "sams"):
        assert index.search(ProductQuery(typed)).ids[0] == "b", typed


def test_words_are_joined_and_split(find: Find) -> None:
    titles = {"a": "Bluray player", "b": "Blu-ray player", "c": "Wi-Fi router", "d": "Wifi router"}

    assert sorted(find("blu ray", **titles)) == ["a", "b"]
    assert sorted(find("bluray", **titles)) == ["a", "b"]
    assert sorted(find("wi-fi router", **titles)) == ["c", "d"]
    assert sorted(find("wifi router", **titles)) == ["c", "d"]


def test_accents_case_and_endings_do_not_matter(find: Find) -> None:
    assert find("CREME brulees", a="Crème brûlée", b="Cream") == ["a"]


@pytest.mark.parametrize(
    ("language", "typed", "title"),
    [
        ("en", "running shoe", "Shoes for runs"),
        ("pt", "lampadas", "Lâmpada de mesa"),
        ("pt", "cadeira", "Cadeiras"),
        ("es", "zapato", "Zapatos negros"),
        ("es", "camiones", "Camión"),
        ("en", "woman", "Women's coat"),
        ("en", "bookshelves", "Bookshelf"),
        ("en", "womens", "Women's coat"),
        ("en", "women's", "Womens coat"),
        ("en", "mens", "Coat for men"),
        ("en", "children's", "Childrens coat"),
        ("en", "knife", "Steak knives"),
        ("en", "dvds", "DVD player"),
        ("pt", "cartões", "Cartão de memória"),
        ("pt", "colchao", "Colchões"),
        ("pt", "papel", "Papéis"),
        ("pt", "portátil", "Rádios portáteis"),
        ("pt", "brinquedo infantil", "Brinquedos infantis"),
        ("pt", "imagens", "Imagem"),
        ("pt", "mães", "Dia da mãe"),
        ("es", "luz", "Luces de jardín"),
        ("es", "dulces", "Dulce de leche"),
        ("es", "collar", "Collares"),
        ("es", "mujer", "Reloj para mujeres"),
        ("pt", "chapéus", "Chapéu de palha"),
        ("es", "pared", "Lámpara para paredes"),
    ],
)
def test_words_are_known_by_their_stems(find: Find, language: str, typed: str, title: str) -> None:
    assert find(typed, Reading(language), a=title, b="Xyz") == ["a"]


def test_whose_something_is_counts_no_word_of_its_own(find: Find) -> None:
    titles = {"a": "Coat for women", "b": "Bob's coat", "c": "Galaxy S case"}

    assert find("women's coat", **titles)[0] == "a"
    assert find("women\u2019s", **titles) == ["a"]
    assert set(find("galaxy s", **titles)) == {"b", "c"}
    assert "b" in find("s", **titles)


@pytest.mark.parametrize(
    ("language", "typed", "other"),
    [
        ("pt", "aço", "Ações"),
        ("pt", "mão", "Mães"),
        ("pt", "lápis", "Lapela"),
        ("en", "men", "Lens"),
    ],
)
def test_other_words_are_not_taken_for_plurals(
    find: Find, language: str, typed: str, other: str
) -> None:
    assert find(f"{typed} xyz", Reading(language), a=other, b="Xyz") == ["b"]


@pytest.mark.parametrize(
    ("language", "typed", "title"),
    [("en", "wom", "Women's coat"), ("en", "kniv", "Steak knives"), ("pt", "cartõe", "Cartões")],
)
def test_a_plural_may_be_unfinished(find: Find, language: str, typed: str, title: str) -> None:
    assert find(typed, Reading(language), a=title, b="Xyz") == ["a"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("lapms", ["a"]),  # in the name of a category
        ("duarble", ["b"]),  # in a description
        ("oak durabel", ["b"]),
    ],
)
def test_typos_are_forgiven_wherever_the_word_is(
    catalog: MemoryCatalog, typed: str, found: list[str]
) -> None:
    put(
        catalog,
        Product(id="a", title="Aurora", category_id="desk-lamps"),
        Product(id="b", title="Table", description="Durable oak."),
    )
    index = TantivyIndex(catalog.view, catalog)

    assert list(index.search(ProductQuery(typed)).ids) == found


def test_a_word_with_a_typo_is_sought_in_descriptions_last(catalog: MemoryCatalog) -> None:
    put(
        catalog,
        Product(id="a", title="Music", description="Saxophone"),
        Product(id="b", title="Saxaphone"),
    )
    index = TantivyIndex(catalog.view, catalog)

    assert index.search(ProductQuery("saxophoen")).ids == ("b",)


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_word_that_is_too_long_finds_no_category(catalog: MemoryCatalog, language: str) -> None:
    """The singular of a Spanish word in -z is a letter longer than the word."""
    put(catalog, Product(id="a", title="Bulb", category_id="lamps"))
    index = TantivyIndex(catalog.view, catalog, reading=Reading(language))

    assert index.search(ProductQuery("a" * 62 + "z")).total == 0


def test_two_words_find_a_category_that_is_called_by_both_as_one(catalog: MemoryCatalog) -> None:
    put(catalog, Product(id="a", title="Bulb", category_id="lamps"), Product(id="b", title="La"))
    index = TantivyIndex(catalog.view, catalog)

    assert index.search(ProductQuery("la mps")).ids == ("a", "b")


def test_titles_tell_apart_what_all_products_hold(catalog: MemoryCatalog) -> None:
    """A shop of lamps alone files everything under lamps; whoever asks for lamps wants one first."""
    put(
        catalog,
        *(Product(id=f"a{n}", title=f"Bulb {n}", category_id="lamps") for n in range(30)),
        Product(id="b", title="A green reading lamp", category_id="lamps"),
    )
    index = TantivyIndex(catalog.view, catalog)

    for typed in ("lamp", "lam"):
        assert index.search(ProductQuery(typed)).ids[0] == "b", typed


def test_every_language_of_the_settings_is_known() -> None:
    assert set(LANGUAGES) == {each.value for each in Language}


def test_words_that_say_nothing_are_left_out_beside_better_ones(find: Find) -> None:
    titles = {"a": "The lamp", "b": "The chair", "c": "Who is the best"}

    assert find("the lamp", **titles) == ["a"]
    assert len(find("the", **titles)) == 3
    assert find("o abajur da sala", Reading("pt"), d="Abajur", e="Da hora")[0] == "d"


def test_enough_products_that_hold_all_words_leave_out_the_others(catalog: MemoryCatalog) -> None:
    put(catalog, *(Product(id=f"both{n}", title=f"Red lamp {n}") for n in range(20)))
    put(catalog, *(Product(id=f"lamp{n}", title=f"Lamp {n}") for n in range(5)))
    index = TantivyIndex(catalog.view, catalog)

    assert index.search(ProductQuery("red lamp")).total == 20
    assert index.search(ProductQuery("red lamp unheard")).total == 20
    put(catalog, Product(id="both0", title="Green lamp"))
    assert index.search(ProductQuery("red lamp")).total == 25


def test_a_facet_counts_what_choosing_its_value_finds(catalog: MemoryCatalog) -> None:
    put(
        catalog,
        *(Product(id=f"a{n}", title="Red lamp", brand="A") for n in range(20)),
        Product(id="b1", title="Red lamp", brand="B"),
        Product(id="b2", title="Lamp", brand="B"),
    )
    index = TantivyIndex(catalog.view, catalog)
    query = ProductQuery("red lamp", facets=(Facet("brand"),))

    assert index.search(query).facets["brand"] == [
        {"value": "A", "count": 20},
        {"value": "B", "count": 1},
    ]
    chosen = replace(query, filters=(Filter("brand", Operator.EQ, ("B",)),))
    assert index.search(chosen).ids == ("b1",)
    assert index.search(chosen).facets == index.search(query).facets


def test_an_answer_can_be_sorted_otherwise(catalog: MemoryCatalog) -> None:
    put(catalog, Product(id="a", title="Red lamp"), Product(id="b", title="A red red lamp"))
    index = TantivyIndex(catalog.view, catalog)

    query = ProductQuery("red", sort=Sort("title"), limit=1)
    assert follow(index, query) == ["b", "a"]


def test_pages_of_an_answer_join_while_others_are_written(catalog: MemoryCatalog) -> None:
    """What is written in between makes words more or less rare; the ranking must not notice."""
    put(catalog, *(Product(id=f"p{n:02}", title=f"Lamp {'red ' * (n % 3)}") for n in range(24)))
    put(catalog, *(Product(id=f"q{n:02}", title="Red sofa") for n in range(10)))
    index = TantivyIndex(catalog.view, catalog)
    query = ProductQuery("red lamp", limit=7)
    before = follow(index, query)

    found: list[str] = []
    for number in range(100):
        hits = index.search(query)
        found += hits.ids
        if hits.next is None:
            break
        query = replace(query, after=hits.next)
        put(catalog, *(Product(id=f"x{number}{n}", title="Lamp") for n in range(8)))

    assert len(before) == 34
    assert [each for each in found if each in before] == before


def test_what_follows_a_page_is_found_when_what_came_before_it_is_gone(
    catalog: MemoryCatalog,
) -> None:
    """The engine leaves out what was seen before, which is fewer by then."""
    titles = {f"p{n:02}": "Lamp" + " and more" * (n // 2) for n in range(60)}
    put(catalog, *(Product(id=each, title=title) for each, title in titles.items()))
    index = TantivyIndex(catalog.view, catalog)

    first = index.search(ProductQuery("lamp", limit=40))
    for each in first.ids[:35]:
        remove(catalog, each)
    rest = index.search(ProductQuery("lamp", limit=40, after=first.next))

    assert [*first.ids, *rest.ids] == list(titles)


@pytest.mark.parametrize("text", ["bluray player", "blu ray", "wirless", "red wirel", "x"])
def test_every_way_to_write_a_word_joins_over_pages(catalog: MemoryCatalog, text: str) -> None:
    titles = ["Bluray player", "Blu-ray player", "Blu ray disc", "Wireless X", "Red wireless xyz"]
    put(catalog, *(Product(id=f"p{n}", title=titles[n % 5]) for n in range(25)))
    index = TantivyIndex(catalog.view, catalog)

    whole = index.search(ProductQuery(text, limit=200))
    assert follow(index, ProductQuery(text, limit=3)) == list(whole.ids)
    assert whole.total == len(whole.ids) > 0


def test_a_letter_that_is_a_word_stands_for_itself(find: Find) -> None:
    assert find("x", a="Model X", b="Xylophone") == ["a"]
    assert find("y", c="Yacht") == ["c"]


def test_what_is_worth_the_same_comes_by_id(catalog: MemoryCatalog) -> None:
    names = [f"p{n}" for n in range(120)]
    put(catalog, *(Product(id=each, title="Lamp") for each in names))
    index = TantivyIndex(catalog.view, catalog)

    assert follow(index, ProductQuery("lamp", limit=7)) == sorted(names)


@pytest.mark.parametrize(
    "after",
    [
        ("p",),
        ("p", "x", 1, 1),
        (1, 1.0, 1, 1),
        ("p", 1.0, 1, 1),
        ("p", 1.0, 1, 1, 1, 1, 1),
        ("p", 1.0, 1, 1.5, 2, 0),
        ("p", None, 1, 1, 2, 0),
    ],
)
def test_a_position_that_is_none_is_refused(
    catalog: MemoryCatalog, after: tuple[str | int | float | None, ...]
) -> None:
    put(catalog, Product(id="p", title="Lamp"))
    index = TantivyIndex(catalog.view, catalog)

    with pytest.raises(BadCursor):
        index.search(ProductQuery("lamp", after=after))


def test_synonyms(find: Find, tmp_path: Path) -> None:
    path = tmp_path / "synonyms.csv"
    path.write_text("# in the shop\nSofa,couch\ntv,television set,\n\n", "utf-8-sig")
    reading = Reading(synonyms=read_synonyms(path))
    titles = {"a": "Red couch", "b": "Television set 40", "c": "Set of cups", "d": "Sofa"}

    assert sorted(find("sofa", reading, **titles)) == ["a", "d"]
    assert find("tv", reading, **titles) == ["b"]
    assert find("television set", reading, e="Smart TV")[:2] in (["b", "e"], ["e", "b"])


@pytest.mark.parametrize(
    "content",
    ["sofa;couch\nlamp;light, electric\n", "sep=;\nsofa;couch\n", "sofa\tcouch\n", "sofa|couch\n"],
)
def test_synonyms_as_spreadsheets_write_them(tmp_path: Path, content: str) -> None:
    path = tmp_path / "synonyms.csv"
    path.write_text(content, "utf-8-sig", newline="\r\n")

    assert read_synonyms(path)[("sofa",)] == (("couch",),)


def test_without_a_file_there_are_no_synonyms(tmp_path: Path) -> None:
    assert read_synonyms(tmp_path / "synonyms.csv") == {}


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe", b"a,b\n" * 10_001, b",".join([b"a"] * 21), b"a b c d e f,g"],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "synonyms.csv"
    path.write_bytes(content)

    with pytest.raises(CannotOpen, match=r"synonyms\.csv"):
        read_synonyms(path)


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take words for common that three products hold."""
    monkeypatch.setattr(planning, "BROAD", 3)


@pytest.mark.usefixtures("few_are_many")
def test_of_common_words_those_in_the_title_come_first(catalog: MemoryCatalog) -> None:
    put(
        catalog,
        *(Product(id=f"a{n}", title="Red", description="A lamp.") for n in range(5)),
        *(
            Product(id=f"b{n}", title=f"A very long title of a red thing {n}, a lamp")
            for n in range(5)
        ),
        *(Product(id=f"c{n}", title="Lamp", description="It is red.") for n in range(5)),
        Product(id="d", title=f"Red lampshade {'of a very long title ' * 9}"),
    )
    index = TantivyIndex(catalog.view, catalog)
    query = ProductQuery("red lamp", facets=(Facet("status"),))

    whole = index.search(replace(query, limit=200))
    assert whole.ids[0] == "d"
    assert {each[0] for each in whole.ids[1:6]} == {"b"}
    assert {each[0] for each in whole.ids[6:]} == {"a", "c"}
    assert whole.total == 16
    for limit in (1, 2, 4, 5, 6, 7, 14):
        assert follow(index, replace(query, limit=limit)) == list(whole.ids)


@pytest.mark.usefixtures("few_are_many")
def test_a_common_word_alone_is_not_enough_where_there_is_a_rare_one(
    catalog: MemoryCatalog,
) -> None:
    put(
        catalog,
        *(Product(id=f"a{n}", title="Toy") for n in range(25)),
        Product(id="b", title="Musicube toy"),
        Product(id="c", title="Musicube"),
        Product(id="d", title="Drum"),
    )
    index = TantivyIndex(catalog.view, catalog)

    found = index.search(ProductQuery("toy musicube"))
    assert (found.ids, found.total) == (("b", "c"), 2)
    assert set(index.search(ProductQuery("toy drum musicube")).ids) == {"b", "c", "d"}
    assert index.search(ProductQuery("toy")).total == 26


@pytest.mark.usefixtures("few_are_many")
def test_a_position_in_a_tier_that_is_not_there_is_refused(catalog: MemoryCatalog) -> None:
    put(catalog, *(Product(id=f"a{n}", title="Red lamp") for n in range(5)))
    index = TantivyIndex(catalog.view, catalog)
    first = index.search(ProductQuery("red lamp", limit=2))
    assert first.next is not None

    for place, wrong in ((3, 3), (3, -1), (2, -1), (1, "high")):
        position = (*first.next[:place], wrong, *first.next[place + 1 :])
        with pytest.raises(BadCursor):
            index.search(ProductQuery("red lamp", limit=2, after=position))


def test_words_that_are_too_long_are_left_out_and_the_rest_is_found(find: Find) -> None:
    long = "x" * 64
    assert find(f"red {long} lamp", a=f"Red {long} lamp", b="Red lamp shade") == ["a", "b"]
    assert find(long, c="Lamp") == []


ENGINE = (
    tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    .filter(tantivy.Filter.lowercase())
    .filter(tantivy.Filter.ascii_fold())
    .filter(tantivy.Filter.remove_long(64))
    .build()
)
"""How the engine would cut a text."""


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("Wi-Fi_6 (USB3.0)")
@example("Lâmpada wi-fi_6: ÜBER-usb3.0 caf\u00e9\u2013bar\u00a0\u0394\u039f\u03a3")
@example(f"red {'x' * 64} {'é' * 40} {'x' * 63}")
def test_texts_are_cut_as_the_engine_cuts_them(text: str) -> None:
    analyzer = Analyzer("en")
    assert analyzer.split(text) == ENGINE.analyze(text)
    assert [each for each in analyzer.cut(text) if len(each) < 64] == ENGINE.analyze(text)
    assert analyzer.read(text).stems.split() == analyzer.stems(text)


def test_only_short_texts_are_remembered() -> None:
    analyzer = Analyzer("en")
    for text in ("Red lamps", "Red lamps " * 10, "\u7ea2\uff0c" * 100):
        assert analyzer.read(text) == analyzer.read(text)
    assert set(analyzer._texts) == {"Red lamps"}  # noqa: SLF001 - what it keeps
    assert not analyzer._odd  # noqa: SLF001 - what it keeps
