"""The grammar of a listing's parameters, and what is said to those who get it wrong."""

from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, strategies as st

from vitrina.domain.errors import InvalidQuery
from vitrina.service_layer.documents import PRODUCT_FIELDS
from vitrina.service_layer.queries import (
    FACET_FIELDS,
    FILTER_FIELDS,
    SORT_FIELDS,
    Facet,
    Filter,
    Operator,
    ProductQuery,
    Sort,
)
from vitrina.service_layer.query_string import PARAMETERS, Listing, parse_filters, parse_listing

ACTIVE = Filter("status", Operator.EQ, ("active",))


def listing(query: str) -> Listing:
    return parse_listing(parse_qsl(query, keep_blank_values=True))


def faults(query: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidQuery) as caught:
        listing(query)
    return [(each.pointer, each.code) for each in caught.value.faults]


def test_nothing_asked_is_the_first_page_of_what_is_active() -> None:
    assert listing("") == Listing(ProductQuery(filters=(ACTIVE,), limit=20))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("brand=Sony", Filter("brand", Operator.EQ, ("Sony",))),
        ("brand=Sony&brand=LG", Filter("brand", Operator.EQ, ("Sony", "LG"))),
        ("brand=Sony&brand[eq]=LG&brand=LG", Filter("brand", Operator.EQ, ("Sony", "LG"))),
        ("brand[ne]=Sony&brand[ne]=LG", Filter("brand", Operator.NE, ("Sony", "LG"))),
        ("brand=Zoe%CC%88", Filter("brand", Operator.EQ, ("Zo\u00eb",))),
        ("brand=a,b", Filter("brand", Operator.EQ, ("a,b",))),
        ("brand[exists]=false", Filter("brand", Operator.EXISTS, (False,))),
        ("category=tv", Filter("category", Operator.EQ, ("tv",))),
        ("price=12.90", Filter("price", Operator.EQ, (Decimal("12.90"),))),
        ("price[gte]=-1", Filter("price", Operator.GTE, (Decimal(-1),))),
        ("quantity[lt]=5", Filter("quantity", Operator.LT, (Decimal(5),))),
        ("rating[gt]=4.5", Filter("rating", Operator.GT, (Decimal("4.5"),))),
        (
            "created_at[lte]=2026-01-31T13:00:00%2B01:00",
            Filter("created_at", Operator.LTE, (datetime(2026, 1, 31, 12, tzinfo=UTC),)),
        ),
        ("attributes.color=red", Filter("attributes.color", Operator.EQ, ("red",))),
        ("attributes.size[gte]=40", Filter("attributes.size", Operator.GTE, ("40",))),
        ("attributes.size[gte]=40 in", Filter("attributes.size", Operator.GTE, ("40 in",))),
        ("attributes.a.b[exists]=true", Filter("attributes.a.b", Operator.EXISTS, (True,))),
        ("attributes.Size [cm][eq]=4", Filter("attributes.Size [cm]", Operator.EQ, ("4",))),
    ],
)
def test_filters(query: str, expected: Filter) -> None:
    assert listing(query).query.filters == (expected, ACTIVE)


def test_different_filters_must_all_hold() -> None:
    assert listing("price[gte]=1&price[lt]=2&brand=A&status=draft").query.filters == (
        Filter("price", Operator.GTE, (Decimal(1),)),
        Filter("price", Operator.LT, (Decimal(2),)),
        Filter("brand", Operator.EQ, ("A",)),
        Filter("status", Operator.EQ, ("draft",)),
    )


@pytest.mark.parametrize("query", ["status[ne]=draft", "status=archived", "status[exists]=true"])
def test_whoever_speaks_of_the_status_decides_it(query: str) -> None:
    assert ACTIVE not in listing(query).query.filters


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("price", Sort("price")),
        ("-price", Sort("price", descending=True)),
        ("title", Sort("title")),
        ("-updated_at", Sort("updated_at", descending=True)),
        ("-id", Sort("id", descending=True)),
        ("-attributes.size", Sort("attributes.size", descending=True)),
        ("relevance", Sort("relevance")),
    ],
)
def test_sort(text: str, sort: Sort) -> None:
    assert listing(f"sort={text}").query.sort == sort


