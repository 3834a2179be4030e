import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx2
from pytest_bdd import given, parsers, scenarios, then, when

from tests.acceptance.shop import PRODUCTS, Shop, ids
from tests.acceptance.words import PRODUCT, Datatable
from tests.running import RunningService

scenarios("operations.feature")

SANE_ID = re.compile(r"[A-Za-z0-9._:-]{8,128}")
REQUEST_ID = "X-Request-Id"


class Page(HTMLParser):
    """What a page loads, and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "a" and (href := names.get("href")):
            self.links.append(href)
        elif tag == "link" and (href := names.get("href")):
            self.loads.append(href)
        elif source := names.get("src"):
            self.loads.append(source)


@given("a service of its own", target_fixture="own")
def own_service(tmp_path: Path) -> Iterator[RunningService]:
    (tmp_path / "products.csv").write_text("id,title\nLAMP-1,Lamp\n")
    with RunningService(tmp_path) as service:
        yield service


@when("the operator stops the service", target_fixture="code")
def operator_stops(own: RunningService) -> int:
    return own.stop()


@then("the service has ended without an error")
def ended_without_error(own: RunningService, code: int) -> None:
    assert code == 0, own.output


@when(parsers.parse('an operator asks "{address}"'), target_fixture="answer")
@when(parsers.parse('the developer opens the page "{address}"'), target_fixture="answer")
@when(parsers.parse('the developer reads "{address}"'), target_fixture="answer")
def asks(shop: Shop, address: str) -> httpx2.Response:
    return shop.client.get(address, headers={"Accept": "text/html, */*;q=0.5"})


@when(
    parsers.re(rf'the developer reads {PRODUCT} with the request id "(?P<request_id>.+)"'),
    target_fixture="answer",
)
def reads_with_id(shop: Shop, product: str, request_id: str) -> httpx2.Response:
    return shop.client.get(shop.path(product), headers={REQUEST_ID: request_id})


@when(parsers.re(rf"the developer reads {PRODUCT}"), target_fixture="answer")
def reads(shop: Shop, product: str) -> httpx2.Response:
    return shop.client.get(shop.path(product))


@when(parsers.parse('the developer asks for the head of "{address}"'), target_fixture="answer")
def asks_for_head(shop: Shop, address: str) -> httpx2.Response:
    return shop.client.head(address)


@when("the developer lists the products and can read gzip", target_fixture="answer")
def lists_with_gzip(shop: Shop) -> httpx2.Response:
    headers = {"Accept-Encoding": "gzip"}
    return shop.client.get(PRODUCTS, params={"limit": "200"}, headers=headers)


@then("the service says that all is well")
def all_is_well(answer: httpx2.Response) -> None:
    assert answer.status_code == httpx2.codes.OK


@then("nobody on the way keeps the answer")
def nobody_keeps(answer: httpx2.Response) -> None:
    assert "no-store" in answer.headers["Cache-Control"]


@then(parsers.parse('the answer has the request id "{request_id}"'))
def has_request_id(answer: httpx2.Response, request_id: str) -> None:
    assert answer.headers[REQUEST_ID] == request_id


@then("the answer has a request id")
@then("the answer has another request id")
def has_some_request_id(answer: httpx2.Response) -> None:
    assert SANE_ID.fullmatch(answer.headers[REQUEST_ID])
    assert answer.headers[REQUEST_ID] != answer.request.headers.get(REQUEST_ID)


@then(parsers.parse('the problem names the request "{request_id}"'))
def problem_names_request(answer: httpx2.Response, request_id: str) -> None:
    assert answer.json()["request_id"] == request_id


@then("it is a page")
def is_a_page(answer: httpx2.Response) -> None:
    assert answer.status_code == httpx2.codes.OK
    assert answer.headers["Content-Type"].startswith("text/html")


@then("all that it loads comes from the service")
def loads_from_service(shop: Shop, answer: httpx2.Response) -> None:
    for address in Page(answer.text).loads:
        url = answer.url.join(address)
        assert (url.host, url.port) == (answer.url.host, answer.url.port), address
        assert shop.client.get(url).status_code == httpx2.codes.OK, address


@then(parsers.parse('it links to "{address}"'))
def links_to(answer: httpx2.Response, address: str) -> None:
    targets = [answer.url.join(link).path for link in Page(answer.text).links]
    assert address in targets


@then("it is an OpenAPI document that describes")
def is_openapi(answer: httpx2.Response, datatable: Datatable) -> None:
    contract = answer.json()
    assert contract["openapi"].startswith("3.")
    assert {row[0] for row in datatable[1:]} <= contract["paths"].keys()


@then("it has the headers of the answer and no body")
def headers_and_no_body(shop: Shop, answer: httpx2.Response) -> None:
    assert answer.content == b""
    full = shop.client.get(answer.url)
    for name in ("Content-Type", "Content-Length", "ETag", "Link"):
        assert answer.headers.get(name) == full.headers.get(name), name


@then(parsers.parse("the answer came compressed and holds {count:d} products"))
def came_compressed(answer: httpx2.Response, count: int) -> None:
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert len(ids(answer)) == count
