"""What surrounds every request: ids, traces, CORS, compression, errors, health, limits."""

import gzip
from collections.abc import AsyncIterator, Iterator

import anyio
import httpx2
import pytest
import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.testclient import TestClient
from starlette.types import Message

from tests.integration.http_service import JSON, LAMP, application, calling, problem
from vitrina.domain.errors import StoreBusy, StoreReadOnly
from vitrina.entrypoints.http.app import Application
from vitrina.entrypoints.http.options import HttpOptions
from vitrina.service_layer.ports import Check, CheckStatus

LAMP_URL = "/v1/products/lamp"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PAGE = "https://shop.example"


@pytest.fixture
def client() -> Iterator[TestClient]:
    with calling(application()) as client:
        client.post("/v1/products", json=LAMP).raise_for_status()
        yield client


@pytest.mark.parametrize(
    "url", [LAMP_URL, "/v1/products", "/v1/products/none", "/none", "/livez", "/"]
)
def test_every_answer_carries_a_request_id(client: TestClient, url: str) -> None:
    one, two = client.get(url), client.get(url)
    named = client.get(url, headers={"X-Request-Id": "checkout-7f3a"})

    assert one.headers["X-Request-Id"] != two.headers["X-Request-Id"]
    assert named.headers["X-Request-Id"] == "checkout-7f3a"


def test_a_trace_goes_on_in_answers_and_problems(client: TestClient) -> None:
    parent = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}

    answered = client.get(LAMP_URL, headers=parent).headers["traceparent"]
    refused = problem(client.get("/none", headers=parent), 404, "not_found")

    assert answered.startswith(f"00-{TRACE}-")
    assert refused["trace_id"] == TRACE
    assert "traceparent" not in client.get(LAMP_URL).headers


def test_a_path_that_is_nothing(client: TestClient) -> None:
    for url in ("/none", "/v1", "/v1/products/", "/v1/products/a/b", "/assets/x.js", "/problems/x"):
        problem(client.get(url), 404, "not_found")
    assert problem(client.get("/caf%C3%A9%22"), 404, "not_found")["instance"] == "/caf%C3%A9%22"


