"""The filters that a query string can ask for: what each compares, and how its values are read."""

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Final

from vitrina.domain.errors import InvalidValue
from vitrina.domain.product import Availability, Condition, Status
from vitrina.domain.text import clean_text
from vitrina.domain.units import parse_quantity
from vitrina.service_layer.queries import (
    ATTRIBUTE_PREFIX,
    FILTER_FIELDS,
    FILTER_TEXT_MAX,
    RANGES,
    FieldKind,
    FilterValue,
    Operator,
    kind_of,
)
from vitrina.service_layer.times import parse_time

NUMBER_PATTERN: Final = r"-?[0-9]{1,15}(?:\.[0-9]{1,10})?"
"""The numbers that a fixed field can be compared with."""

CHOICES: Final[Mapping[str, Sequence[str]]] = {
    "status": tuple(each.value for each in Status),
    "condition": tuple(each.value for each in Condition),
    "availability": tuple(each.value for each in Availability),
}
"""The fields that have one of a few values."""

_NUMBER: Final = re.compile(NUMBER_PATTERN)
_NO_UNIT: Final = re.compile(r"\W\s*[0-9]")
_OPERATOR: Final = re.compile(r"(?P<field>.+)\[(?P<operator>[^\[\]]*)\]", re.DOTALL)
# The index compares, it does not collate: a range over names would mean little.
_RANGED: Final = frozenset({FieldKind.NUMBER, FieldKind.TIME, FieldKind.ATTRIBUTE})
_OPERATORS: Final = tuple(Operator)
_UNRANGED: Final = tuple(each for each in Operator if each not in RANGES)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a parameter compares.

    Attributes:
        field: A key of :data:`~vitrina.service_layer.queries.FILTER_FIELDS`, or ``attributes.NAME``.
        operator: How.
    """

    field: str
    operator: Operator
    _parse: Callable[[str], FilterValue]

    def read(self, text: str) -> FilterValue:
        """Return the value that a text is.

        Raises:
            InvalidValue: It is none that this field can be compared with.
        """
        if not text:
            detail = "A filter needs a value; products without one are found by [exists]=false."
            raise InvalidValue("empty_value", detail)
        return self._parse(clean_text(text, longest=FILTER_TEXT_MAX))


def operators_of(kind: FieldKind) -> tuple[Operator, ...]:
    """Return how a filter on a field of this kind may compare."""
    return _OPERATORS if kind in _RANGED else _UNRANGED


def is_attribute(name: str) -> bool:
    """Say whether a field is ``attributes.NAME``."""
    return name.startswith(ATTRIBUTE_PREFIX) and len(name) > len(ATTRIBUTE_PREFIX)


def comparison_of(parameter: str, known: Sequence[str]) -> Comparison:
    """Return what a parameter compares.

    Args:
        parameter: Its name.
        known: What other parameters there are.

    Raises:
        InvalidValue: ``unknown_parameter`` or ``unknown_operator``.
    """
    if fixed := _FIXED.get(parameter):
        return fixed
    name, operator = unicodedata.normalize("NFC", parameter), "eq"
    if match := _OPERATOR.fullmatch(name):
        name, operator = match["field"], match["operator"]
    if name not in FILTER_FIELDS and not is_attribute(name):
        names = [*known, *FILTER_FIELDS, "attributes.NAME"]
        raise InvalidValue("unknown_parameter", unknown("parameter", name, names))
    allowed = [each.value for each in operators_of(kind_of(name))]
    if operator not in allowed:
        detail = unknown(f"operator of {name!r}", operator, allowed)
        raise InvalidValue("unknown_operator", detail)
    return _comparison(name, Operator(operator))


def read_boolean(text: str) -> bool:
    """Return what ``true`` or ``false`` says.

    Raises:
        InvalidValue: It is neither.
    """
    if text not in {"true", "false"}:
        raise InvalidValue("invalid_boolean", f"{text[:40]!r} is neither 'true' nor 'false'.")
    return text == "true"


def shown(name: str) -> str:
    """Return a name as an answer shows it: the beginning of a long one."""
    return name if len(name) <= 100 else f"{name[:100]}…"  # noqa: PLR2004 - one line of an answer


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    """Return a sentence that names what is unknown, the nearest known, and all known."""
    near = difflib.get_close_matches(name[:100].lower(), known, n=1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    return f"There is no {what} {shown(name)!r}.{meant} Known: {', '.join(known)}."


def _comparison(field: str, operator: Operator) -> Comparison:
    kind = kind_of(field)
    parse: Callable[[str], FilterValue] = str
    if operator is Operator.EXISTS:
        parse = read_boolean
    elif field in CHOICES:
        parse = partial(_choice, CHOICES[field])
    elif kind is FieldKind.NUMBER:
        parse = _number
    elif kind is FieldKind.TIME:
        parse = parse_time
    elif operator in RANGES:
        parse = _measure
    return Comparison(field, operator, parse)


def _choice(choices: Sequence[str], text: str) -> str:
    if text not in choices:
        raise InvalidValue("unknown_value", unknown("value", text, choices))
    return text


def _number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise InvalidValue(
            "invalid_number",
            f"{text[:40]!r} is not a plain decimal number of at most 15 digits before "
            "and 10 after the point, such as '12.90'.",
        )
    return Decimal(text)


def _measure(text: str) -> str:
    # A range over an attribute compares numbers and measures: "40", "40 in". What goes on after the number
    # like "1,5 kg" or "2026-01-31" would be a unit that nothing has, and find nothing without a word.
    quantity = parse_quantity(text)
    if quantity is None or _NO_UNIT.match(quantity[1]):
        raise InvalidValue(
            "invalid_number",
            f"{text[:40]!r} is neither a number nor a number with a unit, such as '40.5' or '40.5 in'.",
        )
    return text


def _fixed() -> Iterator[tuple[str, Comparison]]:
    for field, kind in FILTER_FIELDS.items():
        yield field, _comparison(field, Operator.EQ)
        for operator in operators_of(kind):
            yield f"{field}[{operator}]", _comparison(field, operator)


_FIXED: Final = dict(_fixed())
"""Every way to write a filter on a fixed field → what it compares."""
