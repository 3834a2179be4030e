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

Here are texts, identifiers, numbers and choices; :mod:`.money_cells`, :mod:`.list_cells` (with images and
paths) and :mod:`.attribute_cells` read and write the rest.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Final

from vitrina.domain.attributes import INTEGER_MAX
from vitrina.domain.product import Availability, Condition, Status
from vitrina.service_layer.documents import Json


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

NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE][+-]?[0-9]{1,3})?")
"""A number as JSON writes it, though without limits."""

_SCIENTIFIC: Final = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{1,3}")


# --- text and identifiers


def read_text(cell: str) -> str:
    return cell


def read_long_text(cell: str) -> str:
    """Read text that may be empty: an apostrophe alone."""
    return plain(cell, _is_empty)


def read_identifier(cell: str) -> str:
    """Read an identifier; digits are kept as they are, leading zeros included.

    Raises:
        UnreadableCell: ``scientific_notation``.
    """
    text = plain(cell, looks_like_number)
    if text is cell and _SCIENTIFIC.fullmatch(cell):
        raise UnreadableCell(
            "scientific_notation",
            "A spreadsheet turned this identifier into a rounded number; its last digits are "
            "lost. Format the column as text and enter the identifier again.",
        )
    return text


def plain(cell: str, is_special: Callable[[str], bool]) -> str:
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


def looks_like_number(text: str) -> bool:
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
    number = exact_number(text)
    if number is None:
        raise UnreadableCell("not_a_number", "Expected a number such as 4.5.")
    return number


def write_number(value: float) -> str:
    """Write a number; an integer stays one, and a float keeps its point."""
    return str(value) if type(value) is int else repr(float(value))


def exact_number(text: str) -> int | float | None:
    """Return the number that *text* is beyond doubt: every digit of it survives, or it is None."""
    match = NUMBER.fullmatch(text)
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
