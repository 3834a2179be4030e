"""The files that the service's own pages need, served by the service: nothing comes from elsewhere."""

import gzip
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from vitrina.entrypoints.http.compression import accepts_gzip
from vitrina.entrypoints.http.conditional import is_fresh
from vitrina.entrypoints.http.exchange import exchange_of
from vitrina.entrypoints.http.replies import digest

PATH: Final = "/assets"

_TYPES: Final[Mapping[str, str]] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_FILES: Final[Mapping[str, str]] = {
    "page.css": "page.css",
    "docs.js": "docs.js",
    "redoc.js": "redoc.js",
    "favicon.svg": "favicon.svg",
    "swagger-ui-bundle.js": "vendor/swagger-ui-bundle.js.gz",
    "swagger-ui.css": "vendor/swagger-ui.css.gz",
    "redoc.standalone.js": "vendor/redoc.standalone.js.gz",
}
"""Name in the URL → file in the package; the large ones are kept compressed."""


@cache
def _load(name: str) -> tuple[bytes, str]:
    """Return a file as it is in the package, and its entity tag."""
    content = (files("vitrina.entrypoints.http") / "static" / _FILES[name]).read_bytes()
    return content, digest(content)


async def get_asset(request: Request) -> Response:
    """Return one file."""
    name = request.path_params.get("name", "favicon.svg")
    if name not in _FILES:
        raise HTTPException(404)
    content, tag = _load(name)
    exchange = exchange_of(request.scope)
    fields = {"Cache-Control": "max-age=3600", "Vary": "Accept-Encoding", "ETag": f'"{tag}"'}
    if is_fresh(exchange.headers, tag) is not None:
        return Response(status_code=304, headers=fields)
    if _FILES[name].endswith(".gz"):
        if accepts_gzip(exchange.headers.get(b"accept-encoding", b"")):
            fields["Content-Encoding"] = "gzip"
            fields["ETag"] = f'"{tag}.gzip"'
        else:
            content = gzip.decompress(content)
    return Response(content, 200, fields, _TYPES[name.rpartition(".")[2]])
