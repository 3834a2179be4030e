from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from tests.builders import FULL, LAMP
from vitrina.domain.category import Category
from vitrina.domain.errors import InvalidDocument, InvalidValue
from vitrina.service_layer.document_reading import read_category, read_product
from vitrina.service_layer.documents import (
    PRODUCT_FIELDS,
    Json,
    WrittenFloat,
    write_category,
    write_product,
)
from vitrina.service_layer.times import format_time, parse_time

NOW = datetime(2026, 1, 31, 12, 0, 0, 5, UTC)


def faults(document: Json) -> list[tuple[str, str]]:
    with pytest.raises(InvalidDocument) as refused:
        read_product(document, product_id="lamp")
    return [(each.pointer, each.code) for each in refused.value.faults]


def test_a_document_has_every_field_in_order() -> None:
    assert tuple(write_product(LAMP)) == PRODUCT_FIELDS


def test_what_is_written_is_what_is_read() -> None:
    saved = replace(FULL, version=3, created_at=NOW, updated_at=NOW + timedelta(days=1))

    read = read_product(write_product(saved))

    assert read == saved
    assert (read.version, read.created_at, read.updated_at) == (3, NOW, NOW + timedelta(days=1))


def test_absent_and_null_mean_the_same() -> None:
    nulls: dict[str, Json] = dict.fromkeys(PRODUCT_FIELDS)

    assert read_product({**nulls, "id": "x", "title": "X"}) == read_product(
        {"id": "x", "title": "X"}
    )


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("12.90", "12.90"),
        ("1e2", "100"),
        ("1.5E+1", "15"),
        ("125e-1", "12.5"),
        ("5e-2", "0.05"),
        ("0.1e1", "1"),
        ("9007199254740993.0", None),
        ("-1.0", None),
        ("1e400", None),
        ("1e-400", None),
    ],
)
def test_money_from_a_number_keeps_its_digits(written: str, text: str | None) -> None:
    document: dict[str, Json] = {
        "title": "x",
        "price": {"amount": WrittenFloat(written), "currency": "EUR"},
    }

    if text is None:
        assert [pointer for pointer, _ in faults(document)] == ["/price/amount"]
    else:
        price = read_product(document, product_id="lamp").price
        assert price is not None
        assert price.text == text


def test_money_from_an_integer() -> None:
    price = read_product({"id": "x", "title": "x", "price": {"amount": 5, "currency": "JPY"}}).price

    assert str(price) == "5 JPY"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"titel": "x"}, [("/titel", "unknown_field")]),
        ({"a/b": 1}, [("/a~1b", "unknown_field")]),
        ({"title": None}, [("/title", "required")]),
        ({"title": 5}, [("/title", "wrong_type")]),
        ({"title": ""}, [("/title", "too_short")]),
        ({"id": "other"}, [("/id", "id_mismatch")]),
        ({"status": "live"}, [("/status", "unknown_choice")]),
        ({"status": "ACTIVE"}, [("/status", "unknown_choice")]),
        ({"condition": True}, [("/condition", "wrong_type")]),
        ({"quantity": "5"}, [("/quantity", "wrong_type")]),
        ({"quantity": 1.5}, [("/quantity", "wrong_type")]),
        ({"quantity": True}, [("/quantity", "wrong_type")]),
        ({"price": "12 EUR"}, [("/price", "wrong_type")]),
        ({"price": {}}, [("/price/amount", "required"), ("/price/currency", "required")]),
        ({"price": {"amount": True, "currency": 1}}, [
            ("/price/amount", "wrong_type"), ("/price/currency", "wrong_type")]),
        ({"price": {"amount": "1", "currency": "EUR", "tax": 1}}, [("/price/tax", "unknown_field")]),
        ({"price": {"amount": "1", "currency": "eur"}}, [("/price/currency", "unknown_currency")]),
        ({"tags": "a"}, [("/tags", "wrong_type")]),
        ({"tags": ["a", 5]}, [("/tags/1", "wrong_type")]),
        ({"images": ["http://x.example"]}, [("/images/0", "wrong_type")]),
        ({"images": [{}]}, [("/images/0/url", "required")]),
        ({"images": [{"url": 5}]}, [("/images/0/url", "wrong_type")]),
        ({"images": [{"url": "http://x.example", "alt": 5}]}, [("/images/0/alt", "wrong_type")]),
        ({"images": [{"url": "http://x.example", "w": 5}]}, [("/images/0/w", "unknown_field")]),
        ({"attributes": []}, [("/attributes", "wrong_type")]),
        ({"attributes": {"a": [1]}}, [("/attributes/a/0", "wrong_type")]),
        ({"attributes": {"a": {"value": 5}}}, [("/attributes/a/unit", "required")]),
        ({"attributes": {"a": {"value": "5", "unit": "in"}}}, [("/attributes/a/value", "wrong_type")]),
        ({"attributes": {"a": {"value": 5, "unit": "in", "x": 1}}}, [
            ("/attributes/a/x", "unknown_field")]),
        ({"rating": {"average": 5}}, [("/rating/count", "required")]),
        ({"rating": {"count": 5}}, [("/rating/average", "required")]),
        ({"rating": {"average": "5", "count": 5}}, [("/rating/average", "wrong_type")]),
        ({"rating": {"average": 5, "count": 1.5}}, [("/rating/count", "wrong_type")]),
        ({"created_at": "yesterday"}, [("/created_at", "invalid_time")]),
        ({"gtin": 4006381333931}, [("/gtin", "wrong_type")]),
    ],
)  # fmt: skip
def test_faults(change: Mapping[str, Json], expected: list[tuple[str, str]]) -> None:
    assert faults({"title": "Lamp", **change}) == expected


