"""What spreadsheets do to values that look like something else, and when it can be undone.

A spreadsheet takes ``0012`` for the number 12, ``4006381333931`` for 4.00638E+12, the size
``10-12`` for the 12th of October, and puts typographic quotes in place of plain ones. The value
that was known before proves what it did: if doing the same to that value gives what stands in the
file now, then nobody has typed that. Where the form is a spreadsheet's but the known value does not
explain it, somebody may have typed something new that was spoiled; then the value is doubtful.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from vitrina.adapters.product_file.flat import same
from vitrina.service_layer.documents import Json

LEADING_ZEROS: Final = "leading_zeros_lost"
ROUNDED: Final = "number_rounded"
DATE: Final = "became_a_date"
COMMA: Final = "decimal_comma"
QUOTES: Final = "smart_quotes"

WHAT_HAPPENED: Final[Mapping[str, str]] = {
    LEADING_ZEROS: "a spreadsheet took the zeros in front away",
    ROUNDED: "a spreadsheet rounded the number",
    DATE: "a spreadsheet took it for a date",
    COMMA: "it is written with a decimal comma",
    QUOTES: "a program put typographic quotes in place of plain ones",
}
"""Code → what was done to the value."""

_SIZE: Final = re.compile(r"(\d{1,4})\s*[-/.\u2013]\s*(\d{1,4})")
_DATES: Final = (
    re.compile(r"(\d{1,2})[-. /]+([^\W\d_]{3,10})\.?(?:[-. /]+(\d{2}|\d{4}))?"),
    re.compile(r"([^\W\d_]{3,10})\.?[-. /]+(\d{1,2}|\d{4})"),
    re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]00:00(?::00)?)?"),
    re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{2}|\d{4})?"),
)
_MONTHS: Final[Mapping[str, int]] = {
    name: number
    for number, names in enumerate(
        (
            "jan ene gen",
            "feb fév fev",
            "mar mrz mär",
            "apr abr avr",
            "may mai mag",
            "jun giu jui",
            "jul lug",
            "aug ago aoû",
            "sep set",
            "oct okt out ott",
            "nov",
            "dec dez dic déc",
        ),
        start=1,
    )
    for name in names.split()
}
_ROUNDED: Final = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,3}")
_WITH_COMMA: Final = re.compile(r"(-?[0-9]+),([0-9]+)(?: (\S.*))?")
_QUOTES: Final = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201a": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
    }
)
_DIGITS_OF_SPREADSHEETS: Final = 15
_LONG_NUMBER: Final = 10**10


@dataclass(frozen=True, slots=True)
class Damage:
    """What seems to have been done to a value.

    Attributes:
        code: See :data:`WHAT_HAPPENED`.
        value: What it was, when that is proved; else None.
    """

    code: str
    value: Json = None

    @property
    def is_proved(self) -> bool:
        return self.value is not None


def find_damage(value: Json, known: Iterable[Json]) -> Damage | None:
    """Return what a spreadsheet seems to have done to *value*, or None.

    Args:
        value: What stands in the file: as it was read, or the text of a cell that cannot be read.
        known: The values that were there before, the latest first.
    """
    doubtful: Damage | None = None
    for before in known:
        if before is None or same(before, value):
            continue
        for code, looks_like, undoes in _KINDS:
            if looks_like(value, before):
                if undoes(value, before):
                    return Damage(code, before)
                doubtful = doubtful or (Damage(code) if code in _DOUBTFUL else None)
    return doubtful


def shortened_by_zeros(text: str, full: str) -> bool:
    """Say whether *text* is *full* without the zeros in front."""
    return full.isdigit() and full[:1] == "0" and (full.lstrip("0") or "0") == text != full


# --- zeros in front, and a ".0" behind


def _is_shorter_number(value: Json, before: Json) -> bool:
    return isinstance(before, str) and before.isdigit() and _plain(value) is not None


def _lost_zeros(value: Json, before: Json) -> bool:
    text, full = str(value), str(before)
    return shortened_by_zeros(text.removesuffix(".0"), full) or text == f"{full}.0"


# --- rounded numbers


def _is_rounded(value: Json, before: Json) -> bool:
    if not (isinstance(before, str) and before.isdigit()) and type(before) is not int:
        return False
    if isinstance(value, str):
        return _ROUNDED.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= _LONG_NUMBER


def _was_rounded(value: Json, before: Json) -> bool:
    rounded = _plain(str(value).replace(",", "."))
    if rounded is None or not rounded:
        return False
    full = Decimal(str(before))
    digits = len(rounded.normalize().as_tuple().digits)
    if digits > _DIGITS_OF_SPREADSHEETS or not full:
        return False
    step = Decimal(1).scaleb(full.adjusted() - digits + 1)
    return full.quantize(step) == rounded or (full // step) * step == rounded


# --- dates


def _is_date(value: Json, before: Json) -> bool:
    return (
        isinstance(value, str)
        and isinstance(before, str)
        and _SIZE.fullmatch(before.strip()) is not None
        and _numbers_of_date(value) is not None
    )


def _was_date(value: Json, before: Json) -> bool:
    match = _SIZE.fullmatch(str(before).strip())
    numbers = _numbers_of_date(str(value)) or frozenset()
    return match is not None and {int(match[1]), int(match[2])} <= numbers


def _numbers_of_date(text: str) -> frozenset[int] | None:
    for pattern in _DATES:
        if match := pattern.fullmatch(text.strip()):
            numbers = list(_numbers(match.groups()))
            if any(number is None for number in numbers):
                return None
            found = {number for number in numbers if number is not None}
            return frozenset(found | {number % 100 for number in found})
    return None


def _numbers(parts: Iterable[str | None]) -> Iterator[int | None]:
    for part in parts:
        if part:
            yield int(part) if part.isdigit() else _MONTHS.get(part.casefold()[:3])


# --- decimal commas


def _has_comma(value: Json, before: Json) -> bool:
    if not isinstance(value, str) or not isinstance(before, int | float | Mapping):
        return False
    return not isinstance(before, bool) and _WITH_COMMA.fullmatch(value.strip()) is not None


def _was_comma(value: Json, before: Json) -> bool:
    match = _WITH_COMMA.fullmatch(str(value).strip())
    if match is None:
        return False
    if isinstance(before, Mapping):
        number = before.get("amount", before.get("value"))
        unit = before.get("currency", before.get("unit"))
        if match[3] not in {None, unit}:
            return False
    else:
        number = before
    readings = (_plain(f"{match[1]}.{match[2]}"), _plain(match[1] + match[2]))
    return number is not None and _plain(number) in readings[: 1 + (len(match[2]) == 3)]  # noqa: PLR2004 - a group of thousands


# --- quotes


def _has_quotes(value: Json, before: Json) -> bool:
    return isinstance(value, str) and isinstance(before, str) and value.translate(_QUOTES) != value


def _was_quotes(value: Json, before: Json) -> bool:
    return str(value).translate(_QUOTES) == str(before).translate(_QUOTES)


def _plain(value: Json) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


type _Test = Callable[[Json, Json], bool]

_KINDS: Final[tuple[tuple[str, _Test, _Test], ...]] = (
    (LEADING_ZEROS, _is_shorter_number, _lost_zeros),
    (ROUNDED, _is_rounded, _was_rounded),
    (DATE, _is_date, _was_date),
    (COMMA, _has_comma, _was_comma),
    (QUOTES, _has_quotes, _was_quotes),
)
_DOUBTFUL: Final = frozenset({ROUNDED, DATE, COMMA})
"""What nobody types: the form alone is reason for doubt. Other numbers and quotes may be meant."""
