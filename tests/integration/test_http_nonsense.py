"""Questions that make no sense: each is answered as it is meant to be, or refused with what is wrong."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from starlette.testclient import TestClient

from tests.integration.http_service import calling, problem, wire
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.memory import MemoryCatalog
from vitrina.entrypoints.http.app import create_app
from vitrina.service_layer.documents import Document
from vitrina.service_layer.products import add_product
from vitrina.service_layer.queries import FACETS_MAX, SUGGESTION_TEXT_MAX, TEXT_MAX

CARPET: Final = "שטיח"
PRODUCTS: Final[tuple[Document, ...]] = (
    {"id": "lamp", "title": "Desk lamp & shade", "brand": "Ærø", "attributes": {"a.b[c]": "x"}},
    {"id": "rug", "title": "שטיח אדום", "tags": ["🧶 wool"]},
    {"id": "who", "title": "The The", "description": "To be or not to be AND so on"},
)
EVERYWHERE: Final = ("/v1/products?q=", "/v1/products?facets=brand,tag,price&highlight=true&q=")


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    catalog = MemoryCatalog()
    for each in PRODUCTS:
        add_product(catalog.unit_of_work(), each)
    with TantivyIndex(catalog.view, catalog) as index:
        opened = replace(wire(catalog), index=index)
        with calling(create_app(lambda: nullcontext(opened))) as client:
            yield client


def found(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {each["id"] for each in answer.json()["items"]}


@pytest.mark.parametrize("before", EVERYWHERE)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"lamp", "rug", "who"}),
        (" \t\n\u3000", {"lamp", "rug", "who"}),
        ("\x00\x01\x1f\x7f", {"lamp", "rug", "who"}),
        ("\x00lamp\x07", {"lamp"}),
        ('" + - * ( ) [ ] ^ ~ / \\ : ! & | { } ?', set()),
        ('"lamp', {"lamp"}),
        ("+lamp -desk*", {"lamp"}),
        ("title:lamp", {"lamp"}),
        ("[* TO *]", {"who"}),
        ("../../etc/passwd", set()),
        ("' OR 1=1; --", set()),
        ("the", {"who"}),
        ("the the", {"who"}),
        ("AND OR NOT", {"who"}),
        ("AND lamp OR", {"lamp"}),
        ("🧶", set()),
        ("🧶 wool 👩‍👩‍👧", {"rug"}),
        (CARPET, {"rug"}),
        (f"\u202e{CARPET}\u202c", {"rug"}),
        ("A\u030aero\u0301 ærø", {"lamp"}),
        ("\ufeff\u200blamp\u200d", {"lamp"}),
        ("\U0010ffff", set()),
        ("a" * TEXT_MAX, set()),
        ("lamp " * (TEXT_MAX // 5), {"lamp"}),
        ("z" + "\u0301" * (TEXT_MAX - 1), set()),
        ('"' * TEXT_MAX, set()),
    ],
)
def test_a_text_that_makes_no_sense_finds_what_it_holds(
    client: TestClient, before: str, text: str, expected: set[str]
) -> None:
    assert found(client.get(before + quote(text))) == expected


@pytest.mark.parametrize(
    ("query", "code", "told"),
    [
        (f"q={'a' * (TEXT_MAX + 1)}", "too_long", str(TEXT_MAX)),
        ("q=a&q=b", "duplicate_parameter", "once"),
        ("colour=red", "unknown_parameter", "Known: q, "),
        ("Q=lamp", "unknown_parameter", "Did you mean 'q'?"),
        ("brnad=x", "unknown_parameter", "Did you mean 'brand'?"),
        ("=x", "unknown_parameter", "Known:"),
        ("%00=x", "unknown_parameter", "Known:"),
        ("attributes.=x", "unknown_parameter", "attributes.NAME"),
        ("price[around]=3", "unknown_operator", "gte"),
        ("price[]=3", "unknown_operator", "gte"),
        ("price=1e9999", "invalid_number", "12.90"),
        ("price=NaN", "invalid_number", "12.90"),
        ("price[gte]=1&price[gte]=2", "duplicate_parameter", "once"),
        ("brand[gt]=a", "unknown_operator", "ne"),
        ("brand=%00", "control_character", "U+0000"),
        ("brand=", "empty_value", "[exists]=false"),
        (f"brand={'x' * 1_001}", "too_long", "1000"),
        ("&".join(f"brand={number}" for number in range(51)), "too_many", "50"),
        ("created_at[gt]=yesterday", "invalid_time", "RFC 3339"),
        ("sort=beauty", "unknown_sort", "price"),
        ("sort=--price", "unknown_sort", "Did you mean '-price'?"),
        ("facets=colour", "unknown_field", "attributes.NAME"),
        ("facets=" + ",".join(f"attributes.a{n}" for n in range(500)), "too_many", str(FACETS_MAX)),
        ("facets=,", "empty_value", "commas"),
        ("facets=brand&facet_query=tag:x", "unknown_field", "asked for"),
        ("fields=*", "unknown_field", "title"),
        ("limit=0", "out_of_range", "200"),
        ("limit=٣", "invalid_number", "integer"),
        ("limit=" + "9" * 5_000, "invalid_number", "integer"),
        ("highlight=yes", "invalid_boolean", "true"),
        ("ids=" + ",".join(map(str, range(201))), "too_many", "200"),
        ("ids=lamp&q=lamp", "not_combinable", "alone"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(
    client: TestClient, query: str, code: str, told: str
) -> None:
    refused = problem(client.get(f"/v1/products?{query}"), 422, "invalid_query")

    assert code in {each["code"] for each in refused["errors"]}
    assert any(told in each["detail"] for each in refused["errors"])
    assert all(len(each["parameter"]) <= 101 for each in refused["errors"])
    assert len(refused["detail"]) <= 501


@pytest.mark.parametrize(
    "query",
    [
        "cursor=x",
        "cursor=" + "A" * 9_000,
        "cursor=%F0%9F%A7%B6",
        "sort=price&cursor=W10",
    ],
)
def test_a_cursor_that_is_none_is_refused(client: TestClient, query: str) -> None:
    problem(client.get(f"/v1/products?{query}"), 400, "bad_cursor")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("attributes.a.b[c][eq]=x", {"lamp"}),
        ("attributes." + "a." * 400 + "=x", set()),
        ("sort=attributes." + "a." * 400, {"lamp", "rug", "who"}),
        ("facets=attributes.none", {"lamp", "rug", "who"}),
        (
            "facets=" + ",".join(f"attributes.a{n}" for n in range(FACETS_MAX)),
            {"lamp", "rug", "who"},
        ),
        ("&".join(f"brand={number}" for number in range(50)), set()),
        ("price[gte]=5&price[lt]=5", set()),
        ("brand=%C3%86r%C3%B8&brand[ne]=%C3%86r%C3%B8", set()),
        ("category=nowhere", set()),
        ("why_not=nobody", {"lamp", "rug", "who"}),
    ],
)
def test_what_is_odd_but_can_be_meant_is_answered(
    client: TestClient, query: str, expected: set[str]
) -> None:
    assert found(client.get(f"/v1/products?{query}")) == expected


@pytest.mark.parametrize(
    "text", ["", " ", '"', "\x00", "🧶", "\u202e", "a" * SUGGESTION_TEXT_MAX, "AND", "~*"]
)
def test_a_suggestion_for_nonsense_is_a_list(client: TestClient, text: str) -> None:
    answer = client.get(f"/v1/suggest?q={quote(text)}")

    assert answer.status_code == 200
    assert isinstance(answer.json()["items"], list)


def test_a_suggestion_for_too_much_is_refused(client: TestClient) -> None:
    refused = problem(client.get(f"/v1/suggest?q={'a' * 201}"), 422, "invalid_query")

    assert refused["errors"][0]["parameter"] == "q"


@given(text=st.text(max_size=200), sort=st.sampled_from(["relevance", "price", "-title"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_text_is_answered(client: TestClient, text: str, sort: str) -> None:
    encoded = quote(text.encode("utf-8", "surrogatepass"))
    for path in (
        f"/v1/products?q={encoded}&sort={sort}&facets=brand,price&highlight=true&explain=true",
        f"/v1/suggest?q={encoded}",
    ):
        answer = client.get(path)

        if answer.status_code != 200:
            problem(answer, 400, "malformed_query")  # Half a surrogate pair is no UTF-8.
            assert any("\ud800" <= char <= "\udfff" for char in text)


@given(query=st.binary(max_size=80))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_query_string_is_answered_or_refused(client: TestClient, query: bytes) -> None:
    answer = client.get(f"/v1/products?{quote(query, safe='=&%+[]')}")

    if answer.status_code != 200:
        assert answer.status_code in {400, 422}
        problem(answer, answer.status_code, answer.json()["code"])