def test_wrong_types_and_broken_rules_are_found_in_one_go() -> None:
    assert faults({"title": 5, "gtin": "1", "bogus": 1}) == [
        ("/bogus", "unknown_field"),
        ("/title", "wrong_type"),
        ("/gtin", "invalid_gtin"),
    ]


@pytest.mark.parametrize("document", [None, True, 5, 1.5, "x", [], [{}]])
def test_only_an_object_is_a_product(document: Json) -> None:
    assert faults(document) == [("", "wrong_type")]


def test_a_product_without_an_id_from_anywhere() -> None:
    with pytest.raises(InvalidDocument, match="/id"):
        read_product({"title": "x"})


def test_an_attribute_of_null_is_absent() -> None:
    document: Json = {"id": "x", "title": "x", "attributes": {"a": None, "b": "c"}}

    assert read_product(document).attributes == {"b": "c"}


def test_five_point_zero_is_the_integer_five() -> None:
    assert read_product({"id": "x", "title": "x", "quantity": 5.0}).quantity == 5


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-31T12:00:00.000005Z", NOW),
        ("2026-01-31t12:00:00.000005z", NOW),
        ("2026-01-31 14:00:00.000005+02:00", NOW),
    ],
)
def test_times(text: str, time: datetime) -> None:
    assert parse_time(text) == time


@pytest.mark.parametrize(
    "text", ["", "2026-01-31", "2026-01-31T12:00:00", "2026-02-30T12:00:00Z", "2026-01-31T25:00:00Z",
             "0001-01-01T00:00:00+23:59"]
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(InvalidValue, match="RFC 3339"):
        parse_time(text)


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=-3)))))
def test_a_written_time_is_read_as_the_same_instant(time: datetime) -> None:
    if 1 < time.year < 9999:
        assert parse_time(format_time(time)) == time


def test_categories() -> None:
    category = Category(id="desk", name="Desk lamps", parent_id="light", version=2)

    document = write_category(category, path=("Light", "Desk lamps"), product_count=5)

    assert document == {
        "id": "desk",
        "name": "Desk lamps",
        "parent_id": "light",
        "path": ["Light", "Desk lamps"],
        "product_count": 5,
        "version": 2,
    }
    assert read_category(document, category_id="desk") == replace(category, version=0)


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        ([], "", "wrong_type"),
        ({}, "/name", "required"),
        ({"name": ""}, "/name", "too_short"),
        ({"name": 1}, "/name", "wrong_type"),
        ({"name": "x", "id": "other"}, "/id", "id_mismatch"),
        ({"name": "x", "slug": "x"}, "/slug", "unknown_field"),
        ({"name": "x", "parent_id": 1}, "/parent_id", "wrong_type"),
    ],
)
def test_what_is_no_category(document: Json, pointer: str, code: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        read_category(document, category_id="desk")

    assert [(each.pointer, each.code) for each in refused.value.faults] == [(pointer, code)]
