"""Products and categories as documents: the one form that is stored, sent, and read.

A *document* is what a JSON parser yields. Every document of a product that the catalog writes has
every field, in the order of :data:`PRODUCT_FIELDS`: ``null`` is "not set". Reading is strict: an
unknown field is refused, and all faults are found at once, each with its JSON Pointer (RFC 6901).
On reading, absent and ``null`` mean the same (which RFC 7396 needs).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, NoReturn, Self

from vitrina.domain.attributes import AttributeValue, Measure
from vitrina.domain.category import Category
from vitrina.domain.errors import Fault, InvalidDocument, InvalidValue
from vitrina.domain.money import Money
from vitrina.domain.pointers import format_pointer
from vitrina.domain.product import Availability, Condition, Image, Product, Rating, Status

type Json = bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None
type Document = dict[str, Json]

PRODUCT_FIELDS: Final = (
    "id",
    "sku",
    "title",
    "slug",
    "description",
    "status",
    "brand",
    "category_id",
    "condition",
    "price",
    "list_price",
    "quantity",
    "availability",
    "gtin",
    "mpn",
    "images",
    "attributes",
    "tags",
    "rating",
    "url",
    "created_at",
    "updated_at",
    "version",
)
"""The fields of a product's document, in the order they are written."""

READ_ONLY_FIELDS: Final = frozenset({"created_at", "updated_at", "version"})
"""Fields that only the catalog sets; a caller may repeat their present value."""

CATEGORY_FIELDS: Final = ("id", "name", "parent_id", "path", "product_count", "version")
"""The fields of a category's document, in the order they are written."""

_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "price": ("amount", "currency"),
    "list_price": ("amount", "currency"),
    "rating": ("average", "count"),
}
"""The members of the fields that are objects."""

_MEASURE_MEMBERS: Final = ("value", "unit")

_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)


class WrittenFloat(float):
    """A number that remembers how it was written, so that money read from it stays exact."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Return the double nearest to *text*, with *text* kept beside it."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def format_time(time: datetime) -> str:
    """Return *time* as RFC 3339 in UTC with microseconds: ``2026-01-31T12:00:00.000000Z``."""
    utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    return utc.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 time with any offset.

    Raises:
        InvalidValue: ``invalid_time``.
    """
    if _TIME.fullmatch(text):
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # A day or hour out of range: the same answer as for a wrong form.
    raise InvalidValue("invalid_time", "A time looks like 2026-01-31T12:00:00Z (RFC 3339).")


def write_product(product: Product) -> Document:
    """Return the document of a saved product."""
    return {
        "id": product.id,
        "sku": product.sku,
        "title": product.title,
        "slug": product.slug,
        "description": product.description,
        "status": product.status.value,
        "brand": product.brand,
        "category_id": product.category_id,
        "condition": product.condition.value,
        "price": _write_money(product.price),
        "list_price": _write_money(product.list_price),
        "quantity": product.quantity,
        "availability": product.effective_availability.value,
        "gtin": product.gtin,
        "mpn": product.mpn,
        "images": [{"url": image.url, "alt": image.alt} for image in product.images],
        "attributes": {name: _write_value(each) for name, each in product.attributes.items()},
        "tags": list(product.tags),
        "rating": _write_rating(product.rating),
        "url": product.url,
        "created_at": _write_time(product.created_at),
        "updated_at": _write_time(product.updated_at),
        "version": product.version,
    }


def _write_money(money: Money | None) -> Json:
    return None if money is None else {"amount": money.text, "currency": money.currency}


def _write_rating(rating: Rating | None) -> Json:
    return None if rating is None else {"average": rating.average, "count": rating.count}


def _write_time(time: datetime | None) -> Json:
    return None if time is None else format_time(time)


def _write_value(value: AttributeValue) -> Json:
    match value:
        case Measure():
            return {"value": value.value, "unit": value.unit}
        case tuple():
            return list(value)
        case _:
            return value


