"""``GET /v1/products`` over HTTP: pages, cursors, many by id, views; and ``/v1/categories``."""

import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from tests.integration.http_service import JSON_PATCH, application, calling, problem, wire
from vitrina.adapters.index.scan import ScanIndex
from vitrina.adapters.memory import MemoryCatalog
from vitrina.entrypoints.http.app import create_app
from vitrina.service_layer.products import add_product
from vitrina.service_layer.queries import FACET_FIELDS, Hits, ProductQuery

PRODUCTS = 25


@pytest.fixture
def client() -> Iterator[TestClient]:
    with calling(application()) as client:
        client.put("/v1/categories/lamps", json={"name": "Lamps"}).raise_for_status()
        desk = {"name": "Desk lamps", "parent_id": "lamps"}
        client.put("/v1/categories/desk", json=desk).raise_for_status()
        for number in range(PRODUCTS):
            body = {
                "id": f"p{number:02}",
                "title": f"Lamp {number}",
                "brand": "Ærø" if number % 2 else "Sony",
                "price": {"amount": f"{number % 5}.50", "currency": "EUR"},
                "category_id": "desk" if number % 3 else None,
            }
            client.post("/v1/products", json=body).raise_for_status()
        client.patch("/v1/products/p00", json={"status": "draft"}).raise_for_status()
        yield client


def follow(client: TestClient, url: str) -> list[str]:
    """Return the ids on all pages, following the Link header."""
    ids: list[str] = []
    while True:
        answer = client.get(url)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        ids += [each["id"] for each in page["items"]]
        link = answer.headers.get("Link")
        assert (link is None) == (page["next"] is None)
        if link is None:
            return ids
        match = re.fullmatch(r'<(/v1/products\?.+)>; rel="next"', link)
        assert match
        url = match[1]


@pytest.mark.parametrize("headers", [{"Accept": "application/json"}, {"If-None-Match": '"x"'}])
@pytest.mark.parametrize(
    "query",
    [
        "",
        "?limit=2",
        "?limit=2&price[gte]=1.5&sort=-price&facets=brand,price",
        "?q=lamp&limit=2&highlight=true",
        "?ids=p01,none",
        "?fields=id&limit=2",
        "?brand=%C3%86r%C3%B8&limit=2",
        "?limit=0",
        "?%ff",
    ],
)
def test_the_short_cut_answers_as_the_route_does(
    client: TestClient, query: str, headers: dict[str, str]
) -> None:
    asked = {"X-Request-Id": "same"}
    slow = client.get(f"/v1/products{query}", headers=asked | headers)
    made, kept = (
        client.get(f"/v1/products{query}", headers=asked | {"Accept": "*/*"}) for _ in range(2)
    )

    assert made.status_code == kept.status_code == slow.status_code
    assert made.content == kept.content == slow.content
    assert sorted(made.headers.items()) == sorted(kept.headers.items())
    assert sorted(made.headers.items()) == sorted(slow.headers.items())


@pytest.mark.parametrize(
    "query",
    [
        "limit=2&price[gte]=1",
        "limit=2&price%5Bgte%5D=1",
        "limit=2&brand=Sony&brand=%C3%86r%C3%B8",
        'limit=2&q=lamp+"x>y"',
        "limit=2&%63ursor=",
        "&limit=2",
        "limit=2&facet_query=brand:cursor&facets=brand",
    ],
)
def test_the_link_asks_for_the_same_but_for_the_cursor(client: TestClient, query: str) -> None:
    if "%63ursor" in query:
        cursor = client.get("/v1/products?limit=2").json()["next"]
        query += cursor

    first = client.get(f"/v1/products?{query}")

    link = first.headers["Link"]
    assert link.endswith('>; rel="next"')
    target = link.removeprefix("<").removesuffix('>; rel="next"')
    assert not set(target) & set(' "<>[]')
    expected = [(name, value) for name, value in parse_qsl(query) if name != "cursor"]
    expected.append(("cursor", first.json()["next"]))
    assert parse_qsl(target.partition("?")[2]) == expected
    assert client.get(target).status_code == 200


