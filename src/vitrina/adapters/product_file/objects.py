"""What a JSON object of a product file means: native documents and those of other programs.

Members are named by the same synonyms as columns (:mod:`.headers`); a native document is the
wire form with unset members left out. Every other member is an attribute. An object in it that is
no measure is flattened: ``{"dimensions": {"width": 15}}`` is the attribute ``dimensions.width``,
down to three levels; a list of numbers is a list of texts. What an attribute cannot hold (lists of
objects, deeper objects) is left out with a warning; the file keeps it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Final
from unicodedata import normalize

from vitrina.adapters.product_file import cells, list_cells, money_cells
from vitrina.adapters.product_file.cells import DoubtfulCell, UnreadableCell
from vitrina.adapters.product_file.flat import MONEY_FIELDS, Fields
from vitrina.adapters.product_file.gtin import read_gtin
from vitrina.adapters.product_file.headers import (
    ATTRIBUTE_PREFIX,
    LOOSE_GTIN_NAMES,
    VERSION,
    attribute_field,
    fold_name,
    is_reserved,
    resolve,
    snake_case,
)
from vitrina.adapters.product_file.images import split_images
from vitrina.adapters.product_file.misread import MISREAD, is_misread, mend
from vitrina.adapters.product_file.model import Column, Severity
from vitrina.service_layer.documents import Json, WrittenFloat

FLATTENED_DEPTH_MAX: Final = 3

type MemberPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with one member; a warning leaves the row usable."""

    path: MemberPath
    value: Json
    code: str
    detail: str
    severity: Severity


@dataclass(slots=True)
class Reading:
    """What one object gives.

    Attributes:
        fields: Flat, see :mod:`.flat`; ``category`` is a path of names.
        slots: Flat field → the member that gives it.
        findings: What is wrong.
        assumed_currency: A price named no currency.
    """

    fields: Fields = field(default_factory=dict)
    slots: dict[str, MemberPath] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    assumed_currency: bool = False


def read_object(source: Mapping[str, Json], currency: str) -> Reading:
    """Return what *source* means; *currency* holds for prices that name none."""
    return _ObjectReader(source, currency).read()


class _ObjectReader:
    def __init__(self, source: Mapping[str, Json], currency: str) -> None:
        self._source = source
        self._columns = _columns(tuple(source))
        self._reading = Reading()
        named = next((c.header for c in self._columns if c.field == "currency"), None)
        stated = source.get(named) if named else None
        self._stated_currency = stated if isinstance(stated, str) else None
        self._currency = self._stated_currency or currency

    def read(self) -> Reading:
        for column in self._columns:
            name, value = column.header, self._source[column.header]
            if value is None or column.field == "currency":
                continue
            if name == "attributes" and isinstance(value, Mapping):
                for key, each in value.items():
                    self._attribute(_nfc(key), each, (name, key), native=True)
            elif column.field is None:
                self._unread(name, value)
            elif column.field.startswith(ATTRIBUTE_PREFIX):
                attribute = column.field.removeprefix(ATTRIBUTE_PREFIX)
                self._attribute(_nfc(attribute), value, (name,), native=False)
            elif column.field == "rating" and isinstance(value, Mapping):
                self._rating(name, value)
            else:
                self._known(column, value)
            if _has_misread(value):
                self._find((name,), value, MISREAD.code, MISREAD.detail, Severity.WARNING)
        return self._reading

    def _unread(self, name: str, value: Json) -> None:
        detail = "Another member gives the same, so this one is not read: rename or remove it."
        if is_reserved(name) or not name:
            detail = "Only the catalog sets this, so it is left as it is and not read."
        self._find((name,), value, "member_not_read", detail, Severity.WARNING)

    def _known(self, column: Column, value: Json) -> None:
        name = column.field or ""
        path = (column.header,)
        try:
            read = self._value(column, value)
        except DoubtfulCell as doubt:
            self._find(path, value, doubt.code, doubt.detail, Severity.WARNING)
            read = doubt.value
        except UnreadableCell as error:
            self._find(path, value, error.code, error.detail, Severity.ERROR)
            return
        self._reading.slots[name] = path
        if read is not None:
            self._reading.fields[name] = read

    def _value(self, column: Column, value: Json) -> Json:
        name = column.field or ""
        if name in MONEY_FIELDS:
            return self._money(value, column.currency)
        if name == "gtin":
            loose = fold_name(column.header) in LOOSE_GTIN_NAMES
            return read_gtin(_identifier(value), loose=loose)
        return _READERS.get(name, _text)(value)

    def _money(self, value: Json, named: str | None) -> Json:
        currency = named or self._currency
        match value:
            case bool():
                raise UnreadableCell("wrong_type", "Expected an amount such as 12.90.")
            case int() | float():
                money: Json = {"amount": _number_text(value), "currency": currency}
                bare = True
            case str():
                money = money_cells.read_money(value.strip(), currency)
                bare = not money_cells.names_currency(value.strip())
            case Mapping():
                amount = value.get("amount")
                bare = value.get("currency") is None
                number = isinstance(amount, int | float) and not isinstance(amount, bool)
                text = _number_text(amount) if number else amount
                money = {**value, "amount": text, "currency": value.get("currency") or currency}
            case _:
                raise UnreadableCell("wrong_type", "Expected an amount such as 12.90.")
        if bare and named is None and self._stated_currency is None:
            self._reading.assumed_currency = True
        return money

    def _rating(self, name: str, value: Mapping[str, Json]) -> None:
        for key, each in value.items():
            target = _RATING_MEMBERS.get(fold_name(key))
            if target is None:
                detail = "A rating has an average and a count; this is not read."
                self._find((name, key), each, "member_not_read", detail, Severity.WARNING)
            elif each is not None and target not in self._reading.slots:
                self._reading.slots[target] = (name, key)
                self._reading.fields[target] = each

    def _attribute(self, name: str, value: Json, path: MemberPath, *, native: bool) -> None:
        field = attribute_field(name)
        read: Json
        match value:
            case None:
                return
            case Mapping() if not _is_measure(value):
                if len(path) - native >= FLATTENED_DEPTH_MAX:
                    self._left_out(path, value)
                    return
                for key, each in value.items():
                    below = _nfc(key) if native else snake_case(key) or _nfc(key)
                    self._attribute(f"{name}.{below}", each, (*path, key), native=native)
                return
            case str():
                read = _nfc(value)
            case bool() | int() | float() | Mapping():
                read = value
            case _:
                if any(isinstance(each, Mapping | list) for each in value):
                    self._left_out(path, value)
                    return
                read = [_item_text(each) for each in value if each is not None]
        if field in self._reading.slots:
            detail = "Another member gives this attribute, so this one is not read."
            self._find(path, value, "member_not_read", detail, Severity.WARNING)
            return
        self._reading.slots[field] = path
        self._reading.fields[field] = read

    def _left_out(self, path: MemberPath, value: Json) -> None:
        detail = (
            "An attribute is a text, number, boolean, list of texts or measure, so this is left "
            "out of the product; the file keeps it."
        )
        self._find(path, value, "not_an_attribute", detail, Severity.WARNING)

    def _find(
        self, path: MemberPath, value: Json, code: str, detail: str, severity: Severity
    ) -> None:
        self._reading.findings.append(Finding(path, value, code, detail, severity))


