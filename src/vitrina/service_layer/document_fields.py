"""Typed values out of one document, and everything that is wrong with it, each with its JSON Pointer (RFC 6901)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from vitrina.domain.attributes import AttributeValue, Measure
from vitrina.domain.errors import Fault, InvalidValue
from vitrina.domain.money import Money
from vitrina.domain.pointers import format_pointer
from vitrina.domain.product import Image, Rating
from vitrina.service_layer.documents import Json, WrittenFloat
from vitrina.service_layer.times import parse_time

_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "price": ("amount", "currency"),
    "list_price": ("amount", "currency"),
    "rating": ("average", "count"),
}
"""The members of the fields that are objects."""

_MEASURE_MEMBERS: Final = ("value", "unit")


def kind_of(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case Mapping():
            return "an object"
        case _:
            return "an array"


class FieldReader:
    """Takes typed values out of one document and collects what is wrong with it.

    A field of the wrong type leaves a fault, and is read as if it were not there.

    Attributes:
        faults: What was found so far.
    """

    def __init__(self, document: Mapping[str, Json]) -> None:
        self._document = document
        self.faults: list[Fault] = []

    def fault(self, name: str, code: str, detail: str, *, below: str = "") -> None:
        self.faults.append(Fault(format_pointer((name,)) + below, code, detail))

    def knows(self, pointer: str) -> bool:
        """Say whether a fault is known at *pointer*, above it or below it."""
        return any(
            f"{pointer}/".startswith(f"{each.pointer}/")
            or f"{each.pointer}/".startswith(f"{pointer}/")
            for each in self.faults
        )

    def refuse_unknown(self, known: Sequence[str]) -> None:
        for name in self._document:
            if name not in known:
                listed = ", ".join(known)
                self.fault(name, "unknown_field", f"There is no such field. Known: {listed}.")

    def refuse_unknown_members(self) -> None:
        for name, members in _MEMBERS.items():
            if isinstance(value := self._document.get(name), Mapping):
                self._unknown_members(name, value, members)
        if isinstance(attributes := self._document.get("attributes"), Mapping):
            for key, value in attributes.items():
                if isinstance(value, Mapping):
                    at = format_pointer((key,))
                    self._unknown_members("attributes", value, _MEASURE_MEMBERS, below=at)

    def required(self, name: str, read: Callable[[str], str | None]) -> str:
        known = len(self.faults)
        value = read(name)
        if value is not None:
            return value
        if len(self.faults) == known:
            self.fault(name, "required", "This field is required.")
        return "-"  # Harmless: the fault above already refuses the document.

    def text(self, name: str) -> str | None:
        value = self._document.get(name)
        if value is None or isinstance(value, str):
            return value
        self._wrong(name, "a string", value)
        return None

    def choice[E: StrEnum](self, name: str, choices: type[E]) -> E | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            return choices(value)
        except ValueError:
            listed = ", ".join(choices)
            self.fault(name, "unknown_choice", f"{value[:40]!r} is not one of: {listed}.")
            return None

    def integer(self, name: str) -> int | None:
        return self._integer(self._document.get(name), name)

    def time(self, name: str) -> datetime | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            return parse_time(value)
        except InvalidValue as error:
            self.faults.append(error.at(f"/{name}"))
            return None

    def money(self, name: str) -> Money | None:
        value = self._object(name, _MEMBERS[name])
        if value is None:
            return None
        amount, currency = value.get("amount"), value.get("currency")
        if isinstance(amount, (int, float)) and not isinstance(amount, bool):
            amount = _amount_text(amount)
        whole = True
        for part, given in (("amount", amount), ("currency", currency)):
            if given is None:
                self.fault(name, "required", "This field is required.", below=f"/{part}")
            elif not isinstance(given, str):
                expected = "a decimal string" if part == "amount" else "a string"
                self._wrong(name, expected, given, below=f"/{part}")
            else:
                continue
            whole = False
        if not whole:
            return None
        try:
            return Money.parse(str(amount), str(currency))
        except InvalidValue as error:
            part = "currency" if error.rule == "unknown_currency" else "amount"
            self.faults.append(error.at(f"/{name}/{part}"))
            return None

    def images(self, name: str) -> tuple[Image, ...]:
        images: list[Image] = []
        for place, value in enumerate(self._array(name)):
            at = f"/{place}"
            if not isinstance(value, Mapping):
                self._wrong(name, "an object with a url", value, below=at)
                continue
            self._unknown_members(name, value, ("url", "alt"), below=at)
            url, alt = value.get("url"), value.get("alt")
            if not isinstance(url, str):
                code = "required" if url is None else "wrong_type"
                self.fault(name, code, "An image needs a URL as a string.", below=f"{at}/url")
            elif not isinstance(alt, str | None):
                self._wrong(name, "a string", alt, below=f"{at}/alt")
            else:
                images.append(Image(url, alt or ""))
        return tuple(images)

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self._texts(self._array(name), name))

    def attributes(self, name: str) -> dict[str, AttributeValue]:
        attributes: dict[str, AttributeValue] = {}
        value = self._object(name, None)
        for key, each in (value or {}).items():
            read = self._attribute(each, name, format_pointer((key,)))
            if read is not None:
                attributes[key] = read
        return attributes

    def rating(self, name: str) -> Rating | None:
        value = self._object(name, _MEMBERS[name])
        if value is None:
            return None
        average = value.get("average")
        count = self._integer(value.get("count"), name, below="/count")
        if average is None or value.get("count") is None:
            missing = "average" if average is None else "count"
            self.fault(name, "required", "This field is required.", below=f"/{missing}")
            return None
        if isinstance(average, bool) or not isinstance(average, (int, float)):
            self._wrong(name, "a number", average, below="/average")
            return None
        plain = float(average) if isinstance(average, float) else average
        return None if count is None else Rating(plain, count)

    def _attribute(self, value: Json, name: str, at: str) -> AttributeValue | None:
        match value:
            case None:
                return None
            case bool() | str() | int() | float():
                return value
            case Mapping():
                self._unknown_members(name, value, _MEASURE_MEMBERS, below=at)
                number, unit = value.get("value"), value.get("unit")
                if isinstance(number, bool) or not isinstance(number, (int, float)):
                    self._wrong(name, "a number", number, below=f"{at}/value")
                elif not isinstance(unit, str):
                    self._wrong(name, "a string", unit, below=f"{at}/unit")
                else:
                    return Measure(number, unit)
                return None
            case _:
                return tuple(self._texts(value, name, below=at))

    def _array(self, name: str) -> Sequence[Json]:
        value = self._document.get(name)
        if value is None:
            return ()
        if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
            self._wrong(name, "an array", value)
            return ()
        return value

    def _object(self, name: str, known: Sequence[str] | None) -> Mapping[str, Json] | None:
        value = self._document.get(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self._wrong(name, "an object", value)
            return None
        if known is not None:
            self._unknown_members(name, value, known)
        return value

    def _texts(self, values: Sequence[Json], name: str, *, below: str = "") -> Iterable[str]:
        for place, value in enumerate(values):
            if isinstance(value, str):
                yield value
            else:
                self._wrong(name, "a string", value, below=f"{below}/{place}")

    def _integer(self, value: Json, name: str, *, below: str = "") -> int | None:
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            return int(value)  # 5.0 is the integer 5 to JSON, which has one kind of number.
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong(name, "an integer", value, below=below)
            return None
        return value

    def _unknown_members(
        self, name: str, value: Mapping[str, Json], known: Sequence[str], *, below: str = ""
    ) -> None:
        for member in value:
            if member not in known:
                detail = f"There is no such field. Known: {', '.join(known)}."
                self.fault(name, "unknown_field", detail, below=below + format_pointer((member,)))

    def _wrong(self, name: str, expected: str, value: Json, *, below: str = "") -> None:
        code = "required" if value is None else "wrong_type"
        self.fault(name, code, f"Expected {expected}, not {kind_of(value)}.", below=below)


def _amount_text(number: float) -> str:
    """Return a number as plain decimal text, digit for digit as it was written."""
    text = number.text if isinstance(number, WrittenFloat) else repr(number)
    if "e" not in text.lower():
        return text
    mantissa, _, exponent = text.lower().partition("e")
    return _shift(mantissa, int(exponent))


def _shift(mantissa: str, places: int) -> str:
    """Return *mantissa* with its decimal point moved right, without an exponent."""
    if abs(places) > 40:  # noqa: PLR2004 - far beyond any amount: let the amount's rule refuse it
        return f"{mantissa}e{places}"
    sign = "-" if mantissa.startswith("-") else ""
    units, _, fraction = mantissa.removeprefix("-").partition(".")
    digits = units + fraction
    point = len(units) + places
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    digits = digits.ljust(point, "0")
    whole, rest = digits[:point].lstrip("0") or "0", digits[point:]
    return f"{sign}{whole}.{rest}" if rest else f"{sign}{whole}"
