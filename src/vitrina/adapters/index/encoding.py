"""Values as numbers and terms that keep their order, so that a search engine can sort and cut by them.

- An id of ASCII characters becomes one integer of the eight bytes that follow the prefix which the catalog's
  ids share. Where that is not all of it, five integers of eight bytes each follow, as far as the id goes.
- A folded title becomes four integers of eight bytes of its UTF-8, whose order is that of code points.
- A double becomes 16 hexadecimal digits in the order of its size.
- An attribute's value becomes a term that can be read back.
"""

import re
import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from vitrina.adapters.index.rows import Measured, Value

ID_LEVELS: Final = 5
ID_BYTES: Final = 8 * ID_LEVELS
TITLE_LEVELS: Final = 4
LANDMARKS_MAX: Final = 256
"""How many ids tell how the ids of a catalog are spread."""
TITLE_BYTES: Final = 8 * TITLE_LEVELS

_ID: Final = struct.Struct(f">{ID_LEVELS}Q")
_TITLE: Final = struct.Struct(f">{TITLE_LEVELS}Q")
_UNSIGNED_MAX: Final = 2**64 - 1
_SEPARATOR: Final = "\x1f"


def id_levels(product_id: str, prefix: str) -> tuple[int, ...]:
    """Return the place of an id, and the first 40 characters of it as integers, as far as it takes to tell the id.

    Args:
        product_id: The id.
        prefix: What most ids begin with.
    """
    head = head_level(product_id, prefix)
    if _is_told(head):
        return (head,)
    levels = _ID.unpack(product_id.encode()[:ID_BYTES].ljust(ID_BYTES, b"\0"))
    return (head, *levels[: len(product_id) // 8 + 1])


def read_id(levels: Sequence[int], prefix: str) -> str | None:
    """Return the id of these levels; None for one that may be longer than they tell.

    Args:
        levels: The first of those of :func:`id_levels`; what it leaves out may be 0.
        prefix: What most ids begin with.
    """
    head, *others = levels
    if _is_told(head):
        return prefix + (head - 1).to_bytes(8).rstrip(b"\0").decode("ascii")
    data = struct.pack(f">{len(others)}Q", *others)
    return None if not data or data[-1] else data.rstrip(b"\0").decode("ascii")


def _is_told(head: int) -> bool:
    """Say whether the place of an id tells all of it: it begins with the prefix, and ends soon."""
    return 0 < head < _UNSIGNED_MAX and not (head - 1) & 0xFF


def head_level(product_id: str, prefix: str) -> int:
    """Return the place of an id among those that begin with *prefix*: in their order.

    What comes before all of them is 0, what comes after them the greatest number.
    """
    if product_id.startswith(prefix):
        rest = product_id.encode()[len(prefix) : len(prefix) + 8]
        return int.from_bytes(rest.ljust(8, b"\0")) + 1
    return 0 if product_id < prefix else _UNSIGNED_MAX


def shared_prefix(product_ids: Iterable[str]) -> str:
    """Return the prefix that all ids of a catalog share, the last of its characters left out.

    A longer one would tell no id from another; a shorter one would spend a level's bytes on it.
    """
    return _shared(list(product_ids))[:-1]


def _shared(texts: list[str]) -> str:
    """Return what all texts begin with."""
    first, last = min(texts, default=""), max(texts, default="")
    length = next((n for n, each in enumerate(first) if each != last[n]), len(first))
    return first[:length]


def landmarks(heads: Iterable[int]) -> tuple[int, ...]:
    """Return about :data:`LANDMARKS_MAX` of the places of ids, with as many ids between each two."""
    places = sorted(set(heads))
    step = max(1, -(-len(places) // LANDMARKS_MAX))
    return tuple(sorted({*places[::step], *places[-1:]}))


def rank(head: int, marks: Sequence[int]) -> float:
    """Return about which part of the ids come before a place: from 0 to 1, and never less for a later one."""
    behind = bisect_right(marks, head)
    if behind == 0 or len(marks) < 2:  # noqa: PLR2004 - between two of them
        return 0.0
    if behind == len(marks):
        return 1.0
    low, high = marks[behind - 1], marks[behind]
    return (behind - 1 + (head - low) / (high - low)) / (len(marks) - 1)


def title_levels(folded: str) -> tuple[int, ...]:
    """Return the first 32 bytes of a folded title as integers."""
    return _TITLE.unpack(folded.encode()[:TITLE_BYTES].ljust(TITLE_BYTES, b"\0"))


def hexadecimal(number: float) -> str:
    """Return a double as 16 digits that sort as the number does."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", number + 0.0))  # + 0.0 makes -0.0 a 0.0.
    return f"{bits ^ (_UNSIGNED_MAX if bits >> 63 else 1 << 63):016x}"


def number(digits: str) -> float:
    """Return the double of 16 hexadecimal digits."""
    bits = int(digits, 16)
    bits ^= 1 << 63 if bits >> 63 else _UNSIGNED_MAX
    (value,) = struct.unpack(">d", struct.pack(">Q", bits))
    return float(value)


def between(lowest: str, highest: str) -> str:
    """Return a regular expression for the digits from *lowest* to *highest*, both of one length."""
    return "|".join(_between(lowest, highest)) if lowest <= highest else "[^\\x00-\\U0010ffff]"


def _between(lowest: str, highest: str) -> Iterator[str]:
    common = _shared([lowest, highest])
    low, high = lowest[len(common) :], highest[len(common) :]
    if not low:
        yield common
        return
    yield from (common + low[0] + each for each in _from(low[1:]))
    if middle := _digits(int(low[0], 16) + 1, int(high[0], 16) - 1):
        yield common + middle + "[0-9a-f]" * (len(low) - 1)
    yield from (common + high[0] + each for each in _up_to(high[1:]))


def _from(low: str) -> Iterator[str]:
    """Yield expressions for all digits of this length that are not below *low*."""
    if not low.strip("0"):
        yield "[0-9a-f]" * len(low)
        return
    yield from (low[0] + each for each in _from(low[1:]))
    if above := _digits(int(low[0], 16) + 1, 15):
        yield above + "[0-9a-f]" * (len(low) - 1)


def _up_to(high: str) -> Iterator[str]:
    """Yield expressions for all digits of this length that are not above *high*."""
    if not high.strip("f"):
        yield "[0-9a-f]" * len(high)
        return
    yield from (high[0] + each for each in _up_to(high[1:]))
    if below := _digits(0, int(high[0], 16) - 1):
        yield below + "[0-9a-f]" * (len(high) - 1)


def _digits(first: int, last: int) -> str:
    return f"[{'0123456789abcdef'[first : last + 1]}]" if first <= last else ""


@lru_cache(10_000)
def escape(name: str) -> str:
    """Return any name as letters, digits and underscores; different names stay different."""
    return re.sub(r"[^A-Za-z0-9]", lambda match: f"_{ord(match[0]):x}_", name)


def own_term(name: str, digits: str) -> str:
    """Return the term of an attribute's number as it stands before its unit."""
    return f"{name}{_SEPARATOR}o{digits}"


def size_term(name: str, dimension: str, digits: str) -> str:
    """Return the term of an attribute's measure in the base unit of its dimension."""
    return f"{name}{_SEPARATOR}s{escape(dimension)}{_SEPARATOR}{digits}"


@lru_cache(65_536, typed=True)
def value_term(value: Value) -> str:
    """Return an attribute's value as a term that :func:`read_value` reads back."""
    match value:
        case str():
            return f"t{value}"
        case bool():
            return "b1" if value else "b0"
        case Measured():
            size, own = hexadecimal(value.size), hexadecimal(value.own)
            return f"n{size}{own}{value.dimension}{_SEPARATOR}{value.unit}"
        case _:
            raise TypeError(f"{value!r} is no attribute's value")


def read_value(term: str) -> Value:
    """Return the value that :func:`value_term` wrote."""
    kind, rest = term[0], term[1:]
    if kind == "t":
        return rest
    if kind == "b":
        return rest == "1"
    dimension, _, unit = rest[32:].partition(_SEPARATOR)
    return Measured(dimension, number(rest[:16]), number(rest[16:32]), unit)
