"""Answers with a JSON body, and the header fields that all of them carry."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from vitrina.entrypoints.http.conditional import is_fresh
from vitrina.entrypoints.http.requests import JSON, CatalogRequest
from vitrina.service_layer.documents import Json

VARY: Final = "Accept, Accept-Encoding"
CACHE_CONTROL: Final = "no-cache"
"""Caches may keep an answer, and ask whether it is still good before they use it again."""

JSON_FIELDS: Final = (
    (b"content-type", JSON.encode()),
    (b"cache-control", CACHE_CONTROL.encode()),
    (b"vary", VARY.encode()),
)
"""The fields that every answer with a JSON body has, as ASGI sends them."""


def dump(document: Json) -> bytes:
    """Return *document* as JSON."""
    return orjson.dumps(document)


def json_reply(
    body: bytes,
    *,
    status: int = 200,
    tag: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an answer with a JSON body.

    Args:
        body: JSON, UTF-8.
        status: Of the answer.
        tag: Its entity tag, without quotes.
        headers: Further fields.
    """
    fields = {"Cache-Control": CACHE_CONTROL, "Vary": VARY}
    if tag is not None:
        fields["ETag"] = f'"{tag}"'
    return Response(body, status, {**fields, **(headers or {})}, JSON)


def fresh_reply(request: CatalogRequest, tag: str) -> Response | None:
    """Return 304 when the caller has what would be answered, else None.

    Raises:
        PreconditionFailed: ``If-Match`` does not hold.
        Refusal: A header is malformed.
    """
    known = is_fresh(request.fields, tag)
    if known is None:
        return None
    fields = {"ETag": known, "Cache-Control": CACHE_CONTROL, "Vary": VARY}
    return Response(status_code=304, headers=fields)


def digest(content: bytes) -> str:
    """Return 8 hexadecimal digits that tell *content* from other contents of the same state."""
    return blake2b(content, digest_size=4).hexdigest()


def location(request: Request, path: str, key: str) -> str:
    """Return the URL path of the resource *key* under *path*, as the caller sees it."""
    root: str = request.scope.get("root_path", "")
    return f"{root}{path}/{quote(key, safe='~:')}"