def test_a_page(client: TestClient) -> None:
    answer = client.get("/v1/products")

    page = answer.json()
    assert list(page) == ["items", "total", "next"]
    assert page["total"] == PRODUCTS - 1
    assert len(page["items"]) == 20
    assert page["items"][0] == client.get("/v1/products/p01").json()


@pytest.mark.parametrize("limit", [1, 7, 24, 200])
@pytest.mark.parametrize("query", ["", "&sort=-price", "&brand=Sony&brand=%C3%86r%C3%B8&q=lamp"])
def test_following_the_links_gives_every_product_once(
    client: TestClient, limit: int, query: str
) -> None:
    ids = follow(client, f"/v1/products?limit={limit}{query}")

    assert sorted(ids) == [f"p{number:02}" for number in range(1, PRODUCTS)]


def test_a_cursor_goes_on_with_another_limit_and_fields(client: TestClient) -> None:
    first = client.get("/v1/products?limit=3&sort=title").json()

    rest = client.get(f"/v1/products?limit=200&sort=title&fields=id&cursor={first['next']}").json()

    assert len(rest["items"]) == PRODUCTS - 1 - 3
    assert list(rest["items"][0]) == ["id"]
    assert rest["next"] is None


@pytest.mark.parametrize("query", ["sort=-title", "sort=title&brand=Sony", "sort=title&q=lamp", ""])
def test_a_cursor_of_another_query_is_refused(client: TestClient, query: str) -> None:
    cursor = client.get("/v1/products?limit=3&sort=title").json()["next"]

    problem(client.get(f"/v1/products?{query}&cursor={cursor}"), 400, "bad_cursor")
    problem(client.get(f"/v1/products?sort=title&cursor={cursor[:-1]}"), 400, "bad_cursor")
    problem(client.get("/v1/products?sort=title&cursor=x"), 400, "bad_cursor")


@pytest.mark.parametrize(
    ("query", "parameter", "listed"),
    [
        ("limt=3", "limt", "limit"),
        ("limit=0", "limit", "200"),
        ("limit=201", "limit", "200"),
        ("limit=x", "limit", ""),
        ("price[foo]=3", "price[foo]", "gte"),
        ("price[gte]=cheap", "price[gte]", ""),
        ("sort=colour", "sort", "price"),
        ("fields=id,prise", "fields", "price"),
        ("ids=a&limit=3", "limit", "ids"),
        ("ids=", "ids", ""),
        ("ids=" + ",".join(["a"] * 201), "ids", "200"),
        ("status=gone", "status", "archived"),
    ],
)
def test_what_is_not_understood_is_named(
    client: TestClient, query: str, parameter: str, listed: str
) -> None:
    fault = problem(client.get(f"/v1/products?{query}"), 422, "invalid_query")["errors"][0]

    assert fault["parameter"] == parameter
    assert listed in fault["detail"]


@pytest.mark.parametrize("query", ["q=%ff", "%ff=1", "q=%C3"])
def test_a_query_that_is_not_utf_8(client: TestClient, query: str) -> None:
    problem(client.get(f"/v1/products?{query}"), 400, "malformed_query")


def test_a_query_of_too_many_parameters(client: TestClient) -> None:
    problem(client.get("/v1/products?" + "a=1&" * 1_001), 400, "malformed_query")


def test_many_products_by_id(client: TestClient) -> None:
    page = client.get("/v1/products?ids=p09,none,p00,p03,p09&fields=id").json()

    assert page["items"] == [{"id": "p09"}, {"id": "p00"}, {"id": "p03"}]
    assert page["missing"] == ["none"]
    assert page["total"] == 3
    assert page["next"] is None


def test_facets(client: TestClient) -> None:
    page = client.get("/v1/products?facets=brand&limit=1").json()

    counted = {each["value"]: each["count"] for each in page["facets"]["brand"]}
    assert counted == {"Sony": 12, "Ærø": 12}
    assert "facet_stats" not in page
    assert "facets" not in client.get("/v1/products").json()


