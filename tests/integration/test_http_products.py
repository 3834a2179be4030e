"""``/v1/products`` over HTTP: what API.md promises of single products."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.integration.http_service import (
    JSON,
    JSON_PATCH,
    LAMP,
    MERGE_PATCH,
    RUG,
    application,
    calling,
    problem,
)
from vitrina.entrypoints.http.options import HttpOptions
from vitrina.service_layer.documents import PRODUCT_FIELDS

LAMP_URL = "/v1/products/lamp"


@pytest.fixture
def client() -> Iterator[TestClient]:
    with calling(application()) as client:
        client.post("/v1/products", json=LAMP).raise_for_status()
        client.post("/v1/products", json=RUG).raise_for_status()
        yield client


def tag_of(client: TestClient, url: str = LAMP_URL) -> str:
    tag: str = client.get(url).headers["ETag"]
    return tag


def test_a_product_is_answered_with_every_field_in_order(client: TestClient) -> None:
    answer = client.get(LAMP_URL)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert tuple(answer.json()) == PRODUCT_FIELDS
    assert answer.json()["version"] == 1


@pytest.mark.parametrize("headers", [{"Accept": "application/json"}, {"If-None-Match": '"x"'}])
def test_the_short_cut_answers_as_the_route_does(
    client: TestClient, headers: dict[str, str]
) -> None:
    quick = client.get(LAMP_URL, headers={"Accept": "*/*"})
    slow = client.get(LAMP_URL, headers=headers)

    assert quick.content == slow.content
    ours = {"x-request-id"}
    assert {k: v for k, v in quick.headers.items() if k not in ours} == {
        k: v for k, v in slow.headers.items() if k not in ours
    }


def test_head_answers_as_get_without_a_body(client: TestClient) -> None:
    for url in (LAMP_URL, f"{LAMP_URL}?fields=id", "/v1/products", "/v1/categories", "/", "/livez"):
        get, head = client.get(url), client.head(url)

        assert head.status_code == 200
        assert head.content == b""
        assert head.headers["Content-Length"] == str(len(get.content))
        assert head.headers.get("ETag") == get.headers.get("ETag")
    assert client.head("/v1/products/none").status_code == 404


def test_a_product_that_does_not_exist(client: TestClient) -> None:
    for key in ("none", "LAMP", "a%20b", "%00", "a%C3%A9"):
        problem(client.get(f"/v1/products/{key}"), 404, "product_not_found")
    problem(client.get("/v1/products/by-slug/none"), 404, "product_not_found")
    problem(client.delete("/v1/products/none"), 404, "product_not_found")
    problem(client.patch("/v1/products/none", json={}), 404, "product_not_found")


def test_an_unchanged_product_is_not_sent_again(client: TestClient) -> None:
    tag = tag_of(client)

    for sent in (tag, f"W/{tag}", f'"x", {tag}', "*", f'{tag[:-1]}.gzip"'):
        answer = client.get(LAMP_URL, headers={"If-None-Match": sent})
        assert answer.status_code == 304
        assert answer.content == b""
        assert answer.headers["ETag"].startswith(tag[:-1])
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Vary"]

    client.patch(LAMP_URL, json={"title": "New"})
    assert client.get(LAMP_URL, headers={"If-None-Match": tag}).status_code == 200


def test_some_fields_of_a_product(client: TestClient) -> None:
    answer = client.get(f"{LAMP_URL}?fields=price,id")

    assert list(answer.json()) == ["id", "price"]
    tag = answer.headers["ETag"]
    assert tag != tag_of(client)
    again = {"If-None-Match": tag}
    assert client.get(f"{LAMP_URL}?fields=id,price", headers=again).status_code == 304
    assert client.get(LAMP_URL, headers=again).status_code == 200
    assert client.put(LAMP_URL, json=LAMP, headers={"If-Match": tag}).status_code == 200


def test_an_unknown_field_or_parameter_is_named(client: TestClient) -> None:
    fault = problem(client.get(f"{LAMP_URL}?fields=id,prise"), 422, "invalid_query")["errors"][0]
    assert fault["parameter"] == "fields"
    assert "prise" in fault["detail"]
    assert "price" in fault["detail"]

    faults = problem(client.get(f"{LAMP_URL}?lang=de&x=1"), 422, "invalid_query")["errors"]
    assert [each["parameter"] for each in faults] == ["lang", "x"]
    assert "fields" in faults[0]["detail"]

    problem(client.get(f"{LAMP_URL}?fields=id&fields=sku"), 422, "invalid_query")
    problem(client.post("/v1/products?dry=1", json=RUG), 422, "invalid_query")
    problem(client.delete(f"{LAMP_URL}?force=true"), 422, "invalid_query")
    problem(client.get("/v1/categories?tree=yes"), 422, "invalid_query")
    problem(client.get("/livez?x"), 422, "invalid_query")
    twice = problem(client.get(f"{LAMP_URL}?fields=id&fields=sku"), 422, "invalid_query")
    assert [each["code"] for each in twice["errors"]] == ["duplicate_parameter"]
    assert client.get(LAMP_URL).status_code == 200


def test_a_product_by_its_slug(client: TestClient) -> None:
    answer = client.get("/v1/products/by-slug/desk-lamp")

    assert answer.content == client.get(LAMP_URL).content
    assert answer.headers["ETag"] == tag_of(client)
    assert answer.headers["Content-Location"] == LAMP_URL


def test_a_slug_in_the_path_is_compared_as_slugs_are_kept(client: TestClient) -> None:
    client.patch(LAMP_URL, json={"slug": "l\u00e1mpara"})

    answer = client.get("/v1/products/by-slug/la\u0301mpara")

    assert answer.status_code == 200
    assert answer.json()["id"] == client.get(LAMP_URL).json()["id"]


def test_adding_a_product(client: TestClient) -> None:
    answer = client.post("/v1/products", json={"title": "Chair"})

    assert answer.status_code == 201
    created = answer.json()
    assert answer.headers["Location"] == f"/v1/products/{created['id']}"
    assert answer.headers["ETag"]
    assert client.get(answer.headers["Location"]).content == answer.content
    assert created["slug"] == "chair"


def test_what_is_taken_is_a_conflict(client: TestClient) -> None:
    problem(client.post("/v1/products", json=LAMP), 409, "id_taken")
    other = {"title": "x", "sku": "LAMP-1"}
    taken = problem(client.post("/v1/products", json=other), 409, "sku_taken")
    assert taken["owner"] == "lamp"
    assert taken["errors"][0]["pointer"] == "/sku"
    other = {"title": "x", "slug": "desk-lamp"}
    problem(client.put("/v1/products/x", json=other), 409, "slug_taken")


def test_putting_creates_and_replaces(client: TestClient) -> None:
    created = client.put("/v1/products/new", json={"title": "New"})
    assert created.status_code == 201
    assert created.headers["Location"] == "/v1/products/new"

    replaced = client.put("/v1/products/new", json={"title": "Newer"})
    assert replaced.status_code == 200
    assert "Location" not in replaced.headers
    assert replaced.json()["version"] == 2
    assert replaced.json()["slug"] == "new"

    again = client.put("/v1/products/new", json=replaced.json())
    assert again.status_code == 200
    assert again.content == replaced.content
    assert again.headers["ETag"] == replaced.headers["ETag"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_stale_change_is_refused(client: TestClient, method: str) -> None:
    stale = tag_of(client)
    client.patch(LAMP_URL, json={"title": "First"})
    before = client.get(LAMP_URL)
    body = None if method == "DELETE" else LAMP

    answer = client.request(method, LAMP_URL, json=body, headers={"If-Match": stale})

    refused = problem(answer, 412, "precondition_failed")
    assert refused["current_etag"] == answer.headers["ETag"] == before.headers["ETag"]
    assert client.get(LAMP_URL).content == before.content
    fresh = {"If-Match": before.headers["ETag"]}
    assert client.request(method, LAMP_URL, json=body, headers=fresh).is_success


def test_if_none_match_star_only_creates(client: TestClient) -> None:
    only_create = {"If-None-Match": "*"}

    problem(client.put(LAMP_URL, json=LAMP, headers=only_create), 412, "precondition_failed")
    assert (
        client.put("/v1/products/new", json=RUG | {"id": "new"}, headers=only_create).status_code
        == 201
    )
    problem(
        client.put("/v1/products/x", json={"title": "x"}, headers={"If-Match": "*"}),
        412,
        "precondition_failed",
    )


def test_a_server_may_demand_preconditions() -> None:
    with calling(application(options=HttpOptions(require_if_match=True))) as client:
        created = client.post("/v1/products", json=LAMP)
        for method, url in (
            ("PUT", LAMP_URL),
            ("PATCH", LAMP_URL),
            ("DELETE", LAMP_URL),
            ("PUT", "/v1/categories/a"),
        ):
            body = None if method == "DELETE" else LAMP
            problem(client.request(method, url, json=body), 428, "precondition_required")
        tagged = {"If-Match": created.headers["ETag"]}
        assert client.patch(LAMP_URL, json={"title": "x"}, headers=tagged).status_code == 200
        assert client.put(
            "/v1/products/n", json=RUG | {"id": "n"}, headers={"If-None-Match": "*"}
        ).is_success


def test_deleting(client: TestClient) -> None:
    answer = client.delete(LAMP_URL)

    assert answer.status_code == 204
    assert answer.content == b""
    problem(client.get(LAMP_URL), 404, "product_not_found")
    problem(client.delete(LAMP_URL), 404, "product_not_found")


@pytest.mark.parametrize(
    "headers", [MERGE_PATCH, JSON, {"Content-Type": "application/JSON; charset=UTF-8"}]
)
def test_a_merge_patch(client: TestClient, headers: dict[str, str]) -> None:
    patch = '{"title": "Lamp", "attributes": {"color": null, "on": true}, "tags": null}'

    answer = client.patch(LAMP_URL, content=patch, headers=headers)

    assert answer.status_code == 200
    changed = answer.json()
    assert changed["title"] == "Lamp"
    assert changed["attributes"] == {"on": True}
    assert changed["tags"] == []
    assert changed["price"] == LAMP["price"]
    assert changed["version"] == 2
    assert answer.headers["ETag"] == tag_of(client)


def test_a_json_patch(client: TestClient) -> None:
    operations = [
        {"op": "test", "path": "/price/amount", "value": "129.90"},
        {"op": "replace", "path": "/price/amount", "value": 99.50},
        {"op": "add", "path": "/tags/-", "value": "sale"},
    ]

    answer = client.patch(LAMP_URL, json=operations, headers=JSON_PATCH)

    assert answer.status_code == 200
    assert answer.json()["tags"] == ["lighting", "sale"]
    assert answer.json()["price"]["amount"] == "99.5"


def test_a_number_in_a_body_keeps_its_digits(client: TestClient) -> None:
    body = '{"title": "x", "price": {"amount": 99.50, "currency": "EUR"}}'

    answer = client.put("/v1/products/x", content=body, headers=JSON)

    assert answer.json()["price"] == {"amount": "99.50", "currency": "EUR"}


def test_a_patch_that_does_not_fit_changes_nothing(client: TestClient) -> None:
    before = client.get(LAMP_URL).content
    operations = [
        {"op": "replace", "path": "/title", "value": "x"},
        {"op": "test", "path": "/brand", "value": "Sony"},
    ]

    conflict = problem(
        client.patch(LAMP_URL, json=operations, headers=JSON_PATCH), 409, "patch_conflict"
    )

    assert conflict["operation"] == 1
    assert conflict["errors"][0]["pointer"] == "/1"
    assert client.get(LAMP_URL).content == before


@pytest.mark.parametrize(
    ("patch", "headers", "status", "code", "pointer"),
    [
        ({"titel": "x"}, MERGE_PATCH, 422, "unknown_field", "/titel"),
        ({"titel": None}, MERGE_PATCH, 422, "unknown_field", "/titel"),
        ({"price": {"amuont": None}}, MERGE_PATCH, 422, "unknown_field", "/price/amuont"),
        (
            {"attributes": {"a/b": {"value": 2, "unti": None}}},
            MERGE_PATCH,
            422,
            "unknown_field",
            "/attributes/a~1b/unti",
        ),
        ({"title": None}, MERGE_PATCH, 422, "validation_failed", "/title"),
        ({"version": 7}, MERGE_PATCH, 422, "validation_failed", "/version"),
        ({"id": "other"}, MERGE_PATCH, 422, "validation_failed", "/id"),
        ("text", MERGE_PATCH, 422, "validation_failed", ""),
        ({"op": "add"}, JSON_PATCH, 400, "malformed_patch", ""),
        ([{"op": "add", "path": "/title"}], JSON_PATCH, 400, "malformed_patch", "/0/value"),
        ([{"op": "remove", "path": "/title"}], JSON_PATCH, 422, "validation_failed", "/title"),
        (
            [{"op": "add", "path": "/titel", "value": 1}],
            JSON_PATCH,
            422,
            "unknown_field",
            "/titel",
        ),
        ([{"op": "remove", "path": ""}], JSON_PATCH, 422, "validation_failed", ""),
        ([{"op": "remove", "path": "/tags/7"}], JSON_PATCH, 409, "patch_conflict", "/0"),
    ],
)
def test_a_patch_that_is_refused_names_the_place(
    client: TestClient, patch: Any, headers: dict[str, str], status: int, code: str, pointer: str
) -> None:
    refused = problem(client.patch(LAMP_URL, json=patch, headers=headers), status, code)

    assert refused["errors"][0]["pointer"] == pointer


def test_a_status_that_cannot_follow(client: TestClient) -> None:
    client.patch(LAMP_URL, json={"status": "archived"}).raise_for_status()

    refused = problem(client.patch(LAMP_URL, json={"status": "draft"}), 409, "status_transition")

    assert (refused["before"], refused["after"]) == ("archived", "draft")


class TestRetrying:
    """A POST with an ``Idempotency-Key``."""

    @pytest.mark.parametrize(
        ("first", "second"), [('"k 1"', '"k 1"'), ("k1", '"k1"'), ('"a\\"b"', '"a\\"b"')]
    )
    def test_the_same_request_gets_the_first_answer(
        self, client: TestClient, first: str, second: str
    ) -> None:
        body = {"title": "Once"}

        one = client.post("/v1/products", json=body, headers={"Idempotency-Key": first})
        changed = client.patch(one.headers["Location"], json={"title": "Later"})
        two = client.post("/v1/products", json=body, headers={"Idempotency-Key": second})

        assert changed.status_code == 200
        assert (one.status_code, two.status_code) == (201, 201)
        assert two.content == one.content
        assert two.headers["Location"] == one.headers["Location"]
        assert two.headers["ETag"] == one.headers["ETag"]
        assert "Idempotency-Replayed" not in one.headers
        assert two.headers["Idempotency-Replayed"] == "true"

    def test_another_request_with_the_key_is_refused(self, client: TestClient) -> None:
        key = {"Idempotency-Key": "k"}
        client.post("/v1/products", json={"title": "One"}, headers=key)

        answer = client.post("/v1/products", json={"title": "Two"}, headers=key)

        problem(answer, 422, "idempotency_key_reused")

    @pytest.mark.parametrize("key", ["", '""', "x" * 256, '"open', 'a"b', "a, b", '"\\x"'])
    def test_a_malformed_key_is_refused(self, client: TestClient, key: str) -> None:
        answer = client.post("/v1/products", json=RUG, headers={"Idempotency-Key": key})

        problem(answer, 400, "malformed_header")

    def test_what_was_refused_is_not_remembered(self, client: TestClient) -> None:
        key = {"Idempotency-Key": "k"}
        problem(client.post("/v1/products", json={}, headers=key), 422, "validation_failed")

        assert client.post("/v1/products", json={"title": "x"}, headers=key).status_code == 201


def test_a_path_that_is_written_out_is_no_products(client: TestClient) -> None:
    """A comparison's path looks like a product's: nothing may be created where nobody can read it."""
    refused = problem(
        client.put("/v1/products/compare", json={"title": "x"}), 405, "method_not_allowed"
    )

    assert client.options("/v1/products/compare").headers["Allow"] == "GET, HEAD, OPTIONS"
    assert "GET" in refused["detail"]
    for answer in (
        client.put("/v1/products/bulk", json={"title": "x"}),
        client.post("/v1/products", json={"id": "compare", "title": "x"}),
    ):
        assert problem(answer, 422, "validation_failed")["errors"][0]["code"] == "reserved_id"


def test_a_long_body_is_read_as_a_short_one_is(client: TestClient) -> None:
    long = {"id": "long", "title": "Long", "description": "word " * 10_000}
    created = client.post("/v1/products", json=long)
    assert created.status_code == 201
    assert created.json()["description"] == long["description"]
    for filler in (b"x", b"x" * 50_000):
        content = b'{"title": "%s", }' % filler
        answer = client.post("/v1/products", content=content, headers=JSON)
        document = problem(answer, 400, "malformed_json")
        assert (document["line"], document["column"]) == (1, len(content))
