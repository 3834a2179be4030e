"""``Idempotency-Key`` (IETF draft-ietf-httpapi-idempotency-key-header).

The field is a Structured Field string: ``Idempotency-Key: "8e03978e-40d5"``. Many clients send it
without the quotes, which is read as the same key. At most 255 characters.
"""

import re
from hashlib import blake2b
from typing import Final

from vitrina.entrypoints.http.problems import Refusal
from vitrina.entrypoints.http.requests import CatalogRequest
from vitrina.service_layer.products import IdempotencyKey

KEY_LENGTH_MAX: Final = 255

# RFC 8941, 3.3.3: printable ASCII, with \" and \\ escaped.
_QUOTED: Final = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BARE: Final = re.compile(r"[\x21\x23-\x2b\x2d-\x7e]+")


def key_of(request: CatalogRequest) -> IdempotencyKey | None:
    """Return the caller's name for this request, or None.

    Raises:
        Refusal: The header is malformed.
    """
    value = request.fields.get(b"idempotency-key")
    if value is None:
        return None
    text = value.decode("latin-1").strip()
    if quoted := _QUOTED.fullmatch(text):
        key = re.sub(r'\\(["\\])', r"\1", quoted[1])
    elif _BARE.fullmatch(text):
        key = text
    else:
        key = ""
    if not 1 <= len(key) <= KEY_LENGTH_MAX:
        detail = f"Idempotency-Key is a string of 1 to {KEY_LENGTH_MAX} printable ASCII characters."
        raise Refusal("malformed_header", detail)
    return IdempotencyKey(key, _fingerprint(request))


def _fingerprint(request: CatalogRequest) -> str:
    """Return what tells this request from others: a digest of its method, path and body."""
    heading = f"{request.method} {request.scope['path']}\n".encode()
    return blake2b(heading + request.content, digest_size=16).hexdigest()