_RATING_MEMBERS: Final = {
    "average": "rating",
    "rate": "rating",
    "value": "rating",
    "count": "rating_count",
}


@lru_cache(maxsize=4_096)
def _columns(names: tuple[str, ...]) -> tuple[Column, ...]:
    return resolve(names)


def _is_measure(value: Mapping[str, Json]) -> bool:
    number, unit = value.get("value"), value.get("unit")
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return len(value) == 2 and is_number and isinstance(unit, str)  # noqa: PLR2004 - value and unit


def _nfc(text: str) -> str:
    return text if text.isascii() else normalize("NFC", mend(text))


def _has_misread(value: Json) -> bool:
    match value:
        case str():
            return is_misread(value)
        case dict():
            return any(_has_misread(each) for each in value.values())
        case list():
            return any(_has_misread(each) for each in value)
        case _:
            return False


def _number_text(number: Json) -> str:
    """Return a number as the plain decimal it was written as."""
    text = number.text if isinstance(number, WrittenFloat) else str(number)
    return format(Decimal(text), "f") if "e" in text.lower() else text


def _item_text(item: Json) -> str:
    if isinstance(item, bool):
        return "true" if item else "false"
    return _nfc(item) if isinstance(item, str) else _number_text(item)


def _identifier(value: Json) -> str:
    if isinstance(value, str):
        return _nfc(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise UnreadableCell("wrong_type", "Expected a text; identifiers are texts, not numbers.")


def _text(value: Json) -> Json:
    return _nfc(value) if isinstance(value, str) else value


def _integer(value: Json) -> Json:
    return cells.read_integer(value.strip()) if isinstance(value, str) else value


def _number(value: Json) -> Json:
    return cells.read_number(value.strip()) if isinstance(value, str) else value


def _choice(field: str) -> Callable[[Json], Json]:
    read = cells.choice_reader(field)
    return lambda value: read(value) if isinstance(value, str) else value


def _path(value: Json) -> Json:
    if isinstance(value, str):
        return list_cells.read_path(value) or None
    if isinstance(value, Sequence) and all(isinstance(each, str) for each in value):
        return list_cells.check_path([_nfc(str(each)) for each in value]) or None
    detail = 'Expected a path of names such as \'A > B\' or ["A", "B"].'
    raise UnreadableCell("wrong_type", detail)


def _tags(value: Json) -> Json:
    if isinstance(value, str):
        return list(list_cells.read_tags(_nfc(value)))
    if not isinstance(value, list) or any(isinstance(each, Mapping | list) for each in value):
        raise UnreadableCell("wrong_type", "Expected a list of texts.")
    return [_item_text(each) for each in value if each is not None]


def _images(value: Json) -> Json:
    if isinstance(value, str):
        return split_images(list_cells.read_images(value))
    images: list[Json] = []
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str):
            images.append({"url": each, "alt": ""})
        elif isinstance(each, Mapping):
            url = each.get("url") or each.get("src")
            alt = each.get("alt") or each.get("alt_text") or each.get("altText") or ""
            images.append({"url": _text(url), "alt": _text(alt)})
        else:
            raise UnreadableCell("wrong_type", "Expected a list of URLs.")
    return split_images(images)


def _version(value: Json) -> Json:
    if isinstance(value, bool):
        raise DoubtfulCell("invalid_version", "A _version is a number such as 3.")
    return cells.read_version(str(value))


_READERS: Final[Mapping[str, Callable[[Json], Json]]] = {
    VERSION: _version,
    "id": _identifier,
    "sku": _identifier,
    "mpn": _identifier,
    "category": _path,
    "quantity": _integer,
    "rating": _number,
    "rating_count": _integer,
    "tags": _tags,
    "images": _images,
    **{name: _choice(name) for name in ("status", "condition", "availability")},
}
