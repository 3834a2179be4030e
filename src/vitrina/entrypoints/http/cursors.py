"""Cursors: where a page ended, as one opaque word.

A cursor is base64url without padding (RFC 4648, section 5) of 8 bytes of digest and the JSON of the
index's position. The digest covers the position and the query, so that a damaged cursor, or one of
another query, is known at once. The limit is not part of the query: pages may differ in size.

The digest is no secret: whoever knows this code can make a cursor of any position. So what comes out
of one is as little trusted as any other parameter.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import Final

import orjson

from vitrina.domain.errors import BadCursor
from vitrina.service_layer.queries import Position, ProductQuery

_DIGEST_BYTES: Final = 8
_LENGTH_MAX: Final = 8_192
# An index counts in 64 bits, with a sign; no greater number was ever a place in it.
_INTEGER_MIN: Final = -(2**63)
_INTEGER_MAX: Final = 2**63 - 1


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
        position = orjson.loads(content[_DIGEST_BYTES:])
    except ValueError:  # Neither base64 nor JSON.
        raise BadCursor from None
    if not isinstance(position, list) or not all(map(_is_key, position)):
        raise BadCursor
    # Decoding forgives stray characters; what it made of them must be what was encoded.
    if seal(asked, tuple(position)) != cursor:
        raise BadCursor
    return tuple(position)


def unseal_number(asked: str, cursor: str) -> int:
    """Return the number of a change that :func:`seal` made a cursor of.

    Raises:
        BadCursor: It is damaged, or something else was asked.
    """
    match unseal(asked, cursor):
        case (int() as number,) if number >= 0:
            return number
        case _:
            raise BadCursor


def _is_key(value: object) -> bool:
    match value:
        case bool():
            return False
        case int():
            return _INTEGER_MIN <= value <= _INTEGER_MAX
        case _:
            return isinstance(value, str | float | None)


def fingerprint(query: ProductQuery) -> str:
    """Return a text that two queries share when they have the same answer, page by page."""
    # The repr of a dataclass takes as long as all the rest of a page.
    filters = sorted([f"{each.field!r} {each.operator} {each.values!r}" for each in query.filters])
    order = query.order
    return f"{query.text!r} {filters!r} {order.field!r} {order.descending}"


def _digest(asked: str, place: bytes) -> bytes:
    content = asked.encode() + b"\n" + place
    return blake2b(content, digest_size=_DIGEST_BYTES).digest()