def test_every_facet_is_as_the_document_says(client: TestClient) -> None:
    sizes = {"size": {"value": 40, "unit": "in"}, "on": True, "color": "red"}
    client.patch("/v1/products/p01", json={"attributes": sizes, "quantity": 3}).raise_for_status()
    asked = [*FACET_FIELDS, "attributes.size", "attributes.on", "attributes.color"]

    page = client.get(f"/v1/products?limit=1&facets={','.join(asked)}").json()

    assert list(page["facets"]) == asked
    assert page["facet_stats"]["attributes.size"] == {"min": 40, "max": 40, "unit": "in"}
    components = client.get("/openapi.json").json()["components"]
    schema = {"$ref": "#/components/schemas/ProductList", "components": components}
    Draft202012Validator(schema).validate(page)


def test_an_unchanged_list_is_not_sent_again(client: TestClient) -> None:
    tag = client.get("/v1/products?limit=2").headers["ETag"]
    known = {"If-None-Match": tag}

    assert client.get("/v1/products?limit=2", headers=known).status_code == 304
    assert client.get("/v1/products?limit=3", headers=known).status_code == 200
    client.patch("/v1/products/p01", json={"title": "New"})
    fresh = client.get("/v1/products?limit=2", headers=known)
    assert fresh.status_code == 200
    assert fresh.json()["items"][0]["title"] == "New"


class WriterInBetween(ScanIndex):
    """An index at whose side somebody writes while it searches."""

    def __init__(self, catalog: MemoryCatalog) -> None:
        super().__init__(catalog.view, catalog)
        self._catalog = catalog

    def search(self, query: ProductQuery) -> Hits:
        add_product(self._catalog.unit_of_work(), {"title": "In between"})
        return super().search(query)


def test_a_list_that_changed_while_it_was_made_has_no_tag() -> None:
    memory = MemoryCatalog()
    catalog = replace(wire(memory), index=WriterInBetween(memory))
    with calling(create_app(lambda: nullcontext(catalog))) as client:
        answer = client.get("/v1/products")

    assert answer.json()["total"] == 1
    assert "ETag" not in answer.headers


def test_a_search_sees_the_write_before_it(client: TestClient) -> None:
    for number in range(5):
        client.put("/v1/products/new", json={"title": "x", "brand": f"B{number}"})
        assert client.get(f"/v1/products?brand=B{number}").json()["total"] == 1


