"""Identifiers: product and category ids, SKUs, slugs and GTINs. All are text, never numbers.

GTIN check digits follow the GS1 General Specifications, section 7.9.1.
"""

import re
import unicodedata
from hashlib import blake2b
from typing import Final

from vitrina.domain.errors import InvalidValue
from vitrina.domain.text import clean_text, fold

ID_LENGTH_MAX: Final = 128
SKU_LENGTH_MAX: Final = 128
SLUG_LENGTH_MAX: Final = 200

ID_PATTERN: Final = r"[A-Za-z0-9._~:\-]{1,128}"
SLUG_PATTERN: Final = r"[^\W_]+(?:-[^\W_]+)*"

RESERVED_PRODUCT_IDS: Final = frozenset({"bulk", "compare"})
"""``/v1/products/compare`` and its like are no products: nobody could read one of that id."""

_ID: Final = re.compile(ID_PATTERN, re.ASCII)
_SLUG: Final = re.compile(SLUG_PATTERN)
_NOT_IN_SLUG: Final = re.compile(r"[\W_]+")
_GTIN_LENGTHS: Final = frozenset({8, 12, 13, 14})


def parse_id(text: str) -> str:
    """Return *text* as an id: 1 to 128 of ``A-Z a-z 0-9 . _ ~ : -``, case-sensitive.

    Raises:
        InvalidValue: ``invalid_id``. ``.`` and ``..`` are refused too: a URL cannot hold them.
    """
    if not _ID.fullmatch(text) or text in {".", ".."}:
        raise InvalidValue(
            "invalid_id",
            f"An id is 1 to {ID_LENGTH_MAX} of the characters A-Z a-z 0-9 . _ ~ : - "
            "(and neither '.' nor '..').",
        )
    return text


def parse_product_id(text: str) -> str:
    """Return *text* as the id of a product: one that is not a word of the API's own paths.

    Raises:
        InvalidValue: ``invalid_id`` as in :func:`parse_id`, or ``reserved_id``.
    """
    if text in RESERVED_PRODUCT_IDS:
        raise InvalidValue(
            "reserved_id", f"{text!r} is a part of the API's own paths; choose another id."
        )
    return parse_id(text)


def parse_sku(text: str) -> str:
    """Return *text* as a SKU: 1 to 128 characters on one line.

    Raises:
        InvalidValue: ``too_short``, ``too_long``, ``control_character`` or ``invalid_sku``.
    """
    sku = clean_text(text, longest=SKU_LENGTH_MAX, shortest=1)
    if sku != sku.strip() or not sku.isprintable():
        raise InvalidValue("invalid_sku", "A SKU has no line breaks and no white space around it.")
    return sku


def parse_slug(text: str) -> str:
    """Return *text* as a slug: letters and digits of any script in groups joined by ``-``.

    Raises:
        InvalidValue: ``invalid_slug``.
    """
    slug = unicodedata.normalize("NFC", text)
    if not 1 <= len(slug) <= SLUG_LENGTH_MAX or not _SLUG.fullmatch(slug) or slug != slug.lower():
        raise InvalidValue(
            "invalid_slug",
            f"A slug is 1 to {SLUG_LENGTH_MAX} lower-case letters and digits, "
            "in groups joined by single hyphens.",
        )
    return slug


def slugify(title: str) -> str:
    """Return the slug that *title* suggests, or ``""`` when it holds no letter or digit.

    >>> slugify("Crème Brûlée, 4 Stück")
    'creme-brulee-4-stuck'
    """
    words = _NOT_IN_SLUG.sub("-", unicodedata.normalize("NFC", fold(title)).lower())
    return words.strip("-")[: SLUG_LENGTH_MAX - 16].rstrip("-")


def distinct_slug(slug: str, product_id: str) -> str:
    """Return *slug* made unique by a short digest of *product_id*.

    Deterministic, so that the same file yields the same slugs at every start.
    """
    suffix = blake2b(product_id.encode(), digest_size=5).hexdigest()
    return f"{slug}-{suffix}" if slug else suffix


def gtin_check_digit(digits: str) -> str:
    """Return the check digit for a GTIN whose other digits are *digits*.

    From the right, digits weigh 3, 1, 3, …; the check digit completes the sum to a multiple
    of ten (GS1 General Specifications, section 7.9.1).
    """
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(digits[::-1]))
    return str(-total % 10)


def parse_gtin(text: str) -> str:
    """Return *text* as a GTIN-8, -12, -13 or -14, in its original length.

    Raises:
        InvalidValue: ``invalid_gtin``: another length, not digits, or a wrong check digit.
    """
    if not (text.isascii() and text.isdigit()) or len(text) not in _GTIN_LENGTHS:
        raise InvalidValue("invalid_gtin", "A GTIN is 8, 12, 13 or 14 digits.")
    expected = gtin_check_digit(text[:-1])
    if text[-1] != expected:
        raise InvalidValue(
            "invalid_gtin", f"The check digit of {text} is {text[-1]}; it should be {expected}."
        )
    return text