def test_the_order_is_always_known() -> None:
    assert listing("").query.order == Sort("id")
    assert listing("q=lamp").query.order == Sort("relevance")
    assert listing("q=lamp&sort=title").query.order == Sort("title")
    assert listing("sort=relevance").query.order == Sort("id")


@pytest.mark.parametrize(
    ("query", "text"),
    [("q=desk+lamp", "desk lamp"), ("q=", None), ("q=+", None), ("q=a%00%0Ab", "a b")],
)
def test_text(query: str, text: str | None) -> None:
    assert listing(query).query.text == text


def test_presentation() -> None:
    found = listing("fields=title,id&fields=price&limit=200&cursor=abc")

    assert found.fields == ("id", "title", "price")
    assert found.query.limit == 200
    assert found.cursor == "abc"


def test_ids_keep_their_order_and_come_once() -> None:
    assert listing("ids=b,a&ids=c,b&fields=id").ids == ("b", "a", "c")


def test_facets() -> None:
    found = listing("facets=brand,price,attributes.a:b&facet_query=brand:so ny")

    assert found.query.facets == (
        Facet("brand", "so ny"),
        Facet("price"),
        Facet("attributes.a:b"),
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("colour=red", [("colour", "unknown_parameter")]),
        ("Brand=red", [("Brand", "unknown_parameter")]),
        ("attributes.=red", [("attributes.", "unknown_parameter")]),
        ("[gte]=1", [("[gte]", "unknown_parameter")]),
        ("q[eq]=1", [("q[eq]", "unknown_parameter")]),
        ("price[above]=1", [("price[above]", "unknown_operator")]),
        ("price[]=1", [("price[]", "unknown_operator")]),
        ("brand[gte]=a", [("brand[gte]", "unknown_operator")]),
        ("category[lt]=a", [("category[lt]", "unknown_operator")]),
        ("attributes.a[foo]=1", [("attributes.a[foo]", "unknown_operator")]),
        ("brand=", [("brand", "empty_value")]),
        ("brand=%07", [("brand", "control_character")]),
        ("brand=" + "a" * 1001, [("brand", "too_long")]),
        ("brand[exists]=yes", [("brand[exists]", "invalid_boolean")]),
        ("brand[exists]=true&brand[exists]=false", [("brand[exists]", "duplicate_parameter")]),
        ("status=deleted", [("status", "unknown_value")]),
        ("condition=NEW", [("condition", "unknown_value")]),
        ("price=NaN", [("price", "invalid_number")]),
        ("price=1e3", [("price", "invalid_number")]),
        ("price=1,5", [("price", "invalid_number")]),
        ("price=" + "9" * 16, [("price", "invalid_number")]),
        ("price[gt]=1&price[gt]=2", [("price[gt]", "duplicate_parameter")]),
        ("created_at[gt]=yesterday", [("created_at[gt]", "invalid_time")]),
        ("attributes.a[gt]=big", [("attributes.a[gt]", "invalid_number")]),
        ("&".join(f"brand={n}" for n in range(51)), [("brand", "too_many")]),
        ("sort=weight", [("sort", "unknown_sort")]),
        ("sort=-relevance", [("sort", "unknown_sort")]),
        ("sort=price,title", [("sort", "unknown_sort")]),
        ("sort=price&sort=title", [("sort", "duplicate_parameter")]),
        ("sort=", [("sort", "empty_value")]),
        ("limit=0", [("limit", "out_of_range")]),
        ("limit=201", [("limit", "out_of_range")]),
        ("limit=ten", [("limit", "invalid_number")]),
        ("limit=" + "9" * 5000, [("limit", "invalid_number")]),
        ("limit=", [("limit", "empty_value")]),
        ("limit=1&limit=1", [("limit", "duplicate_parameter")]),
        ("cursor=", [("cursor", "empty_value")]),
        ("q=a&q=b", [("q", "duplicate_parameter")]),
        ("q=" + "a" * 10_001, [("q", "too_long")]),
        ("fields=id,colour", [("fields", "unknown_field")]),
        ("fields=", [("fields", "empty_value")]),
        ("fields=" + "id," * 60 + "id", [("fields", "too_many")]),
        ("ids=a,,b", [("ids", "empty_value")]),
        ("ids=" + ",".join(map(str, range(201))), [("ids", "too_many")]),
        ("ids=a&brand=b", [("brand", "not_combinable")]),
        ("ids=a&limit=1", [("limit", "not_combinable")]),
        ("facets=colour", [("facets", "unknown_field")]),
        ("facets=sku", [("facets", "unknown_field")]),
        ("facets=" + ",".join(f"attributes.a{n}" for n in range(500)), [("facets", "too_many")]),
        ("facets=brand&facet_query=tag:a", [("facet_query", "unknown_field")]),
        ("facets=brand&facet_query=brand:", [("facet_query", "invalid_facet_query")]),
        ("facets=price&facet_query=price:1", [("facet_query", "invalid_facet_query")]),
        (
            "facets=brand&facet_query=brand:a&facet_query=brand:b",
            [("facet_query", "duplicate_parameter")],
        ),
        ("attributes.weight[gte]=1,5 kg", [("attributes.weight[gte]", "invalid_number")]),
        ("attributes.made[lt]=2026-01-31", [("attributes.made[lt]", "invalid_number")]),
        ("attributes.made[lt]=12 / 3", [("attributes.made[lt]", "invalid_number")]),
        ("attributes.made[lt]=1e999", [("attributes.made[lt]", "invalid_number")]),
        ("x=1&limit=0", [("x", "unknown_parameter"), ("limit", "out_of_range")]),
    ],
)
def test_what_is_wrong_is_named(query: str, expected: list[tuple[str, str]]) -> None:
    assert sorted(faults(query)) == sorted(expected)


