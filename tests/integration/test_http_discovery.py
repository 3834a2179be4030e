"""Suggestions, related products, comparison and numbers over HTTP."""

import csv
import io
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from tests.integration.http_service import calling, problem, wire
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.memory import MemoryCatalog
from vitrina.entrypoints.http.app import create_app


@pytest.fixture
def client() -> Iterator[TestClient]:
    catalog = MemoryCatalog()
    with TantivyIndex(catalog.view, catalog) as index:
        wired = replace(wire(catalog), index=index)
        with calling(create_app(lambda: nullcontext(wired))) as client:
            client.put("/v1/categories/tv", json={"name": "Televisions"}).raise_for_status()
            for number, size in enumerate([40, 55, 65]):
                body = {
                    "id": f"tv{number}",
                    "title": f"Smart | TV {size}",
                    "brand": "Sony" if number else "LG",
                    "category_id": "tv",
                    "price": {"amount": f"{size}9.00", "currency": "EUR"},
                    "attributes": {"screen": {"value": size, "unit": "in"}, "hdr": True},
                }
                client.post("/v1/products", json=body).raise_for_status()
            client.patch("/v1/products/tv2", json={"status": "draft"}).raise_for_status()
            yield client


def test_suggestions(client: TestClient) -> None:
    items = client.get("/v1/suggest", params={"q": "smar"}).json()["items"]

    assert items[0] == {"kind": "query", "text": "smart", "id": None, "count": None}
    assert {each["kind"] for each in items} == {"query", "product"}
    assert client.get("/v1/suggest", params={"q": "son"}).json()["items"][-1] == {
        "kind": "brand",
        "text": "Sony",
        "id": None,
        "count": 1,
    }


def test_suggestions_are_those_of_the_catalog_as_it_is(client: TestClient) -> None:
    def brands() -> list[str]:
        items = client.get("/v1/suggest", params={"q": "wonde"}).json()["items"]
        return [each["text"] for each in items if each["kind"] == "brand"]

    before = [brands(), brands()]
    sent = client.post("/v1/products", json={"title": "Lamp", "brand": "Wonder"})

    assert sent.status_code == 201
    assert before == [[], []]
    assert [brands(), brands()] == [["Wonder"], ["Wonder"]]


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/suggest", "q"),
        ("/v1/suggest?q=" + "a" * 201, "q"),
        ("/v1/suggest?q=a&limit=0", "limit"),
        ("/v1/suggest?q=a&x=1", "x"),
        ("/v1/products/compare?ids=tv0,tv0", "ids"),
        ("/v1/products/compare?ids=tv0,,tv1", "ids"),
        ("/v1/products/compare?ids=,", "ids"),
        ("/v1/products/tv0/related?limit=51", "limit"),
        ("/v1/products/compare", "ids"),
        ("/v1/products/compare?ids=tv0", "ids"),
        ("/v1/products/compare?ids=" + ",".join(map(str, range(11))), "ids"),
        ("/v1/products/compare?ids=tv0,tv1&only=all", "only"),
        ("/v1/stats?x=1", "x"),
        ("/v1/products?highlight=yes", "highlight"),
    ],
)
def test_what_is_wrong_is_named(client: TestClient, path: str, parameter: str) -> None:
    told = problem(client.get(path), 422, "invalid_query")

    assert [each["parameter"] for each in told["errors"]] == [parameter]


def test_related_products(client: TestClient) -> None:
    items = client.get("/v1/products/tv2/related").json()["items"]

    assert [each["id"] for each in items] == ["tv1", "tv0"]
    assert 0 < items[1]["score"] < items[0]["score"] <= 1
    assert items[0]["title"] == "Smart | TV 55"
    problem(client.get("/v1/products/none/related"), 404, "product_not_found")


def test_comparison(client: TestClient) -> None:
    told = client.get("/v1/products/compare?ids=tv1,tv0,tv2").json()

    assert [each["id"] for each in told["products"]] == ["tv1", "tv0", "tv2"]
    rows = {each["attribute"]: each for each in told["rows"]}
    assert rows["attributes.screen"]["values"] == [55, 40, 65]
    assert rows["attributes.screen"]["order"] == [1, 0, 2]
    assert rows["price"]["best"] == [1]
    twice = client.get("/v1/products/compare?ids=tv1,tv0,tv1").json()
    assert [each["id"] for each in twice["products"]] == ["tv1", "tv0"]
    same = problem(client.get("/v1/products/compare?ids=tv1,tv1"), 422, "invalid_query")
    assert [each["code"] for each in same["errors"]] == ["duplicate_value"]
    only = client.get("/v1/products/compare?ids=tv1,tv2&only=differences").json()["rows"]
    assert all(each["differs"] for each in only)
    assert "attributes.hdr" not in {each["attribute"] for each in only}
    problem(client.get("/v1/products/compare?ids=tv1,none"), 404, "product_not_found")


def test_a_comparison_as_csv(client: TestClient) -> None:
    answer = client.get("/v1/products/compare?ids=tv0,tv1", headers={"Accept": "text/csv"})

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert lines[0] == ["attribute", "label", "unit", "tv0", "tv1", "differs", "best"]
    assert lines[1] == ["title", "Title", "", "Smart | TV 40", "Smart | TV 55", "", ""]
    assert ["price", "Price", "EUR", "409.00", "559.00", "true", "tv0"] in lines
    assert ["attributes.screen", "Screen", "in", "40", "55", "true", ""] in lines
    assert ["attributes.hdr", "Hdr", "", "true", "true", "false", ""] in lines


def test_a_comparison_as_markdown(client: TestClient) -> None:
    answer = client.get("/v1/products/compare?ids=tv0,tv1", headers={"Accept": "text/markdown"})

    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    lines = answer.text.splitlines()
    assert lines[:3] == [
        "|  | Smart \\| TV 40 | Smart \\| TV 55 |",
        "| --- | --- | --- |",
        "| Price (EUR) | **409.00** | 559.00 |",
    ]


def test_statistics(client: TestClient) -> None:
    told = client.get("/v1/stats").json()

    assert told["total"] == 3
    assert told["by_status"] == [{"value": "active", "count": 2}, {"value": "draft", "count": 1}]
    assert told["by_brand"] == [{"value": "Sony", "count": 2}, {"value": "LG", "count": 1}]
    assert told["by_category"][0]["count"] == 3
    assert (told["price"]["min"], told["price"]["max"]) == ("409", "659")
    assert sum(each["count"] for each in told["price"]["buckets"]) == 3


def test_notes_on_a_list(client: TestClient) -> None:
    query = {"q": "smrat", "highlight": "true", "explain": "true", "why_not": "tv2", "limit": "1"}
    told = client.get("/v1/products", params=query).json()

    assert told["total"] == 2
    assert told["highlights"] == {"tv0": {"title": "<mark>Smart</mark> | TV 40"}}
    assert told["explanations"]["tv0"]["words"] == [
        {"word": "smrat", "found": [{"field": "title", "text": "Smart", "how": "typo"}]}
    ]
    assert [each["by"] for each in told["why_not"]["removed"]] == ["status"]
