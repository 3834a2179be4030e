"""Mermaid diagrams drawn by a script that the pages carry along.

A fence ```` ```mermaid ```` becomes ``<pre class="mermaid">``, which the script turns into a drawing; without JavaScript the
reader sees the diagram's text. The script is a classic one, not a module, so that the pages also work when opened from disk,
and only pages with a diagram load it. It is kept compressed in ``_vendor`` (see the README there).
"""

import gzip
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

_SCRIPT = "mermaid.tiny.js"
_START = """mermaid.initialize({
  startOnLoad: true,
  theme: "neutral",
  securityLevel: "strict",
  sequence: {actorMargin: 20, messageFontSize: 17, noteFontSize: 16, wrap: true},
});"""


class mermaid(nodes.General, nodes.Element):  # noqa: N801 - docutils names nodes in lower case
    """A diagram, as its source text."""


class MermaidDirective(SphinxDirective):
    """The fence ```` ```mermaid ````."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        node = mermaid()
        node["source"] = "\n".join(self.content)
        return [node]


def _write_html(translator: HTML5Translator, node: mermaid) -> None:
    translator.body.append(f'<pre class="mermaid">{translator.encode(node["source"])}</pre>\n')
    raise nodes.SkipNode


def _load_script(
    app: Sphinx, _page: str, _template: str, _context: object, doctree: nodes.document | None
) -> None:
    if doctree is not None and doctree.next_node(mermaid):
        app.add_js_file(_SCRIPT)
        app.add_js_file(None, body=_START)


def _unpack_script(app: Sphinx) -> None:
    folder = Path(app.confdir) / "_generated" / "static"
    folder.mkdir(parents=True, exist_ok=True)
    packed = Path(app.confdir) / "_vendor" / f"{_SCRIPT}.gz"
    (folder / _SCRIPT).write_bytes(gzip.decompress(packed.read_bytes()))
    app.config.html_static_path.append("_generated/static")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive and its script."""
    app.add_node(mermaid, html=(_write_html, None))
    app.add_directive("mermaid", MermaidDirective)
    app.connect("builder-inited", _unpack_script)
    app.connect("html-page-context", _load_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