@pytest.mark.parametrize(
    ("query", "meant", "known"),
    [
        ("barnd=x", "'brand'", [*PARAMETERS, *FILTER_FIELDS, "attributes.NAME"]),
        ("price[gteq]=1", "'gte'", list(Operator)),
        ("sort=-prices", "'-price'", ["relevance", *SORT_FIELDS]),
        ("fields=titel", "'title'", list(PRODUCT_FIELDS)),
        ("facets=brnd", "'brand'", list(FACET_FIELDS)),
        ("status=activ", "'active'", ["draft", "active", "archived"]),
    ],
)
def test_whoever_is_wrong_is_told_what_is_known(query: str, meant: str, known: list[str]) -> None:
    with pytest.raises(InvalidQuery) as caught:
        listing(query)

    (fault,) = caught.value.faults
    assert f"Did you mean {meant}?" in fault.detail
    for each in known:
        assert each in fault.detail


def test_filters_alone_know_no_other_parameter() -> None:
    assert parse_filters([("brand", "A")]) == (Filter("brand", Operator.EQ, ("A",)), ACTIVE)
    with pytest.raises(InvalidQuery):
        parse_filters([("limit", "1")])


names = st.sampled_from([*PARAMETERS, *FILTER_FIELDS, "attributes.a", "é"]) | st.text(max_size=5)
operators = st.sampled_from(["", *(f"[{each}]" for each in Operator), "[", "]", "[]"])


@given(st.lists(st.tuples(st.builds(str.__add__, names, operators), st.text(max_size=9))))
def test_any_pairs_are_understood_or_refused(pairs: list[tuple[str, str]]) -> None:
    try:
        found = parse_listing(pairs)
    except InvalidQuery as error:
        refused = error.faults
    else:
        assert all(each.values for each in found.query.filters)
        return
    assert 1 <= len(refused) <= 50
    assert all(each.detail and each.code for each in refused)


@pytest.mark.parametrize("text", ["40", "-1.5", "40 in", '55"', "20°C", "5 m²", "3 m/s", "1e3 %"])
def test_a_range_of_an_attribute_takes_numbers_with_and_without_units(text: str) -> None:
    assert listing(urlencode({"attributes.size[gte]": text})).query.filters[0].values == (text,)


@pytest.mark.parametrize("facets", ["attributes.a:b,attributes.a", "attributes.a,attributes.a:b"])
def test_the_name_of_an_attribute_may_hold_a_colon(facets: str) -> None:
    """The longest name that it may be is meant, in whichever order the facets are."""
    found = listing(f"facets={facets}&facet_query=attributes.a:b:so")

    assert set(found.query.facets) == {Facet("attributes.a:b", "so"), Facet("attributes.a")}
