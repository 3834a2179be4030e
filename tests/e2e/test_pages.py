"""The HTML pages in a real browser: they render, and ask nobody else for anything."""

import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.running import RunningService
from tests.shared_data import ROOT
from vitrina.entrypoints.http.problem_types import PROBLEM_TYPES

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    catalog = tmp_path_factory.mktemp("pages") / "shop"
    shutil.copytree(ROOT / "examples" / "shop", catalog)
    with RunningService(catalog) as service:
        yield service


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield launched
        launched.close()


class Visit:
    """A page, and everything it asked for and complained about."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.elsewhere: list[str] = []
        self.complaints: list[str] = []
        self._origin = origin
        page.on("request", self._asked)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self._origin, "data:", "blob:")):
            self.elsewhere.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@pytest.mark.parametrize(
    ("path", "selector", "text"),
    [
        ("/", ".counts", "2465"),
        ("/docs", "#operations-products-getProduct", "Read one product"),
        (
            "/redoc",
            "#operation\\/postProduct, #tag\\/products\\/operation\\/postProduct",
            "Add a product",
        ),
        ("/problems", "table", "precondition_failed"),
        ("/problems/validation_failed", "main", "list_price_below_price"),
    ],
)
def test_a_page_renders_and_needs_nobody_else(
    service: RunningService, browser: Browser, path: str, selector: str, text: str
) -> None:
    page = browser.new_page()
    visit = Visit(page, service.url)

    page.goto(service.url + path, wait_until="networkidle")
    found = page.locator(selector).first
    found.wait_for(timeout=30_000)

    assert text in found.inner_text()
    assert visit.elsewhere == []
    assert visit.complaints == []
    page.close()


def test_an_operation_can_be_tried_out(service: RunningService, browser: Browser) -> None:
    page = browser.new_page()
    visit = Visit(page, service.url)
    page.goto(f"{service.url}/docs", wait_until="networkidle")

    operation = page.locator("#operations-operations-getLivez")
    operation.locator(".opblock-summary-control").click()
    operation.locator("button.try-out__btn").click()
    operation.locator("button.execute").click()
    answer = operation.locator(".live-responses-table .response-col_status").first
    answer.wait_for(timeout=30_000)

    assert "200" in operation.locator(".live-responses-table").inner_text()
    assert visit.complaints == []
    page.close()


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, _: str, attrs: list[tuple[str, Any]]) -> None:
        self.found += [value for name, value in attrs if name in {"href", "src"}]


def test_every_link_of_every_page_leads_somewhere(service: RunningService) -> None:
    paths = ["/", "/docs", "/redoc", "/problems", *(f"/problems/{code}" for code in PROBLEM_TYPES)]
    for path in paths:
        answer = service.client.get(path)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        links = _Links()
        links.feed(answer.text)
        assert links.found
        for link in links.found:
            target = answer.url.join(link)
            assert str(target).startswith(service.url), f"{path} links to {link}"
            assert service.client.get(str(target)).status_code == 200, f"{path} links to {link}"


def test_the_files_of_the_package_carry_their_licences() -> None:
    vendor = Path(ROOT, "src/vitrina/entrypoints/http/static/vendor")

    assert {each.name for each in vendor.glob("*.gz")} == {
        "redoc.standalone.js.gz",
        "swagger-ui-bundle.js.gz",
        "swagger-ui.css.gz",
    }
    for name in ("redoc.LICENSE", "swagger-ui.LICENSE", "swagger-ui.NOTICE"):
        assert (vendor / name).read_text(encoding="utf-8").strip()
    assert all(each.stat().st_size < 2**20 for each in vendor.iterdir())
