"""The HTML pages: what this is, the API's documentation, and what each kind of problem means.

They need nothing from another host, and their Content-Security-Policy forbids it.
"""

import json
import re
from collections.abc import Mapping
from html import escape
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from vitrina import __version__
from vitrina.bootstrap import Catalog
from vitrina.entrypoints.http.openapi import problem_example
from vitrina.entrypoints.http.problem_types import CODES_IN_ERRORS, PROBLEM_TYPES, ProblemType
from vitrina.service_layer.query_string import parse_listing

_COMMON_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "connect-src 'self'; font-src 'self' data:; img-src 'self' data:; "
)
_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": _COMMON_POLICY + "style-src 'self'",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}
# Both programs set styles from scripts, and Redoc searches in a worker that it makes itself.
_PROGRAM_POLICY: Final = (
    _COMMON_POLICY + "script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src blob:"
)


async def get_home(request: Request) -> HTMLResponse:
    """Say what this is, and link on."""
    catalog: Catalog = request.scope["state"]["catalog"]
    total = catalog.index.search(parse_listing([("limit", "1")]).query).total
    categories = len(catalog.view.categories())
    content = f"""<h1>A product catalog as an API</h1>
<p>Vitrina {escape(__version__)} serves a product file: it reads, validates, searches and changes it
over HTTP, and keeps the file up to date.</p>
<ul class="counts">
<li><b>{total}</b> active products</li>
<li><b>{categories}</b> categories</li>
</ul>
<h2>Read</h2>
<ul>
<li><a href="v1/products?limit=3">Products</a>: <code>GET /v1/products?limit=3</code></li>
<li><a href="v1/categories?tree=true">Categories</a>: <code>GET /v1/categories?tree=true</code></li>
</ul>
<h2>Understand</h2>
<ul>
<li><a href="docs">API, to try out</a> · <a href="redoc">API, to read</a> ·
<a href="openapi.json">OpenAPI document</a></li>
<li><a href="problems">Problems</a>: what each error means, and what to do</li>
<li><a href="readyz?verbose">How the service is</a></li>
</ul>"""
    return _page("Vitrina", content, root="")


async def get_docs(_: Request) -> HTMLResponse:
    """Return the API's documentation as Swagger UI draws it."""
    return _program("API", "swagger-ui-bundle.js", "docs.js", style="swagger-ui.css")


async def get_redoc(_: Request) -> HTMLResponse:
    """Return the API's documentation as Redoc draws it."""
    return _program("API reference", "redoc.standalone.js", "redoc.js")


async def get_problems(_: Request) -> HTMLResponse:
    """List the kinds of problems."""
    rows = "\n".join(
        f'<tr><td>{int(kind.status)}</td><td><a href="problems/{kind.code}">{kind.code}</a></td>'
        f"<td>{escape(kind.title)}</td></tr>"
        for kind in sorted(PROBLEM_TYPES.values(), key=lambda each: (each.status, each.code))
    )
    content = f"""<h1>Problems</h1>
<p>Every error is an <code>application/problem+json</code> (RFC 9457). Test for its <code>code</code>,
which is stable; <code>detail</code> is for people.</p>
<table><tr><th>Status</th><th>Code</th><th>Meaning</th></tr>
{rows}
</table>"""
    return _page("Problems", content, root="")


async def get_problem(request: Request) -> HTMLResponse:
    """Explain one kind of problem."""
    kind = PROBLEM_TYPES.get(request.path_params["code"])
    if kind is None:
        raise HTTPException(404)
    example = json.dumps(problem_example(kind), indent=2, ensure_ascii=False)
    content = f"""<h1>{escape(kind.title)}</h1>
<p>Status {int(kind.status)} {escape(kind.status.phrase)}, code <code>{kind.code}</code>.</p>
<h2>What it means</h2>
<p>{_marked(kind.meaning)}</p>
<h2>What to do</h2>
<p>{_marked(kind.remedy)}</p>
{_faults(kind)}<h2>Example</h2>
<pre><code>{escape(example)}</code></pre>
<p><a href="../problems">All problems</a></p>"""
    return _page(kind.title, content, root="../")


def _faults(kind: ProblemType) -> str:
    codes = CODES_IN_ERRORS.get(kind.code)
    if codes is None:
        return ""
    rows = "\n".join(
        f"<tr><td><code>{code}</code></td><td>{_marked(text)}</td></tr>"
        for code, text in codes.items()
    )
    return f"<h2>Codes in <code>errors</code></h2>\n<table>\n{rows}\n</table>\n"


def _marked(text: str) -> str:
    """Return *text* as HTML; what stands between backquotes is code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text, quote=False))


def _page(title: str, content: str, *, root: str) -> HTMLResponse:
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="icon" href="{root}assets/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{root}assets/page.css">
</head>
<body>
<header><img src="{root}assets/favicon.svg" alt=""><a href="{root or "./"}">Vitrina</a></header>
<main>
{content}
</main>
</body>
</html>
"""
    return HTMLResponse(page, headers=_HEADERS)


def _program(title: str, *scripts: str, style: str = "") -> HTMLResponse:
    """Return a page that a script fills."""
    loaded = "\n".join(f'<script src="assets/{each}"></script>' for each in scripts)
    sheet = f'<link rel="stylesheet" href="assets/{style}">\n' if style else ""
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Vitrina: {title}</title>
<link rel="icon" href="assets/favicon.svg" type="image/svg+xml">
{sheet}</head>
<body style="margin: 0">
<div id="documentation"></div>
{loaded}
</body>
</html>
"""
    return HTMLResponse(page, headers={**_HEADERS, "Content-Security-Policy": _PROGRAM_POLICY})
