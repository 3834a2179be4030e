"""What a header or a JSON member's name means: a field, an attribute, or nothing to be read.

Names are compared without case, spaces and punctuation: ``Compare-at price``, ``compare_at_price``
and ``CompareAtPrice`` are one. :data:`SYNONYMS` lists what each field answers to, the best name
first: where several columns would give one field, the best one does, and the others become
attributes. Every other name is an attribute: ``attributes.NAME`` and ``attr.NAME`` give the name
exactly, and anything else is turned into snake_case.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from vitrina.adapters.product_file.model import Column
from vitrina.domain.money import MINOR_DIGITS

ATTRIBUTE_PREFIX: Final = "attributes."

SYNONYMS: Final[Mapping[str, Sequence[str]]] = {
    "id": "id productid itemid".split(),
    "sku": (
        "sku variantsku productsku stockkeepingunit articlenumber articleno itemnumber itemno "
        "productnumber productcode"
    ).split(),
    "title": "title name productname producttitle itemname".split(),
    "slug": "slug handle urlhandle producthandle urlkey".split(),
    "description": "description body bodyhtml productdescription longdescription".split(),
    "status": "status productstatus".split(),
    "brand": "brand brandname vendor manufacturer".split(),
    "category": "category categorypath categories productcategory".split(),
    "category_id": "categoryid".split(),
    "condition": "condition itemcondition googleshoppingcondition".split(),
    "price": "price amount variantprice regularprice unitprice".split(),
    "list_price": (
        "listprice compareatprice variantcompareatprice compareprice rrp msrp originalprice"
    ).split(),
    "currency": "currency currencycode pricecurrency".split(),
    "quantity": (
        "quantity qty stock inventory currentstock stockquantity stocklevel inventoryquantity "
        "inventoryqty variantinventoryqty variantinventoryquantity"
    ).split(),
    "availability": "availability".split(),
    "gtin": "gtin gtin14 gtin13 gtin12 gtin8 ean ean13 upc barcode variantbarcode".split(),
    "mpn": "mpn manufacturerpartnumber modelnumber modelno partnumber googleshoppingmpn".split(),
    "images": (
        "images image imageurl imageurls imagelink imagesrc productimageurl picture".split()
    ),
    "tags": "tags tag producttags keywords".split(),
    "rating": "rating averagerating ratingaverage starrating".split(),
    "rating_count": (
        "ratingcount ratingscount reviewcount reviewscount numberofreviews numreviews"
    ).split(),
    "url": "url link producturl productlink".split(),
}
"""Field → the names it answers to, compared as :func:`fold_name` leaves them; best first."""

IGNORED: Final = frozenset({"createdat", "updatedat", "version"})
"""Names of what only the catalog sets: columns of these are not read."""

VERSION: Final = "_version"
"""The column, and the member, that makes a row hold for one version of its product only."""

LOOSE_GTIN_NAMES: Final = frozenset({"barcode", "variantbarcode"})
"""Names that do not promise a GTIN: what is none there is left out instead of refused."""

_RANKS: Final[Mapping[str, tuple[str, int]]] = {
    name: (field, rank) for field, names in SYNONYMS.items() for rank, name in enumerate(names)
}
_TRANSLATION: Final = re.compile(r"(title|description):[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_PRICED: Final = re.compile(r"(.+?)[\s_\[(-]+([A-Za-z]{3})[\])]?")
_ATTRIBUTE: Final = re.compile(r"(?:attributes|attr)\.(.+)", re.IGNORECASE | re.DOTALL)
_NOT_WORD: Final = re.compile(r"[\W_]+")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def fold_name(name: str) -> str:
    """Return *name* as names are compared: without case, spaces and punctuation."""
    return _NOT_WORD.sub("", name.casefold())


def snake_case(name: str) -> str:
    """Return *name* in snake_case: ``Screen Size (in)`` → ``screen_size_in``."""
    return _NOT_WORD.sub("_", _CAMEL.sub("_", name)).strip("_").lower()


def attribute_field(name: str) -> str:
    return ATTRIBUTE_PREFIX + name


def is_reserved(name: str) -> bool:
    """Say whether a column of this name is never read: the catalog's own, and translations."""
    if name == VERSION:
        return False
    return fold_name(name) in IGNORED or _TRANSLATION.fullmatch(name) is not None


def resolve(names: Sequence[str]) -> tuple[Column, ...]:
    """Return what each of *names*, which stand together in one header or object, gives.

    Two columns never give the same: of two names that mean the same attribute or are the same
    synonym, the second is not read (its ``field`` is None).
    """
    guesses = [_guess(name) for name in names]
    best: dict[str, tuple[int, int]] = {}
    for place, (column, rank) in enumerate(guesses):
        if rank is not None and column.field is not None:
            best[column.field] = min(best.get(column.field, (rank, place)), (rank, place))
    taken: set[str] = set()
    found: list[Column] = []
    for place, (guess, rank) in enumerate(guesses):
        column, field = guess, guess.field
        if rank is not None and field is not None and best[field][1] != place:
            same = fold_name(guess.header) == fold_name(names[best[field][1]])
            column = Column(guess.header, None if same else _attribute_of(guess.header))
        if column.field in taken:
            column = Column(guess.header, None)
        if column.field is not None:
            taken.add(column.field)
        found.append(column)
    return tuple(found)


def header_for(field: str, names: Sequence[str]) -> str:
    """Return the header for a new column of *field* beside the present *names*."""
    if not field.startswith(ATTRIBUTE_PREFIX):
        return field
    bare = field.removeprefix(ATTRIBUTE_PREFIX)
    return bare if resolve([*names, bare])[-1].field == field else field


def _guess(name: str) -> tuple[Column, int | None]:
    """Return what *name* gives on its own, and its rank among the names of that field."""
    if not name or is_reserved(name):
        return Column(name, None), None
    if name == VERSION:
        return Column(name, VERSION), None
    if exact := _ATTRIBUTE.fullmatch(name):
        return Column(name, attribute_field(exact[1])), None
    if known := _RANKS.get(fold_name(name)):
        return Column(name, known[0]), known[1]
    if priced := _PRICED.fullmatch(name):
        field, rank = _RANKS.get(fold_name(priced[1]), ("", 0))
        currency = priced[2].upper()
        if field in {"price", "list_price"} and currency in MINOR_DIGITS:
            return Column(name, field, currency), rank + 100
    return Column(name, _attribute_of(name)), None


def _attribute_of(name: str) -> str | None:
    snake = snake_case(name)
    return attribute_field(snake) if snake else None
