"""What an index keeps of a product: the values it is filtered, sorted and counted by.

Every value is reduced to what compares exactly and fast: prices to integers of a ten-thousandth of the
currency's unit (no currency has more than four digits), times to microseconds since 1970, numbers
to doubles, measures to their dimension and size in its base unit.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from vitrina.adapters import codec
from vitrina.domain.attributes import Measure
from vitrina.domain.text import fold
from vitrina.domain.units import comparable
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.ports import Stored
from vitrina.service_layer.queries import ATTRIBUTE_PREFIX
from vitrina.service_layer.times import parse_time

PRICE_SCALE: Final = 4
"""Digits after the decimal point that an indexed price keeps."""

_KEYWORDS: Final = (
    ("brand", "brand"),
    ("category", "category_id"),
    ("status", "status"),
    ("condition", "condition"),
    ("availability", "availability"),
    ("sku", "sku"),
    ("gtin", "gtin"),
)
"""Field → its name in a product's document."""

_WORD: Final = re.compile(r"[^\W_]+")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Measured(NamedTuple):
    """A measure, or a bare number, as it compares.

    Attributes:
        dimension: Such as ``length``; "" for a bare number.
        size: In the dimension's base unit.
        own: The number as it stands before the product's own unit.
        unit: That unit; "" for a bare number.
    """

    dimension: str
    size: float
    own: float
    unit: str

    @property
    def text(self) -> str:
        """The measure as it is written: ``55 in``."""
        return f"{plain(self.own)} {self.unit}".rstrip()


type Value = str | bool | int | float | Measured


def plain(number: float) -> int | float:
    """Return a double as JSON writes it best: an integer where it is one."""
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


@dataclass(frozen=True, slots=True)
class Row:
    """One product as an index sees it.

    Attributes:
        id: Of the product.
        title: Folded, as titles compare.
        values: Field (``brand``, …, ``attributes.NAME``) → its values; a field without a value is absent.
        title_words: The words of the title.
        words: The words of everything that is searched for words, but category names.
    """

    id: str
    title: str
    values: Mapping[str, tuple[Value, ...]]
    title_words: frozenset[str]
    words: frozenset[str]

    @classmethod
    def of(cls, stored: Stored) -> "Row":
        """Return the row of a stored product."""
        document = codec.load(stored.body)
        values = values_of(document)
        title = fold(str(document["title"]))
        everything = fold("\n".join(_texts(document, values)))
        titled = frozenset(words(title))
        return cls(stored.id, title, values, titled, titled | frozenset(words(everything)))


def words(folded: str) -> list[str]:
    """Return the words of a folded text: its runs of letters and digits."""
    return _WORD.findall(folded)


def scaled(amount: Decimal) -> Decimal:
    """Return an amount in the unit of indexed prices; exact up to 24 digits."""
    return amount.scaleb(PRICE_SCALE)


def microseconds(time: datetime) -> int:
    """Return a time as microseconds since 1970."""
    return (time - _EPOCH) // _MICROSECOND


def values_of(document: Document) -> dict[str, tuple[Value, ...]]:
    """Return the fields of a product that have values, as :class:`Row` has them."""
    values: dict[str, tuple[Value, ...]] = {
        name: (value,) for name, value in single_values(document).items()
    }
    if tags := tags_of(document):
        values["tag"] = tags
    for name, each in attributes_of(document).items():
        values[ATTRIBUTE_PREFIX + name] = each
    return values


def single_values(document: Document) -> dict[str, str | int | float]:
    """Return the fields of a product that have one value each, and have it."""
    values: dict[str, str | int | float] = {
        field: value for field, name in _KEYWORDS if isinstance(value := document[name], str)
    }
    price, rating, quantity = document["price"], document["rating"], document["quantity"]
    if isinstance(price, dict):
        values["price"] = _read_amount(price["amount"])
    if isinstance(quantity, int):
        values["quantity"] = quantity
    if isinstance(rating, dict):
        values["rating"] = float(rating["average"])
    for name in ("created_at", "updated_at"):
        if isinstance(time := document[name], str):
            values[name] = _read_time(time)
    return values


def tags_of(document: Document) -> tuple[str, ...]:
    """Return the tags of a product, each once."""
    tags = document["tags"]
    return tuple(dict.fromkeys(_strings(tags))) if tags else ()


def attributes_of(document: Document) -> dict[str, tuple[Value, ...]]:
    """Return the attributes of a product that have values: name → the values, each once."""
    attributes = document["attributes"]
    if not isinstance(attributes, dict):
        return {}
    return {name: values for name, each in attributes.items() if (values := _attribute(each))}


# Catalogs are full of equal measures, and products imported together have one time.
@lru_cache(65_536)
def _read_measure(number: float, unit: str) -> Measured:
    return Measured(*comparable(Measure(number, unit)), number, unit)


@lru_cache(65_536)
def _read_amount(text: str) -> int:
    return int(scaled(Decimal(text)))


@lru_cache(4_096)
def _read_time(text: str) -> int:
    return microseconds(parse_time(text))


def _attribute(value: Json) -> tuple[Value, ...]:
    # What most are comes first, and one class is looked for sooner than a union of several.
    if isinstance(value, str):
        return (value,)
    if isinstance(value, dict):
        return (_read_measure(float(value["value"]), value["unit"]),)
    if isinstance(value, bool):
        return (value,)
    if isinstance(value, int | float):
        return (Measured("", float(value), float(value), ""),)
    return tuple(dict.fromkeys(_strings(value)))


def _texts(document: Document, values: Mapping[str, tuple[Value, ...]]) -> Iterator[str]:
    for name in ("brand", "description", "sku", "gtin", "mpn"):
        value = document[name]
        if isinstance(value, str):
            yield value
    yield from _strings(document["tags"])
    for name, each in values.items():
        if name.startswith(ATTRIBUTE_PREFIX):
            for part in each:
                match part:
                    case str():
                        yield part
                    case Measured():
                        yield part.text
                    case _:
                        pass  # That something is true is no word to find it by.


def _strings(value: Json) -> Iterable[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else ()
