"""What the generated pages of the reference have in common: Markdown that is escaped, files that are written when they changed."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def code(text: str) -> str:
    """Return *text* as inline code, also when it has backticks of its own."""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield the lines of a table, without the columns that no row fills."""
    filled = list(rows)
    used = [place for place in range(len(head)) if any(row[place] for row in filled)]
    yield "| " + " | ".join(head[place] for place in used) + " |"
    yield "|" + "---|" * len(used)
    for row in filled:
        yield "| " + " | ".join(_cell(row[place]) for place in used) + " |"
    yield ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def page(name: str, text: Callable[[], str]) -> Callable[[Sphinx], ExtensionMetadata]:
    """Return the set-up of an extension that writes the page *name* of the reference.

    The page is not committed. One that did not change keeps its time, so that it is not built again.
    """

    def write(app: Sphinx) -> None:
        path = Path(app.confdir) / "reference" / f"{name}.md"
        new = text()
        if not path.exists() or path.read_text(encoding="utf-8") != new:
            path.parent.mkdir(exist_ok=True)
            path.write_text(new, encoding="utf-8")

    def setup(app: Sphinx) -> ExtensionMetadata:
        # Before Sphinx looks for pages.
        app.connect("builder-inited", write, priority=100)
        return {"parallel_read_safe": True, "parallel_write_safe": True}

    return setup
