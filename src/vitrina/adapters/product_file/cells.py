r"""What the text of one cell means, and how a value is written so that it is read back the same.

===========  =======================================================================================
text         as it stands
identifier   as it stands, never a number; ``4.00638E+12`` is refused as a spreadsheet's damage
money        ``12.90`` (in the row's currency), ``12.90 EUR``, ``€12.90``, ``1,299.90 USD``, ``12,90``
integer      digits; ``5.0`` counts as 5
number       a JSON number; ``4,5`` counts as 4.5
choice       a word without regard to case, spaces, hyphens: ``In stock`` is ``in_stock``
list         items separated by ``|``; a ``|`` at the end is allowed, and ``red|`` is a list of one;
             in an item ``\`` makes the character after it literal, and ``\e`` alone is the empty
             item; tags may be separated by commas
images       a list of URLs; after a URL may follow a space and the picture's text
path         names separated by ``>``; ``\>`` is a ``>`` in a name
attribute    ``true``/``false``, a number, ``55 in`` (a number and a known unit), a list when it
             has a ``|``, a measure as JSON ``{"value": 3, "unit": "blocks"}``, else text
===========  =======================================================================================

An apostrophe in front makes the rest plain text where the rest alone would be read as something
else: ``'0123`` and ``'true`` are texts, and so is ``'`` alone, the empty one; ``'Twas`` needs none
and keeps its own. Writing checks itself by reading what it wrote.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from vitrina.adapters.product_file.units import UNITS
from vitrina.domain.attributes import INTEGER_MAX
from vitrina.domain.category import DEPTH_MAX, NAME_LENGTH_MAX
from vitrina.domain.errors import InvalidValue
from vitrina.domain.money import MINOR_DIGITS
from vitrina.domain.product import Availability, Condition, Status
from vitrina.domain.text import clean_text
from vitrina.service_layer.documents import Document, Json


class UnreadableCell(Exception):
    """A cell is not what its column says.

    Attributes:
        code: The broken rule.
        detail: What is wrong and what to do.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class DoubtfulCell(UnreadableCell):
    """A cell is readable only in part, or with a repair; the row is kept.

    Attributes:
        value: What was made of it; None leaves the field out.
    """

    def __init__(self, code: str, detail: str, *, value: Json = None) -> None:
        super().__init__(code, detail)
        self.value = value


DIGITS_SAFE: Final = 15
"""How many significant digits every IEEE 754 double keeps."""