@pytest.mark.parametrize(
    ("method", "url", "allow"),
    [
        ("POST", LAMP_URL, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
        ("DELETE", "/v1/products", "GET, HEAD, POST, OPTIONS"),
        ("TRACE", "/v1/categories", "GET, HEAD, OPTIONS"),
        ("BREW", "/livez", "GET, HEAD, OPTIONS"),
        ("POST", "/docs", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_method_that_a_resource_does_not_know(
    client: TestClient, method: str, url: str, allow: str
) -> None:
    answer = client.request(method, url)

    problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == allow


def test_options_tell_what_a_resource_can(client: TestClient) -> None:
    one, many = client.options(LAMP_URL), client.options("/v1/products")

    assert one.status_code == many.status_code == 204
    assert one.headers["Allow"] == "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"
    assert "application/json-patch+json" in one.headers["Accept-Patch"]
    assert many.headers["Accept-Post"] == "application/json"
    assert not [name for name in one.headers if name.startswith("access-control")]
    problem(client.options("/none"), 404, "not_found")


class TestCors:
    """Pages of other origins."""

    def test_they_are_shut_out_by_default(self, client: TestClient) -> None:
        asked = {"Origin": PAGE, "Access-Control-Request-Method": "PUT"}

        for answer in (
            client.get(LAMP_URL, headers=asked),
            client.options(LAMP_URL, headers=asked),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control")]

    @pytest.mark.parametrize("origins", [(PAGE,), ("*",), ("https://x.example", PAGE)])
    def test_an_allowed_one_may_read_and_write(self, origins: tuple[str, ...]) -> None:
        with calling(application(options=HttpOptions(cors_origins=origins))) as client:
            read = client.get("/v1/products/none", headers={"Origin": PAGE})
            asked = {
                "Origin": PAGE,
                "Access-Control-Request-Method": "PUT",
                "Access-Control-Request-Headers": "content-type, if-match",
            }
            preflight = client.options(LAMP_URL, headers=asked)

        assert read.headers["Access-Control-Allow-Origin"] == PAGE
        assert "ETag" in read.headers["Access-Control-Expose-Headers"]
        assert "Origin" in read.headers["Vary"]
        assert preflight.status_code == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == PAGE
        assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
        assert preflight.headers["Access-Control-Allow-Headers"] == "content-type, if-match"

    def test_others_stay_shut_out(self) -> None:
        with calling(application(options=HttpOptions(cors_origins=(PAGE,)))) as client:
            for headers in ({"Origin": "https://evil.example"}, {}):
                answer = client.get("/v1/products", headers=headers)
                assert "Access-Control-Allow-Origin" not in answer.headers
                assert "Origin" in answer.headers["Vary"]


class TestCompression:
    """``Accept-Encoding: gzip``."""

    GZIP = {"Accept-Encoding": "gzip"}  # noqa: RUF012 - read only

    def test_a_large_answer_is_compressed(self, client: TestClient) -> None:
        client.patch(LAMP_URL, json={"description": "beige " * 500}).raise_for_status()
        plain = client.get(LAMP_URL)

        packed = client.get(LAMP_URL, headers=self.GZIP)

        assert packed.headers["Content-Encoding"] == "gzip"
        assert int(packed.headers["Content-Length"]) < len(plain.content) / 2
        assert packed.content == plain.content
        assert packed.headers["ETag"] == f'{plain.headers["ETag"][:-1]}.gzip"'
        assert "Accept-Encoding" in packed.headers["Vary"]
        assert "Content-Encoding" not in plain.headers
        tag = packed.headers["ETag"]
        unchanged = client.get(LAMP_URL, headers={**self.GZIP, "If-None-Match": tag})
        assert (unchanged.status_code, unchanged.headers["ETag"]) == (304, tag)
        assert client.patch(LAMP_URL, json={"title": "x"}, headers={"If-Match": tag}).is_success

    def test_a_very_large_answer_is_compressed_too(self, client: TestClient) -> None:
        client.patch(LAMP_URL, json={"description": "x" * 65_536}).raise_for_status()

        packed = client.get("/v1/products", headers=self.GZIP)

        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.json()["total"] == 1

    def test_a_small_answer_is_not(self, client: TestClient) -> None:
        answer = client.get(LAMP_URL, headers=self.GZIP)

        assert "Content-Encoding" not in answer.headers
        assert answer.headers["ETag"] == client.get(LAMP_URL).headers["ETag"]

    def test_head_tells_the_compressed_length(self, client: TestClient) -> None:
        client.patch(LAMP_URL, json={"description": "beige " * 500}).raise_for_status()

        get, head = (
            client.get(LAMP_URL, headers=self.GZIP),
            client.head(LAMP_URL, headers=self.GZIP),
        )

        assert head.headers["Content-Length"] == get.headers["Content-Length"]

    def test_files_of_the_pages(self, client: TestClient) -> None:
        packed = client.get("/assets/swagger-ui.css", headers=self.GZIP)
        plain = client.get("/assets/swagger-ui.css")

        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.content == plain.content
        assert packed.headers["ETag"] != plain.headers["ETag"]
        for answer in (packed, plain):
            known = {"If-None-Match": answer.headers["ETag"]}
            assert client.get("/assets/swagger-ui.css", headers=known).status_code == 304


def broken(app: Application, error: Exception) -> Application:
    """Return *app* with a route that fails."""

    async def fail(_: Request) -> Response:
        raise error

    app.add_route("/fail", fail)
    return app


def test_a_failure_of_ours_is_logged_and_told_without_its_reason() -> None:
    error = RuntimeError("the password is hunter2")
    with calling(broken(application(), error)) as client, structlog.testing.capture_logs() as logs:
        answer = client.get("/fail", headers={"X-Request-Id": "r1"})

    problem(answer, 500, "internal_error")
    assert "hunter2" not in answer.text
    (line,) = logs
    assert line["request_id"] == "r1"
    assert line["exc_info"] is error


@pytest.mark.parametrize(
    ("error", "code", "retry_after"),
    [
        (StoreReadOnly("the disk is full."), "store_read_only", "30"),
        (StoreBusy(10), "store_busy", "1"),
    ],
)
def test_a_store_that_cannot_be_written_to(error: Exception, code: str, retry_after: str) -> None:
    with calling(broken(application(), error)) as client:
        answer = client.get("/fail")

    problem(answer, 503, code)
    assert answer.headers["Retry-After"] == retry_after


def test_requests_are_logged_when_asked_for() -> None:
    with (
        calling(application(options=HttpOptions(access_log=True))) as client,
        structlog.testing.capture_logs() as logs,
    ):
        client.head("/v1/products/none", headers={"X-Request-Id": "r1"})

    (line,) = logs
    assert (line["method"], line["path"], line["status"]) == ("HEAD", "/v1/products/none", 404)
    assert line["request_id"] == "r1"
    assert line["duration_ms"] >= 0


def test_a_malformed_header_of_a_hot_read(client: TestClient) -> None:
    problem(client.get(LAMP_URL, headers={"If-None-Match": "bare"}), 400, "malformed_header")
    problem(client.get(LAMP_URL, headers={"If-Match": "bare"}), 400, "malformed_header")


@pytest.mark.parametrize("url", [LAMP_URL, "/v1/products", "/v1/categories", "/livez"])
def test_an_accept_header_that_excludes_json(client: TestClient, url: str) -> None:
    problem(client.get(url, headers={"Accept": "text/csv"}), 406, "not_acceptable")
    assert client.get(url, headers={"Accept": "text/html, */*;q=0.8"}).status_code == 200


class TestBodies:
    """What is refused before a body is looked into."""

    @pytest.mark.parametrize(
        ("method", "url", "field"),
        [
            ("POST", "/v1/products", "Accept-Post"),
            ("PATCH", LAMP_URL, "Accept-Patch"),
            ("PUT", LAMP_URL, "Accept"),
            ("PATCH", "/v1/categories/a", "Accept-Patch"),
        ],
    )
    @pytest.mark.parametrize(
        "media_type",
        [
            "text/plain",
            "application/xml",
            "application/x-www-form-urlencoded",
            "json",
            "",
            "application/json; charset=latin-1",
        ],
    )
    def test_another_media_type(
        self, client: TestClient, method: str, url: str, field: str, media_type: str
    ) -> None:
        answer = client.request(method, url, content=b"{}", headers={"Content-Type": media_type})

        problem(answer, 415, "unsupported_media_type")
        assert "application/json" in answer.headers[field]

    def test_no_media_type_at_all(self, client: TestClient) -> None:
        problem(client.post("/v1/products", content=b"{}"), 415, "unsupported_media_type")

    def test_a_compressed_body(self, client: TestClient) -> None:
        body = gzip.compress(b'{"title": "x"}')

        answer = client.post(
            "/v1/products", content=body, headers={**JSON, "Content-Encoding": "gzip"}
        )

        problem(answer, 415, "unsupported_media_type")
        assert answer.headers["Accept-Encoding"] == "identity"

    def test_a_body_that_is_too_large(self) -> None:
        def chunks() -> Iterator[bytes]:
            for _ in range(50):
                yield b" " * 100

        with calling(application(options=HttpOptions(body_bytes_max=2_000))) as client:
            fits = b'{"title": "x"}'.ljust(2_000)
            assert client.post("/v1/products", content=fits, headers=JSON).status_code == 201
            told = client.post("/v1/products", content=fits + b" ", headers=JSON)
            streamed = client.post("/v1/products", content=chunks(), headers=JSON)

        for answer in (told, streamed):
            assert problem(answer, 413, "content_too_large")["limit"] == 2_000

    def test_a_body_that_does_not_arrive(self) -> None:
        app = application(options=HttpOptions(body_wait_s_max=0.05))

        async def slow() -> AsyncIterator[bytes]:
            yield b'{"title"'
            await anyio.sleep(0.3)
            yield b': "x"}'

        async def call() -> httpx2.Response:
            transport = httpx2.ASGITransport(app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
                return await client.post("/v1/products", content=slow(), headers=JSON)

        problem(anyio.run(call), 408, "request_timeout")

    def test_a_body_that_is_not_json(self, client: TestClient) -> None:
        answer = client.put(LAMP_URL, content=b'{"title": "x",\n "tags": [1,]}', headers=JSON)

        refused = problem(answer, 400, "malformed_json")
        assert (refused["line"], refused["column"]) == (2, 13)
        assert refused["errors"][0]["pointer"] == "/tags/1"
        assert "errors" not in client.put(LAMP_URL, content=b"", headers=JSON).json()

    def test_a_caller_that_goes_away(self) -> None:
        app = application()
        sent: list[Message] = []
        messages: list[Message] = [
            {"type": "http.request", "body": b'{"title"', "more_body": True},
            {"type": "http.disconnect"},
        ]

        async def receive() -> Message:
            return messages.pop(0)

        async def send(message: Message) -> None:
            sent.append(message)

        async def call() -> None:
            headers = [(b"content-type", b"application/json")]
            scope = {
                "type": "http",
                "method": "POST",
                "path": "/v1/products",
                "query_string": b"",
                "headers": headers,
                "state": {},
            }
            await app(scope, receive, send)

        anyio.run(call)

        assert sent[0]["status"] == 408


class TestStreams:
    """Answers that come in pieces."""

    @staticmethod
    def streaming(*, fails: bool = False) -> Application:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"one,"
            if fails:
                raise RuntimeError("half way")
            yield b"two"

        async def stream(_: Request) -> Response:
            return StreamingResponse(pieces(), media_type="text/plain")

        app = application()
        app.add_route("/stream", stream)
        return app

    def test_they_pass_uncompressed(self) -> None:
        with calling(self.streaming()) as client:
            answer = client.get("/stream", headers={"Accept-Encoding": "gzip"})
            head = client.head("/stream")

        assert answer.text == "one,two"
        assert "Content-Encoding" not in answer.headers
        assert (head.status_code, head.content) == (200, b"")

    def test_one_that_fails_half_way_is_cut_short(self) -> None:
        with calling(self.streaming(fails=True)) as client, pytest.raises(RuntimeError):
            client.get("/stream")


class TestHealth:
    """``/livez`` and ``/readyz``."""

    GOOD = Check("store", CheckStatus.PASS)
    ODD = Check("product_file", CheckStatus.WARN, "products.csv, line 3: a quote is open.")
    BAD = Check("store", CheckStatus.FAIL, "The journal is damaged.")

    def test_it_is_well(self, client: TestClient) -> None:
        for url in ("/livez", "/readyz"):
            answer = client.get(url)
            assert answer.status_code == 200
            assert answer.json() == {"status": "pass", "checks": []}
            assert answer.headers["Cache-Control"] == "no-store"

    def test_a_warning_still_serves(self) -> None:
        with calling(application(checks=[self.GOOD, self.ODD])) as client:
            terse, verbose = client.get("/readyz"), client.get("/readyz?verbose")

        assert terse.status_code == 200
        assert terse.json()["status"] == "warn"
        assert [each["name"] for each in terse.json()["checks"]] == ["product_file"]
        assert "line 3" in terse.json()["checks"][0]["detail"]
        assert [each["name"] for each in verbose.json()["checks"]] == ["store", "product_file"]

    def test_a_failure_does_not(self) -> None:
        with calling(application(checks=[self.BAD, self.ODD])) as client:
            assert client.get("/livez").status_code == 200
            answer = client.get("/readyz")

        assert answer.status_code == 503
        assert answer.json()["status"] == "fail"

    def test_a_stopping_service_is_not_ready(self) -> None:
        app = application()
        with calling(app) as client:
            app.state.draining = True
            answer = client.get("/readyz")

        assert answer.status_code == 503
        assert answer.json()["checks"][0]["name"] == "requests"