class TestCategories:
    """``/v1/categories`` and ``/v1/categories/{id}``."""

    def test_all_of_them(self, client: TestClient) -> None:
        lamps, desk = client.get("/v1/categories").json()["items"]

        assert (lamps["id"], lamps["path"], lamps["parent_id"]) == ("lamps", ["Lamps"], None)
        assert (desk["id"], desk["path"]) == ("desk", ["Lamps", "Desk lamps"])
        assert lamps["product_count"] == desk["product_count"] == 16

    def test_as_a_tree(self, client: TestClient) -> None:
        (root,) = client.get("/v1/categories?tree=true").json()["items"]

        assert root["id"] == "lamps"
        assert [each["id"] for each in root["children"]] == ["desk"]
        assert root["children"][0]["children"] == []

    def test_one(self, client: TestClient) -> None:
        answer = client.get("/v1/categories/desk")

        assert list(answer.json()) == [
            "id",
            "name",
            "parent_id",
            "path",
            "product_count",
            "version",
        ]
        again = {"If-None-Match": answer.headers["ETag"]}
        assert client.get("/v1/categories/desk", headers=again).status_code == 304
        problem(client.get("/v1/categories/none"), 404, "category_not_found")

    def test_its_tag_changes_with_what_follows_from_others(self, client: TestClient) -> None:
        before = client.get("/v1/categories/desk").headers["ETag"]
        client.patch("/v1/categories/lamps", json={"name": "Lighting"}).raise_for_status()

        after = client.get("/v1/categories/desk", headers={"If-None-Match": before})

        assert after.status_code == 200
        assert after.json()["path"] == ["Lighting", "Desk lamps"]
        rename = {"name": "Desks"}
        renamed = client.patch("/v1/categories/desk", json=rename, headers={"If-Match": before})
        assert renamed.status_code == 200

    def test_creating_replacing_and_sending_back(self, client: TestClient) -> None:
        created = client.put("/v1/categories/wall", json={"name": "Wall", "parent_id": "lamps"})
        assert created.status_code == 201
        assert created.headers["Location"] == "/v1/categories/wall"

        again = client.put("/v1/categories/wall", json=created.json())
        assert again.status_code == 200
        assert again.content == created.content
        assert again.headers["ETag"] == created.headers["ETag"]

        moved = client.put("/v1/categories/wall", json={"name": "Wall"})
        assert moved.json()["path"] == ["Wall"]
        assert moved.json()["version"] == 2

    def test_moving_by_a_json_patch_moves_the_subtree(self, client: TestClient) -> None:
        client.put("/v1/categories/home", json={"name": "Home"})
        patch = [{"op": "replace", "path": "/parent_id", "value": "home"}]

        moved = client.patch("/v1/categories/lamps", json=patch, headers=JSON_PATCH)

        assert moved.json()["path"] == ["Home", "Lamps"]
        assert client.get("/v1/categories/desk").json()["path"] == ["Home", "Lamps", "Desk lamps"]
        assert client.get("/v1/products?category=home").json()["total"] == 16

    @pytest.mark.parametrize("field", ["id", "parent_id", "path", "product_count", "version"])
    def test_a_json_patch_may_test_every_field_that_is_shown(
        self, client: TestClient, field: str
    ) -> None:
        shown = client.get("/v1/categories/desk").json()[field]
        rename = {"op": "replace", "path": "/name", "value": "Desks"}
        same = [{"op": "test", "path": f"/{field}", "value": shown}, rename]
        other = [{"op": "test", "path": f"/{field}", "value": "another"}, rename]

        refused = client.patch("/v1/categories/desk", json=other, headers=JSON_PATCH)
        renamed = client.patch("/v1/categories/desk", json=same, headers=JSON_PATCH)

        problem(refused, 409, "patch_conflict")
        assert renamed.json()["name"] == "Desks"

    def test_what_is_derived_is_not_changed_by_a_json_patch(self, client: TestClient) -> None:
        before = client.get("/v1/categories/desk").json()
        patch = [{"op": "replace", "path": "/product_count", "value": 7}]

        assert client.patch("/v1/categories/desk", json=patch, headers=JSON_PATCH).json() == before

    def test_a_category_cannot_lie_below_itself(self, client: TestClient) -> None:
        answer = client.patch("/v1/categories/lamps", json={"parent_id": "desk"})

        assert problem(answer, 409, "category_cycle")["errors"][0]["pointer"] == "/parent_id"

    def test_what_is_refused(self, client: TestClient) -> None:
        for body, pointer in (
            ({"name": "x", "parent_id": "none"}, "/parent_id"),
            ({"name": ""}, "/name"),
            ({"name": "x", "id": "other"}, "/id"),
            ([], ""),
        ):
            refused = problem(client.put("/v1/categories/x", json=body), 422, "validation_failed")
            assert refused["errors"][0]["pointer"] == pointer
        answer = client.put("/v1/categories/x", json={"name": "x", "colour": "red"})
        assert problem(answer, 422, "unknown_field")["errors"][0]["pointer"] == "/colour"
        answer = client.put("/v1/categories/a%20b", json={"name": "x"})
        assert problem(answer, 422, "validation_failed")["errors"][0]["pointer"] == "/id"
        answer = client.patch("/v1/categories/desk", json={"colour": None})
        assert problem(answer, 422, "unknown_field")["errors"][0]["pointer"] == "/colour"

    def test_deleting(self, client: TestClient) -> None:
        used = problem(client.delete("/v1/categories/desk"), 409, "category_in_use")
        assert (used["products"], used["children"]) == (16, 0)
        problem(client.delete("/v1/categories/lamps"), 409, "category_in_use")
        problem(client.delete("/v1/categories/none"), 404, "category_not_found")

        created = client.put("/v1/categories/x", json={"name": "x"})
        stale = {"If-Match": '"9-00000000"'}
        problem(client.delete("/v1/categories/x", headers=stale), 412, "precondition_failed")
        current = {"If-Match": created.headers["ETag"]}
        assert client.delete("/v1/categories/x", headers=current).status_code == 204
        problem(client.get("/v1/categories/x"), 404, "category_not_found")
