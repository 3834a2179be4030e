"""Attribute values: what a product says about itself beyond the fixed fields.

An attribute has a name and a value: text, a number, a boolean, a list of texts, or a measure
(a number with its unit). Numbers are those JSON can carry between any two programs (RFC 7493):
finite doubles, and integers within ±(2^53 - 1).
"""

import math
from dataclasses import dataclass
from typing import Final

from vitrina.domain.errors import InvalidValue
from vitrina.domain.text import clean_text

ATTRIBUTES_MAX: Final = 200
NAME_LENGTH_MAX: Final = 100
TEXT_LENGTH_MAX: Final = 4_096
LIST_LENGTH_MAX: Final = 100
UNIT_LENGTH_MAX: Final = 32
INTEGER_MAX: Final = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with its unit, such as 55 in."""

    value: int | float
    unit: str


type AttributeValue = str | bool | int | float | tuple[str, ...] | Measure


def parse_name(text: str) -> str:
    """Return *text* as an attribute's name: 1 to 100 characters on one line.

    Raises:
        InvalidValue: ``invalid_attribute_name``, ``too_long``, ``too_short`` or
            ``control_character``.
    """
    name = clean_text(text, longest=NAME_LENGTH_MAX, shortest=1)
    if name != name.strip() or not name.isprintable():
        raise InvalidValue(
            "invalid_attribute_name",
            "An attribute's name has no line breaks and no white space around it.",
        )
    return name


def check_number(value: float) -> int | float:
    """Return *value* when JSON can carry it between any two programs (RFC 7493).

    Raises:
        InvalidValue: ``number_out_of_range``.
    """
    if isinstance(value, int):
        if abs(value) > INTEGER_MAX:
            raise InvalidValue("number_out_of_range", "An integer lies within ±(2^53 - 1).")
        return int(value)
    if not math.isfinite(value):
        raise InvalidValue("number_out_of_range", "A number is a finite IEEE 754 double.")
    return float(value)


def check_text(value: str) -> str:
    """Return the text of an attribute in Normalization Form C; at most 4,096 characters."""
    return clean_text(value, longest=TEXT_LENGTH_MAX)
