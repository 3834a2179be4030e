"""Bad input over HTTP: each is a clear problem that names the place, and nothing is lost."""

import json
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx2
import pytest

from tests.running import RunningService
from tests.shared_data import ROOT

MB: Final = 1_000_000
JSON: Final = {"Content-Type": "application/json"}
MERGE: Final = {"Content-Type": "application/merge-patch+json"}
PATCH: Final = {"Content-Type": "application/json-patch+json"}
PRODUCTS: Final = "/v1/products"
LAMP: Final = "/v1/products/lamp"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    catalog = tmp_path_factory.mktemp("bad") / "shop"
    shutil.copytree(ROOT / "examples" / "shop", catalog)
    with RunningService(catalog) as service:
        service.client.put(LAMP, json={"title": "Lamp"}).raise_for_status()
        yield service


def body(**members: object) -> bytes:
    return json.dumps({"title": "x", **members}).encode()


class Case(NamedTuple):
    """A request, and the problem that answers it; *mentioned* must occur in it."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes
    status: int
    code: str
    mentioned: str


CASES: Final = {
    "malformed JSON": Case(
        "POST",
        PRODUCTS,
        JSON,
        b'{"title": "x",\n}',
        400,
        "malformed_json",
        "line 2, column 1",
    ),
    "an empty body": Case("POST", PRODUCTS, JSON, b"", 400, "malformed_json", "empty"),
    "NaN": Case(
        "POST",
        PRODUCTS,
        JSON,
        b'{"title": "x", "quantity": NaN}',
        400,
        "malformed_json",
        "/quantity",
    ),
    "Infinity": Case(
        "PUT", LAMP, JSON, b'{"quantity": -Infinity}', 400, "malformed_json", "/quantity"
    ),
    "a huge integer": Case(
        "POST",
        PRODUCTS,
        JSON,
        b'{"quantity": ' + b"9" * 5_000 + b"}",
        400,
        "malformed_json",
        "128 characters",
    ),
    "a large integer": Case(
        "POST",
        PRODUCTS,
        JSON,
        b'{"title": "x", "quantity": ' + b"9" * 100 + b"}",
        422,
        "validation_failed",
        "/quantity",
    ),
    "a huge exponent": Case(
        "POST",
        PRODUCTS,
        JSON,
        b'{"title": "x", "price": {"amount": 1e99999999, "currency": "EUR"}}',
        422,
        "validation_failed",
        "/price/amount",
    ),
    "an infinite attribute": Case(
        "POST",
        PRODUCTS,
        JSON,
        b'{"title": "x", "attributes": {"a": 1e400}}',
        422,
        "validation_failed",
        "/attributes/a",
    ),
    "deep nesting": Case(
        "POST",
        PRODUCTS,
        JSON,
        b'{"a":' * 100_000,
        400,
        "malformed_json",
        "64 levels",
    ),
    "deep arrays": Case("PATCH", LAMP, PATCH, b"[" * 500_000, 400, "malformed_json", "64 levels"),
    "duplicate keys": Case(
        "POST",
        PRODUCTS,
        JSON,
        b'{"title": "x", "title": "y"}',
        400,
        "malformed_json",
        "two members 'title'",
    ),
    "a lone surrogate": Case(
        "POST",
        PRODUCTS,
        JSON,
        b'{"title": "\\ud800"}',
        400,
        "malformed_json",
        "/title",
    ),
    "a raw surrogate": Case(
        "POST",
        PRODUCTS,
        JSON,
        b'{"title": "\xed\xa0\x80"}',
        400,
        "malformed_json",
        "UTF-8",
    ),
    "NUL in a text": Case(
        "POST",
        PRODUCTS,
        JSON,
        body(brand="a\x00b"),
        422,
        "validation_failed",
        "/brand",
    ),
    "a raw NUL": Case(
        "POST",
        PRODUCTS,
        JSON,
        b'{"title": "a\x00"}',
        400,
        "malformed_json",
        "column 13",
    ),
    "UTF-16": Case(
        "POST",
        PRODUCTS,
        JSON,
        '{"title": "x"}'.encode("utf-16"),
        400,
        "malformed_json",
        "UTF-8",
    ),
    "an array for a product": Case(
        "PUT", LAMP, JSON, b"[]", 422, "validation_failed", "JSON object"
    ),
    "a wrong type": Case(
        "POST", PRODUCTS, JSON, body(tags="a,b"), 422, "validation_failed", "/tags"
    ),
    "an unknown field": Case(
        "POST",
        PRODUCTS,
        JSON,
        body(colour="red"),
        422,
        "unknown_field",
        "/colour",
    ),
    "an unknown field inside": Case(
        "POST",
        PRODUCTS,
        JSON,
        body(price={"amount": "1", "currency": "EUR", "vat": 1}),
        422,
        "unknown_field",
        "/price/vat",
    ),
    "a read-only field": Case(
        "PATCH",
        LAMP,
        MERGE,
        b'{"version": 9}',
        422,
        "validation_failed",
        "/version",
    ),
    "too long a title": Case(
        "POST",
        PRODUCTS,
        JSON,
        body(title="x" * 501),
        422,
        "validation_failed",
        "/title",
    ),
    "an id with a space": Case(
        "PUT",
        "/v1/products/a%20b",
        JSON,
        body(),
        422,
        "validation_failed",
        "/id",
    ),
    "an id with a space in the body": Case(
        "POST",
        PRODUCTS,
        JSON,
        body(id="a b"),
        422,
        "validation_failed",
        "/id",
    ),
    "an id with a slash": Case("PUT", "/v1/products/a%2Fb", JSON, body(), 404, "not_found", ""),
    "an id with NUL": Case("GET", "/v1/products/a%00b", {}, b"", 404, "product_not_found", ""),
    "an id that is not UTF-8": Case(
        "PUT",
        "/v1/products/%ff",
        JSON,
        body(),
        422,
        "validation_failed",
        "/id",
    ),
    "an id of dots": Case(
        "PUT", "/v1/products/%2e%2e", JSON, body(), 422, "validation_failed", "/id"
    ),
    "a wrong media type": Case(
        "POST",
        PRODUCTS,
        {"Content-Type": "text/csv"},
        b"id,title",
        415,
        "unsupported_media_type",
        "application/json",
    ),
    "a form": Case(
        "POST",
        PRODUCTS,
        {"Content-Type": "application/x-www-form-urlencoded"},
        b"title=x",
        415,
        "unsupported_media_type",
        "",
    ),
    "a JSON Patch for PUT": Case(
        "PUT",
        LAMP,
        PATCH,
        b"[]",
        415,
        "unsupported_media_type",
        "application/json",
    ),
    "a patch of no known type": Case(
        "PATCH",
        LAMP,
        {"Content-Type": "application/xml"},
        b"<x/>",
        415,
        "unsupported_media_type",
        "merge-patch",
    ),
    "a patch of the wrong form": Case(
        "PATCH",
        LAMP,
        PATCH,
        b'{"title": "x"}',
        400,
        "malformed_patch",
        "array",
    ),
    "a patch of too many operations": Case(
        "PATCH",
        LAMP,
        PATCH,
        json.dumps([{"op": "remove", "path": "/sku"}] * 101).encode(),
        400,
        "malformed_patch",
        "100",
    ),
    "an unknown query parameter": Case(
        "GET",
        "/v1/products?colour=red",
        {},
        b"",
        422,
        "invalid_query",
        "colour",
    ),
    "an unknown operator": Case(
        "GET",
        "/v1/products?price%5Babout%5D=3",
        {},
        b"",
        422,
        "invalid_query",
        "gte",
    ),
    "a query that is not UTF-8": Case(
        "GET",
        "/v1/products?q=%ff%fe",
        {},
        b"",
        400,
        "malformed_query",
        "UTF-8",
    ),
    "a damaged cursor": Case("GET", "/v1/products?cursor=AAAA", {}, b"", 400, "bad_cursor", ""),
    "a bare entity tag": Case(
        "PUT",
        LAMP,
        {**JSON, "If-Match": "3-9f86d081"},
        body(),
        400,
        "malformed_header",
        "double quotes",
    ),
    "a long idempotency key": Case(
        "POST",
        PRODUCTS,
        {**JSON, "Idempotency-Key": "x" * 256},
        body(),
        400,
        "malformed_header",
        "255",
    ),
    "a compressed body": Case(
        "POST",
        PRODUCTS,
        {**JSON, "Content-Encoding": "gzip"},
        b"\x1f\x8b",
        415,
        "unsupported_media_type",
        "uncompressed",
    ),
    "10 MB": Case("POST", PRODUCTS, JSON, b" " * (10 * MB), 413, "content_too_large", "1048576"),
    "10 MB of patch": Case(
        "PATCH",
        LAMP,
        PATCH,
        b"[" + b" " * (10 * MB) + b"]",
        413,
        "content_too_large",
        "1048576",
    ),
    "an unknown method": Case("TRACE", LAMP, {}, b"", 405, "method_not_allowed", "PATCH"),
    "an unknown path": Case("GET", "/v2/products", {}, b"", 404, "not_found", "/v2/products"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_bad_input_is_a_clear_problem(service: RunningService, case: Case) -> None:
    before = service.client.get(LAMP).content

    answer = service.client.request(
        case.method, case.path, content=case.content, headers=case.headers
    )

    _check(answer, case.status, case.code, case.mentioned)
    assert service.client.get(LAMP).content == before


def _check(answer: httpx2.Response, status: int, code: str, mentioned: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code
    assert mentioned in json.dumps(problem, ensure_ascii=False) + " ".join(answer.headers.values())
    return problem


def test_10_mb_that_are_streamed(service: RunningService) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(10):
            yield b" " * MB

    answer = service.client.post(PRODUCTS, content=chunks(), headers=JSON)

    _check(answer, 413, "content_too_large", "1048576")
    assert service.client.get(LAMP).status_code == 200


def test_a_body_at_the_limit_is_looked_at(service: RunningService) -> None:
    answer = service.client.post(PRODUCTS, content=b"[" * 2**20, headers=JSON)

    _check(answer, 400, "malformed_json", "64 levels")


def test_a_body_of_many_faults_gets_a_short_answer(service: RunningService) -> None:
    many = {f"field{number}": number for number in range(30_000)}

    problem = _check(service.client.post(PRODUCTS, json=many), 422, "validation_failed", "field")

    assert len(problem["errors"]) == 100
    assert problem["errors_total"] > 30_000


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /v1/products/lamp\r\n\r\n",
        b"GET /v1/products/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/products?q=\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /v1/products HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/products HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /v1/products/lamp HTTP/1.1\r\nHost: x\r\nIf-None-Match: \xff\xfe\r\n\r\n",
        b"GET /v1/products/lamp HTTP/1.1\r\nHost: x\r\nX-Request-Id: \xff\r\nAccept: \xff\r\n\r\n",
    ],
)
def test_bytes_that_are_hardly_http(service: RunningService, request_bytes: bytes) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall(request_bytes)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65_536)

    assert b" 5" not in answer[:12]
    assert service.client.get(LAMP).status_code == 200


def test_a_target_may_be_typed_as_it_is_read(service: RunningService) -> None:
    service.client.put("/v1/products/cafe", json={"title": "Café"}).raise_for_status()
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall("GET /v1/products?q=café HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = connection.recv(65_536)
    service.client.delete("/v1/products/cafe").raise_for_status()

    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"id":"cafe"' in answer


def test_a_body_that_looks_like_a_request_line_stays_a_body(service: RunningService) -> None:
    body = "GET /é HTTP/1.1\r\n".encode()
    head = (
        "POST /v1/products HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(head.encode())
        time.sleep(0.2)  # so that the body comes by itself
        connection.sendall(body)
        refused = connection.recv(65_536)
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        next_answer = connection.recv(65_536)

    assert refused.startswith(b"HTTP/1.1 400")
    assert next_answer.startswith(b"HTTP/1.1 200")


def test_nothing_of_all_this_was_written(service: RunningService, tmp_path: Path) -> None:
    total = service.client.get("/v1/products?limit=1").json()["total"]

    assert total == 2466
