"""Cursors: where a page ended, as one opaque word.

A cursor is base64url without padding (RFC 4648, section 5) of 8 bytes of digest and the JSON of the
index's position. The digest covers the position and the query, so that a damaged cursor, or one of
another query, is known at once. The limit is not part of the query: pages may differ in size.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from hashlib import blake2b
from typing import Final

import orjson

from vitrina.domain.errors import BadCursor
from vitrina.service_layer.queries import Position, ProductQuery

_DIGEST_BYTES: Final = 8
_LENGTH_MAX: Final = 8_192


def encode(query: ProductQuery, position: Position) -> str:
    """Return the cursor of *position* in the answer to *query*."""
    return seal(fingerprint(query), position)


def decode(query: ProductQuery, cursor: str) -> Position:
    """Return the position that :func:`encode` made a cursor of.

    Raises:
        BadCursor: It is damaged, or of another query.
    """
    return unseal(fingerprint(query), cursor)


def seal(asked: str, position: Position) -> str:
    """Return the cursor of *position* in the answer to what was *asked*."""
    place = orjson.dumps(position)
    return urlsafe_b64encode(_digest(asked, place) + place).rstrip(b"=").decode()


def unseal(asked: str, cursor: str) -> Position:
    """Return the position that :func:`seal` made a cursor of.

    Raises:
        BadCursor: It is damaged, or something else was asked.
    """
    if len(cursor) > _LENGTH_MAX or not cursor.isascii():
        raise BadCursor
    try:
        content = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except binascii.Error:
        raise BadCursor from None
    mark, place = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    # Decoding forgives stray characters; what it made of them must be what was encoded.
    if mark != _digest(asked, place) or seal(asked, orjson.loads(place)) != cursor:
        raise BadCursor
    return tuple(orjson.loads(place))


def fingerprint(query: ProductQuery) -> str:
    """Return a text that two queries share when they have the same answer, page by page."""
    asked = replace(query, limit=1, after=None, facets=())
    return f"{asked.text!r} {sorted(map(repr, asked.filters))} {asked.order!r}"


def _digest(asked: str, place: bytes) -> bytes:
    content = asked.encode() + b"\n" + place
    return blake2b(content, digest_size=_DIGEST_BYTES).digest()
