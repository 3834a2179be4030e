"""Products side by side."""

from dataclasses import replace

from tests.builders import FULL, LAMP, eur
from vitrina.domain.attributes import AttributeValue, Measure
from vitrina.domain.money import Money
from vitrina.domain.product import Product, Rating
from vitrina.service_layer.comparison import ComparisonRow, compare, summary
from vitrina.service_layer.documents import write_product


def rows(*products: Product, only_differences: bool = False) -> dict[str, ComparisonRow]:
    documents = [write_product(each) for each in products]
    found = compare(documents, only_differences=only_differences)
    return {each.attribute: each for each in found}


def with_attribute(*values: AttributeValue | None) -> ComparisonRow:
    products = [
        replace(LAMP, attributes={} if each is None else {"screen_size": each}) for each in values
    ]
    return rows(*products)["attributes.screen_size"]


def test_what_differs_comes_first() -> None:
    found = list(rows(LAMP, replace(LAMP, price=eur("99")), LAMP).values())

    assert [each.differs for each in found] == sorted((e.differs for e in found), reverse=True)
    assert found[0].attribute == "price"
    assert not rows(LAMP, LAMP, only_differences=True)


def test_the_lowest_price_is_the_best() -> None:
    cheap, dear = replace(LAMP, price=eur("99")), replace(LAMP, price=eur("129.90"))
    row = rows(dear, cheap, replace(LAMP, price=None), replace(LAMP, price=eur("99.00")))["price"]

    assert row.unit == "EUR"
    assert row.values == ("129.90", "99", None, "99.00")
    assert (row.order, row.best) == ((1, 3, 0), (1, 3))


def test_prices_of_different_currencies_are_not_ranked() -> None:
    row = rows(LAMP, replace(LAMP, price=Money(eur("1").amount, "USD")))["price"]

    assert row.values == ("129.90 EUR", "1 USD")
    assert (row.unit, row.order, row.best, row.differs) == (None, (), (), True)


def test_the_highest_rating_is_the_best() -> None:
    row = rows(replace(LAMP, rating=Rating(4, 10)), replace(LAMP, rating=Rating(4.5, 2)), LAMP)
    assert row["rating"].values == (4, 4.5, None)
    assert (row["rating"].order, row["rating"].best) == ((0, 1), (1,))


def test_equal_prices_do_not_differ_however_they_are_written() -> None:
    row = rows(replace(LAMP, price=eur("12.5")), replace(LAMP, price=eur("12.50")))["price"]

    assert (row.differs, row.best) == (False, ())


def test_measures_are_brought_to_one_unit() -> None:
    row = with_attribute(Measure(55, "in"), Measure(139.7, "cm"), None, Measure(1, "m"))

    assert row.label == "Screen size"
    assert row.unit == "in"
    assert row.values == (55, 55, None, 39.370079)
    assert row.order == (3, 0, 1)
    assert row.best == ()


def test_whole_numbers_are_written_as_such() -> None:
    values = with_attribute(Measure(15, "cm"), Measure(0.1, "m"), Measure(1.23, "m")).values

    assert list(map(str, values)) == ["15", "10", "123"]


def test_what_cannot_be_converted_is_shown_as_it_is() -> None:
    assert with_attribute(Measure(1, "m"), Measure(1, "kg")).values == ("1 m", "1 kg")
    assert with_attribute(Measure(1, "m"), "long").values == ("1 m", "long")
    assert with_attribute(Measure(1, "m"), None).values == (1, None)


def test_texts_that_look_like_numbers_are_texts() -> None:
    row = with_attribute("10", "9")

    assert (row.order, row.differs) == ((), True)


def test_booleans_lists_and_numbers() -> None:
    assert with_attribute(True, False).order == ()
    assert with_attribute(("a", "b"), ("a", "b")).differs is False
    assert with_attribute(2, 10).order == (0, 1)
    assert with_attribute(1, 1.0).differs is False


def test_properties_that_nobody_has_are_left_out() -> None:
    assert set(rows(LAMP, LAMP)) == {"price", "availability", "condition", "sku"}


def test_a_row_is_a_document() -> None:
    row = rows(LAMP, replace(LAMP, price=eur("99")))["price"]

    assert row.document() == {
        "attribute": "price",
        "label": "Price",
        "unit": "EUR",
        "values": ["129.90", "99"],
        "differs": True,
        "order": [1, 0],
        "best": [1],
    }


def test_a_summary_shows_the_first_image() -> None:
    shown = summary(write_product(FULL))

    assert shown["image"] == {"url": "https://shop.example/a.jpg", "alt": "front"}
    assert summary(write_product(LAMP))["image"] is None
    assert list(shown) == ["id", "sku", "title", "slug", "brand", "price", "url", "image"]
