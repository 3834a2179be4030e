from collections.abc import Mapping
from dataclasses import fields, replace

import pytest

from tests.builders import FULL, LAMP, eur
from vitrina.domain.attributes import AttributeValue, Measure
from vitrina.domain.errors import InvalidDocument, TransitionRefused
from vitrina.domain.events import (
    PriceChanged,
    ProductCreated,
    ProductRemoved,
    ProductRevised,
    StatusChanged,
)
from vitrina.domain.money import Money
from vitrina.domain.product import Availability, Image, Product, Rating, Status


def faults(**changes: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidDocument) as refused:
        replace(LAMP, **changes)  # type: ignore[arg-type]  # wrong values are the point
    return [(each.pointer, each.code) for each in refused.value.faults]


def test_the_full_product_sets_every_field() -> None:
    bare = Product(id="bare", title="Bare")

    same = {
        each.name
        for each in fields(Product)
        if getattr(FULL, each.name) == getattr(bare, each.name)
    }

    assert same == {"created_at", "updated_at", "version", "events"}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("id", "a b", "invalid_id"),
        ("id", "compare", "reserved_id"),
        ("title", "", "too_short"),
        ("title", " \n", "too_short"),
        ("title", "x" * 501, "too_long"),
        ("title", "bell\a", "control_character"),
        ("title", "half \ud800", "control_character"),
        ("description", "x" * 65_537, "too_long"),
        ("description", "\x85", "control_character"),
        ("sku", "", "too_short"),
        ("slug", "Not A Slug", "invalid_slug"),
        ("brand", "", "too_short"),
        ("category_id", "a/b", "invalid_id"),
        ("gtin", "4006381333930", "invalid_gtin"),
        ("mpn", "", "too_short"),
        ("url", "ftp://shop.example", "invalid_url"),
        ("url", "javascript:alert(1)", "invalid_url"),
        ("url", "https://shop.example/" + "x" * 2048, "too_long"),
        ("quantity", -1, "out_of_range"),
        ("quantity", 2**53, "out_of_range"),
        ("tags", tuple("x" * 101), "too_many"),
    ],
)
def test_rules_of_single_fields(field: str, value: object, code: str) -> None:
    assert faults(**{field: value}) == [(f"/{field}", code)]


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"tags": ("ok", "")}, "/tags/1", "too_short"),
        ({"tags": ("x" * 101,)}, "/tags/0", "too_long"),
        ({"images": (Image("nowhere"),)}, "/images/0/url", "invalid_url"),
        ({"images": (Image("http://x.example", "a" * 501),)}, "/images/0/alt", "too_long"),
        ({"images": (Image("http://x.example"),) * 101}, "/images", "too_many"),
        ({"attributes": {"": "x"}}, "/attributes/", "too_short"),
        ({"attributes": {"a/b~": "\x00"}}, "/attributes/a~1b~0", "control_character"),
        ({"attributes": {" x": 1}}, "/attributes/ x", "invalid_attribute_name"),
        ({"attributes": {"n": float("inf")}}, "/attributes/n", "number_out_of_range"),
        ({"attributes": {"n": 2**53}}, "/attributes/n", "number_out_of_range"),
        ({"attributes": {"m": Measure(1, "")}}, "/attributes/m", "too_short"),
        ({"attributes": {"l": ("x",) * 101}}, "/attributes/l", "too_many"),
        ({"attributes": {str(n): n for n in range(201)}}, "/attributes", "too_many"),
        ({"attributes": {"é": 1, "e\u0301": 2}}, "/attributes/e\u0301", "duplicate_attribute"),
        ({"rating": Rating(5.1, 1)}, "/rating/average", "out_of_range"),
        ({"rating": Rating(5, -1)}, "/rating/count", "out_of_range"),
        ({"list_price": eur("129.89")}, "/list_price/amount", "list_price_below_price"),
        (
            {"list_price": Money(eur("200").amount, "USD")},
            "/list_price/currency",
            "currency_mismatch",
        ),
    ],
)
def test_rules_inside_fields(changes: Mapping[str, object], pointer: str, code: str) -> None:
    assert faults(**changes) == [(pointer, code)]


def test_every_broken_rule_is_named_at_once() -> None:
    assert faults(title="", gtin="1", quantity=-1) == [
        ("/title", "too_short"),
        ("/gtin", "invalid_gtin"),
        ("/quantity", "out_of_range"),
    ]


def test_text_is_kept_in_normalization_form_c() -> None:
    product = replace(
        LAMP, title="Cafe\u0301", tags=("e\u0301",), attributes={"e\u0301": "e\u0301"}
    )

    assert (product.title, product.tags, product.attributes) == ("Café", ("é",), {"é": "é"})


def test_line_breaks_and_tabs_are_text() -> None:
    assert replace(LAMP, description="a\r\n\tb").description == "a\r\n\tb"


@pytest.mark.parametrize(
    ("quantity", "stated", "shown"),
    [
        (None, None, Availability.IN_STOCK),
        (3, None, Availability.IN_STOCK),
        (0, None, Availability.OUT_OF_STOCK),
        (0, Availability.BACKORDER, Availability.BACKORDER),
        (3, Availability.OUT_OF_STOCK, Availability.OUT_OF_STOCK),
    ],
)
def test_availability(
    quantity: int | None, stated: Availability | None, shown: Availability
) -> None:
    assert replace(LAMP, quantity=quantity, availability=stated).effective_availability == shown


def test_an_availability_that_only_repeats_the_quantity_is_not_stated() -> None:
    product = replace(LAMP, quantity=0, availability=Availability.OUT_OF_STOCK)

    assert replace(product, quantity=5).effective_availability == Availability.IN_STOCK


def test_becoming_the_same_changes_nothing() -> None:
    assert LAMP.become(replace(LAMP, price=eur("129.9"))) is LAMP


def test_becoming_another_records_what_changed() -> None:
    revised = replace(LAMP, version=4).become(
        replace(LAMP, title="Lamp", price=eur("99"), status=Status.ARCHIVED)
    )

    assert revised.version == 4
    assert revised.events == (
        ProductRevised("lamp", ("title", "status", "price")),
        PriceChanged("lamp", eur("129.90"), eur("99")),
        StatusChanged("lamp", Status.ACTIVE, Status.ARCHIVED),
    )


def test_the_facts_of_a_whole_life() -> None:
    assert LAMP.created().events == (ProductCreated("lamp"),)
    assert LAMP.removed().events == (ProductRemoved("lamp"),)


@pytest.mark.parametrize("after", list(Status))
@pytest.mark.parametrize("before", list(Status))
def test_only_an_archived_product_cannot_become_a_draft(before: Status, after: Status) -> None:
    product = replace(LAMP, status=before)
    target = replace(LAMP, status=after)

    if (before, after) == (Status.ARCHIVED, Status.DRAFT):
        with pytest.raises(TransitionRefused, match="archived cannot become draft"):
            product.become(target)
    else:
        assert product.become(target).status == after


def test_attribute_values_of_every_kind_are_kept() -> None:
    values: dict[str, AttributeValue] = {"t": "x", "b": False, "i": 0, "f": 0.5, "l": ("a",)}

    assert replace(LAMP, attributes=values).attributes == values


def test_true_and_one_are_different_values() -> None:
    product = replace(LAMP, attributes={"led": 1})

    assert product.become(replace(LAMP, attributes={"led": True})).events
    assert product.become(replace(LAMP, attributes={"led": 1.0})) is product