def read_product(document: Json, *, product_id: str | None = None) -> Product:
    """Return the product that *document* describes.

    The read-only fields are taken as they stand, if they are well formed: comparing them with
    the present ones is the caller's part.

    Args:
        document: As a JSON parser yields it.
        product_id: The id from elsewhere (the URL, or a new one); the document may repeat it.

    Raises:
        InvalidDocument: With every fault found.
    """
    if not isinstance(document, Mapping):
        _refuse("", "wrong_type", f"A product is a JSON object, not {_kind(document)}.")
    reader = _Reader(document)
    reader.refuse_unknown(PRODUCT_FIELDS)
    if product_id is not None:
        stated = reader.text("id")
        if stated not in {None, product_id}:
            reader.fault("id", "id_mismatch", f"The id is {product_id!r} here; it never changes.")
    else:
        product_id = reader.required("id", reader.text)
    # Values of the wrong type were replaced by harmless ones, so that the product's own rules
    # can be checked in the same go and the caller sees every fault at once.
    try:
        product = Product(
            id=product_id,
            title=reader.required("title", reader.text),
            sku=reader.text("sku"),
            slug=reader.text("slug"),
            description=reader.text("description"),
            status=reader.choice("status", Status) or Status.ACTIVE,
            brand=reader.text("brand"),
            category_id=reader.text("category_id"),
            condition=reader.choice("condition", Condition) or Condition.NEW,
            price=reader.money("price"),
            list_price=reader.money("list_price"),
            quantity=reader.integer("quantity"),
            availability=reader.choice("availability", Availability),
            gtin=reader.text("gtin"),
            mpn=reader.text("mpn"),
            images=reader.images("images"),
            attributes=reader.attributes("attributes"),
            tags=reader.texts("tags"),
            rating=reader.rating("rating"),
            url=reader.text("url"),
            created_at=reader.time("created_at"),
            updated_at=reader.time("updated_at"),
            version=reader.integer("version") or 0,
        )
    except InvalidDocument as error:
        reader.faults.extend(each for each in error.faults if not reader.knows(each.pointer))
        raise InvalidDocument(tuple(reader.faults)) from None
    if reader.faults:
        raise InvalidDocument(tuple(reader.faults))
    return product


def check_merge_patch(patch: Mapping[str, Json], known: Sequence[str]) -> None:
    """Refuse an RFC 7396 merge patch that names a field or a member that does not exist.

    Whoever reads the patched document would find the others, but not those that are ``null`` in the
    patch: merging takes them away, and nobody would be told.

    Raises:
        InvalidDocument: With every such name.
    """
    reader = _Reader(patch)
    reader.refuse_unknown(known)
    reader.refuse_unknown_members()
    if reader.faults:
        raise InvalidDocument(tuple(reader.faults))


def write_category(category: Category, *, path: Iterable[str], product_count: int) -> Document:
    """Return the document of a category; *product_count* is that of its whole subtree."""
    return {
        "id": category.id,
        "name": category.name,
        "parent_id": category.parent_id,
        "path": list(path),
        "product_count": product_count,
        "version": category.version,
    }


def read_category(document: Json, *, category_id: str) -> Category:
    """Return the category that *document* describes.

    ``path``, ``product_count`` and ``version`` are derived: they may be sent back, and are not
    looked at.

    Raises:
        InvalidDocument: With every fault found.
    """
    if not isinstance(document, Mapping):
        _refuse("", "wrong_type", f"A category is a JSON object, not {_kind(document)}.")
    reader = _Reader(document)
    reader.refuse_unknown(CATEGORY_FIELDS)
    if reader.text("id") not in {None, category_id}:
        reader.fault("id", "id_mismatch", f"The id is {category_id!r} here; it never changes.")
    name = reader.required("name", reader.text)
    parent_id = reader.text("parent_id")
    try:
        category = Category(id=category_id, name=name, parent_id=parent_id)
    except InvalidDocument as error:
        reader.faults.extend(each for each in error.faults if not reader.knows(each.pointer))
        raise InvalidDocument(tuple(reader.faults)) from None
    if reader.faults:
        raise InvalidDocument(tuple(reader.faults))
    return category


def _refuse(pointer: str, code: str, detail: str) -> NoReturn:
    raise InvalidDocument((Fault(pointer, code, detail),))


def _kind(value: Json) -> str:
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


class _Reader:
    """Takes typed values out of one document and collects what is wrong with it."""

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
        self.fault(name, code, f"Expected {expected}, not {_kind(value)}.", below=below)


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
