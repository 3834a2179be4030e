"""Every Mermaid diagram in the documentation can be drawn by the script that the pages carry."""

import gzip
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(
    path
    for path in DOCS.glob("**/*.md")
    if not any(part.startswith("_") for part in path.relative_to(DOCS).parts)
    and "```mermaid" in path.read_text(encoding="utf-8")
)
DRAW = "async text => (await mermaid.render('drawing', text)).svg"


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium on this machine")
    script = gzip.decompress((DOCS / "_vendor" / "mermaid.tiny.js.gz").read_bytes()).decode()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.add_script_tag(content=script)
        page.evaluate("mermaid.initialize({startOnLoad: false, securityLevel: 'strict'})")
        yield page
        browser.close()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_a_diagram_can_be_drawn(browser_page: Page, path: Path) -> None:
    diagrams = re.findall(
        r"^```mermaid\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )

    assert diagrams
    for diagram in diagrams:
        drawn = browser_page.evaluate(DRAW, diagram)
        assert drawn.startswith("<svg")
        assert "Syntax error" not in drawn