_SCIENTIFIC: Final = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{1,3}")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE][+-]?[0-9]{1,3})?")
_MEASURE: Final = re.compile(r"(-?[0-9][0-9.eE+-]*) (\S.*)")
_UNESCAPED_BAR: Final = re.compile(r"(?:[^\\|]++|\\.)*+\|", re.DOTALL)
_BETWEEN_BARS: Final = re.compile(r"((?:[^\\|]++|\\.|\\\Z)*+)(?:\||\Z)", re.DOTALL)
_BETWEEN_ANGLES: Final = re.compile(r"((?:[^\\>]++|\\.|\\\Z)*+)(?:>|\Z)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_EMPTY_ITEM: Final = "\\e"
_IMAGE: Final = re.compile(r"(\S+)(?:\s+(.+))?", re.DOTALL)
_URLS: Final = re.compile(r",\s+(?=https?://)", re.IGNORECASE)
_BOOLEANS: Final[Mapping[str, bool]] = {"true": True, "false": False}


# --- text and identifiers


def read_text(cell: str) -> str:
    return cell


def read_long_text(cell: str) -> str:
    """Read text that may be empty: an apostrophe alone."""
    return _plain(cell, _is_empty)


def read_identifier(cell: str) -> str:
    """Read an identifier; digits are kept as they are, leading zeros included.

    Raises:
        UnreadableCell: ``scientific_notation``.
    """
    text = _plain(cell, _looks_like_number)
    if text is cell and _SCIENTIFIC.fullmatch(cell):
        raise UnreadableCell(
            "scientific_notation",
            "A spreadsheet turned this identifier into a rounded number; its last digits are "
            "lost. Format the column as text and enter the identifier again.",
        )
    return text


def _plain(cell: str, is_special: Callable[[str], bool]) -> str:
    """Return *cell* without the apostrophe that marks the rest as plain text, if it is one."""
    return cell[1:] if cell[:1] == "'" and _is_marked(cell[1:], is_special) else cell


def _is_marked(rest: str, is_special: Callable[[str], bool]) -> bool:
    while not is_special(rest):
        if rest[:1] != "'":
            return False
        rest = rest[1:]
    return True


def _is_empty(text: str) -> bool:
    return not text


def _looks_like_number(text: str) -> bool:
    return (text.isascii() and text.isdigit()) or _SCIENTIFIC.fullmatch(text) is not None


# --- counts, numbers, choices


def read_integer(cell: str) -> int:
    """Read a whole number.

    Raises:
        UnreadableCell: ``not_an_integer``.
    """
    units, point, fraction = cell.partition(".")
    if units.removeprefix("-").isascii() and units.removeprefix("-").isdigit():
        whole = not point or (fraction.isascii() and fraction.isdigit() and not fraction.strip("0"))
        if whole and len(units) <= len(str(INTEGER_MAX)) + 1:
            return int(units)
    raise UnreadableCell(
        "not_an_integer", "Expected a whole number such as 12, without separators."
    )


def read_version(cell: str) -> int:
    """Read the version of a product that a row holds for.

    Raises:
        DoubtfulCell: ``invalid_version``; the row then holds for any version.
    """
    if cell.isascii() and cell.isdigit() and 0 < len(cell) <= DIGITS_SAFE:
        return int(cell)
    raise DoubtfulCell(
        "invalid_version",
        "A _version is a number such as 3, as the service wrote it. The row is read as if it had "
        "none; it gets the right one when its product changes.",
    )


def read_number(cell: str) -> int | float:
    """Read a number; one decimal comma is understood.

    Raises:
        UnreadableCell: ``not_a_number``.
    """
    text = cell.replace(",", ".") if cell.count(",") == 1 and "." not in cell else cell
    number = _number(text)
    if number is None:
        raise UnreadableCell("not_a_number", "Expected a number such as 4.5.")
    return number


def write_number(value: float) -> str:
    """Write a number; an integer stays one, and a float keeps its point."""
    return str(value) if type(value) is int else repr(float(value))


def _number(text: str) -> int | float | None:
    """Return the number that *text* is beyond doubt: every digit of it survives, or it is None."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    if text.removeprefix("-").isdigit():
        number = int(text) if len(text) <= len(str(INTEGER_MAX)) + 1 else INTEGER_MAX + 1
        return number if abs(number) <= INTEGER_MAX else None
    double = float(text)
    if not math.isfinite(double):
        return None
    mantissa = re.split("[eE]", text)[0]
    significant = mantissa.replace("-", "").replace(".", "").lstrip("0")
    return double if len(significant) <= DIGITS_SAFE or repr(double) == text else None


_CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "status": {each: each for each in Status} | {"published": "active", "unpublished": "draft"},
    "condition": {each: each for each in Condition}
    | {f"{each}condition": each for each in Condition},
    "availability": {each.replace("_", ""): each for each in Availability},
}
_NOT_LETTER: Final = re.compile(r"[\W_]+")


def choice_reader(field: str) -> Callable[[str], str]:
    """Return the reader of a field of fixed words; unknown words are kept, to be refused later."""
    choices = _CHOICES[field]

    def read(cell: str) -> str:
        word = cell.casefold()
        word = word.removeprefix("https://schema.org/").removeprefix("http://schema.org/")
        return choices.get(_NOT_LETTER.sub("", word), cell)

    return read


# --- lists


def read_list(cell: str) -> list[str]:
    r"""Read items separated by ``|``; empty ones do not count."""
    return ["" if item == _EMPTY_ITEM else _unescape(item) for item in _items(cell, _BETWEEN_BARS)]


def write_list(items: Sequence[str]) -> str:
    r"""Write items separated by ``|``; a lone one, or none, gets a ``|`` at the end."""
    return "|".join(map(_escape, items)) + ("|" if len(items) <= 1 else "")


def read_tags(cell: str) -> list[str]:
    """Read tags separated by ``|``, or, where there is none, by commas."""
    if _UNESCAPED_BAR.match(cell):
        return read_list(cell)
    return [tag for each in cell.split(",") if (tag := each.strip())]


def write_tags(tags: Sequence[str]) -> str:
    alone = tags[0] if len(tags) == 1 else ""
    return alone if alone and read_tags(alone) == [alone] else write_list(tags)


def read_images(cell: str) -> list[Json]:
    """Read pictures: URLs separated by ``|``, or by a comma and a space; see the module."""
    if not _UNESCAPED_BAR.match(cell):
        cell = _URLS.sub("|", cell)
    found = (_IMAGE.fullmatch(item) for item in _items(cell, _BETWEEN_BARS))
    return [{"url": _unescape(m[1]), "alt": _unescape(m[2] or "")} for m in found if m]


def write_images(images: Sequence[Json]) -> str:
    parts: list[str] = []
    for image in images:
        if isinstance(image, Mapping):
            url, alt = _escape(str(image.get("url", ""))), str(image.get("alt") or "")
            parts.append(f"{url} {_escape(alt)}" if alt else url)
    text = "|".join(parts)
    return text if read_images(text) == list(images) else f"{text}|"


def read_path(cell: str) -> tuple[str, ...]:
    r"""Read a category's path: names separated by ``>``.

    Raises:
        UnreadableCell: ``too_deep``, or a name breaks a rule of names.
    """
    return check_path([_unescape(name) for name in _items(cell, _BETWEEN_ANGLES)])


def check_path(names: Sequence[str]) -> tuple[str, ...]:
    """Return *names* as a path of categories.

    Raises:
        UnreadableCell: ``too_deep``, or a name breaks a rule of names.
    """
    if len(names) > DEPTH_MAX:
        raise UnreadableCell("too_deep", f"A path of categories has at most {DEPTH_MAX} names.")
    try:
        return tuple(clean_text(name, longest=NAME_LENGTH_MAX, shortest=1) for name in names)
    except InvalidValue as error:
        raise UnreadableCell(error.rule, f"A category's name: {error.detail}") from None


def write_path(names: Iterable[str]) -> str:
    return " > ".join(_escape(name).replace(">", "\\>") for name in names)


def _items(cell: str, between: re.Pattern[str]) -> Iterator[str]:
    """Yield what stands between separators, trimmed and still escaped; nothing is left out."""
    for match in between.finditer(cell):
        escaped = match[1].lstrip()
        item = escaped.rstrip()
        if (len(item) - len(item.rstrip("\\"))) % 2 and len(escaped) > len(item):
            item += escaped[len(item)]  # A backslash makes this white space part of the item.
        if item:
            yield item


def _unescape(item: str) -> str:
    return _ESCAPED.sub(r"\1", item)


def _escape(item: str) -> str:
    if not item:
        return _EMPTY_ITEM
    text = item.replace("\\", "\\\\").replace("|", "\\|")
    if len(item) > 1 and item[-1].isspace():
        text = f"{text[:-1]}\\{item[-1]}"
    return f"\\{text}" if item[0] == "'" or item[0].isspace() else text


# --- attributes


def read_attribute(cell: str) -> Json:
    """Read an attribute's value; every text means something, so nothing is refused."""
    text = _plain(cell, _is_special)
    return text if text is not cell else _read_typed(cell)


def write_attribute(value: Json) -> str:
    """Write an attribute's value so that it is read back the same."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value if value and read_attribute(value) == value else f"'{value}"
        case int() | float():
            return write_number(value)
        case Mapping():
            return _write_measure(value)
        case _:
            text = write_list([str(item) for item in value or ()])
            return text if isinstance(read_attribute(text), list) else f"\\{text}"


def _is_special(text: str) -> bool:
    return not text or _looks_like_number(text) or _read_typed(text) != text


def _read_typed(cell: str) -> Json:
    if (truth := _BOOLEANS.get(cell.lower())) is not None:
        return truth
    first = cell[:1]
    if (first.isdigit() or first == "-") and cell.isprintable():
        number = _number(cell)
        if number is not None:
            return number
        if (match := _MEASURE.fullmatch(cell)) and match[2] in UNITS:
            value = _number(match[1])
            if value is not None:
                return {"value": value, "unit": match[2]}
    if first == "{" and (measure := _json_measure(cell)):
        return measure
    if "|" in cell and _UNESCAPED_BAR.match(cell):
        return list(read_list(cell))
    return cell


def _json_measure(cell: str) -> Document | None:
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        return None
    match value:
        case {"value": int() | float() as number, "unit": str() as unit, **rest}:
            known = not rest and not isinstance(number, bool) and math.isfinite(number)
            return {"value": number, "unit": unit} if known else None
        case _:
            return None


def _write_measure(measure: Mapping[str, Json]) -> str:
    text = f"{write_attribute(measure.get('value'))} {measure.get('unit')}"
    if read_attribute(text) == measure:
        return text
    number = write_attribute(measure.get("value"))
    return f'{{"value": {number}, "unit": {json.dumps(measure.get("unit"), ensure_ascii=False)}}}'


# --- money

_SYMBOLS: Final[Mapping[str, str]] = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₫": "VND",
    "₪": "ILS", "₱": "PHP", "₦": "NGN", "R$": "BRL", "zł": "PLN", "Kč": "CZK", "US$": "USD",
    "CA$": "CAD", "C$": "CAD", "A$": "AUD", "AU$": "AUD", "NZ$": "NZD", "HK$": "HKD",
}  # fmt: skip
_SHARED_SYMBOLS: Final[Mapping[str, Sequence[str]]] = {
    "$": "USD AUD CAD NZD HKD SGD TWD MXN ARS CLP COP UYU".split(),
    "¥": "JPY CNY".split(),
    "kr": "SEK NOK DKK ISK".split(),
}
"""Symbols of several currencies: the row's own if it is one of them, else the first ("kr": none)."""

_MONEY: Final = re.compile(
    r"(?P<before>[^\d\s.,+-]*)\s*(?P<number>-?[0-9.,][0-9., \u00a0\u202f']*)\s*(?P<after>[^\d\s.,]*)"
)
_GROUPED: Final = re.compile(
    r"(?P<units>[0-9]{1,3}(?:(?P<mark>[., \u00a0\u202f'])[0-9]{3})(?:(?P=mark)[0-9]{3})*)"
    r"(?:(?P<point>[.,])(?P<fraction>[0-9]+))?"
)
_DECIMAL_COMMA: Final = re.compile(r"([0-9]+),([0-9]{1,2}|[0-9]{4,})")


def read_money(cell: str, currency: str) -> Document:
    """Read an amount of money; *currency* holds where the cell names none.

    Raises:
        UnreadableCell: ``invalid_amount``, ``ambiguous_amount`` or ``unknown_currency``.
    """
    match = _MONEY.fullmatch(cell)
    if match is None:
        detail = "Expected an amount such as 12.90 or 12.90 EUR."
        raise UnreadableCell("invalid_amount", detail)
    before, after = match["before"], match["after"]
    if before and after:
        raise UnreadableCell("invalid_amount", "The currency is named twice; name it once.")
    return {
        "amount": _amount(match["number"].strip()),
        "currency": _currency(before or after, currency) if before or after else currency,
    }


def names_currency(cell: str) -> bool:
    """Say whether the money in *cell* says its currency itself."""
    match = _MONEY.fullmatch(cell)
    return match is not None and bool(match["before"] or match["after"])


def write_money(money: Json, *, bare_in: str | None) -> str:
    """Write money: the amount alone when its currency is *bare_in*, else with its code."""
    if not isinstance(money, Mapping):
        return ""
    amount, currency = str(money["amount"]), str(money["currency"])
    return amount if currency == bare_in else f"{amount} {currency}"


def read_currency(cell: str) -> str:
    """Read a currency's code.

    Raises:
        UnreadableCell: ``unknown_currency``.
    """
    return _currency(cell, "")


def same_amount(left: str, right: str) -> bool:
    """Say whether two plain decimals are equal: ``12.5`` and ``12.50`` are."""
    plain = _NUMBER.fullmatch(left) and _NUMBER.fullmatch(right)
    return left == right or bool(plain and Decimal(left) == Decimal(right))


def _currency(mark: str, usual: str) -> str:
    code = mark.upper()
    if code in MINOR_DIGITS:
        return code
    if mark in _SYMBOLS:
        return _SYMBOLS[mark]
    shared = _SHARED_SYMBOLS.get(mark, ())
    if usual in shared:
        return usual
    if shared and mark != "kr":
        return shared[0]
    raise UnreadableCell(
        "unknown_currency", f"{mark!r} is no currency; use an ISO 4217 code such as 12.90 EUR."
    )


def _amount(text: str) -> str:
    """Return the plain decimal that *text* is, if only one reading of it is possible."""
    if match := _DECIMAL_COMMA.fullmatch(text):
        return f"{match[1]}.{match[2]}"
    if text[:1] == "." and text[1:].isdigit():
        return f"0{text}"
    match = _GROUPED.fullmatch(text)
    if match is None or (match["mark"] == "." and not match["point"] and text.count(".") == 1):
        return text  # A plain decimal, or nothing: the rules of money say which.
    if match["point"] == match["mark"]:
        return text
    if match["mark"] == "," and not match["point"] and text.count(",") == 1:
        plain, decimal = text.replace(",", ""), text.replace(",", ".")
        raise UnreadableCell(
            "ambiguous_amount", f"This may be {plain} or {decimal}; write the one that is meant."
        )
    units = match["units"].replace(match["mark"], "")
    return f"{units}.{match['fraction']}" if match["fraction"] else units
