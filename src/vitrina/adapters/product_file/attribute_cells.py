"""Cells with an attribute's value, whose type they tell themselves; see :mod:`.cells`."""

import json
import math
import re
from collections.abc import Mapping
from typing import Final

from vitrina.adapters.product_file.cells import (
    exact_number,
    looks_like_number,
    plain,
    write_number,
)
from vitrina.adapters.product_file.list_cells import UNESCAPED_BAR, read_list, write_list
from vitrina.adapters.product_file.units import UNITS
from vitrina.service_layer.documents import Document, Json

_MEASURE: Final = re.compile(r"(-?[0-9][0-9.eE+-]*) (\S.*)")
_BOOLEANS: Final[Mapping[str, bool]] = {"true": True, "false": False}


def read_attribute(cell: str) -> Json:
    """Read an attribute's value; every text means something, so nothing is refused."""
    text = plain(cell, _is_special)
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
    return not text or looks_like_number(text) or _read_typed(text) != text


def _read_typed(cell: str) -> Json:
    if (truth := _BOOLEANS.get(cell.lower())) is not None:
        return truth
    first = cell[:1]
    if (first.isdigit() or first == "-") and cell.isprintable():
        number = exact_number(cell)
        if number is not None:
            return number
        if (match := _MEASURE.fullmatch(cell)) and match[2] in UNITS:
            value = exact_number(match[1])
            if value is not None:
                return {"value": value, "unit": match[2]}
    if first == "{" and (measure := _json_measure(cell)):
        return measure
    if "|" in cell and UNESCAPED_BAR.match(cell):
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
