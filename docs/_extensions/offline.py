"""Refuses a page that would ask another server for anything when it is opened.

Looks, after the build, at every element of every page that a browser loads by itself (scripts, style sheets, images, frames, fonts
in style sheets). Links that a reader follows may lead anywhere.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.util.typing import ExtensionMetadata

_LOADED = {("link", "href"), ("object", "data"), ("use", "href")}
_ELSEWHERE = re.compile(r"(?:https?:)?//")
_LOADED_BY_CSS = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""")


class ReachesOut(SphinxError):
    """A page asks another server for something."""

    category = "Page that needs a network"


class _Loads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            loaded = name == "src" or (tag, name) in _LOADED
            if loaded and value and _ELSEWHERE.match(value):
                self.found.append(value)


def _reaching_out(folder: Path) -> Iterator[str]:
    for page in sorted(folder.rglob("*.html")):
        parser = _Loads()
        parser.feed(page.read_text(encoding="utf-8"))
        yield from (f"{page.relative_to(folder)} loads {each}" for each in parser.found)
    for sheet in sorted(folder.rglob("*.css")):
        for each in _LOADED_BY_CSS.findall(sheet.read_text(encoding="utf-8")):
            yield f"{sheet.relative_to(folder)} loads {each}"


def _check(app: Sphinx, error: Exception | None) -> None:
    if error is None and (found := list(_reaching_out(Path(app.outdir)))):
        raise ReachesOut("\n".join(found))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Check when all pages are written."""
    app.connect("build-finished", _check, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
