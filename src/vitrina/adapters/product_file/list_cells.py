"""Cells with several items: lists, tags, pictures, the names of a category's path; see :mod:`.cells`."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from vitrina.adapters.product_file.cells import UnreadableCell
from vitrina.domain.category import DEPTH_MAX, NAME_LENGTH_MAX
from vitrina.domain.errors import InvalidValue
from vitrina.domain.text import clean_text
from vitrina.service_layer.documents import Json

UNESCAPED_BAR: Final = re.compile(r"(?:[^\\|]++|\\.)*+\|", re.DOTALL)
_BETWEEN_BARS: Final = re.compile(r"((?:[^\\|]++|\\.|\\\Z)*+)(?:\||\Z)", re.DOTALL)
_BETWEEN_ANGLES: Final = re.compile(r"((?:[^\\>]++|\\.|\\\Z)*+)(?:>|\Z)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_EMPTY_ITEM: Final = "\\e"
_IMAGE: Final = re.compile(r"(\S+)(?:\s+(.+))?", re.DOTALL)
_URLS: Final = re.compile(r",\s+(?=https?://)", re.IGNORECASE)


def read_list(cell: str) -> list[str]:
    r"""Read items separated by ``|``; empty ones do not count."""
    return ["" if item == _EMPTY_ITEM else _unescape(item) for item in _items(cell, _BETWEEN_BARS)]


def write_list(items: Sequence[str]) -> str:
    r"""Write items separated by ``|``; a lone one, or none, gets a ``|`` at the end."""
    return "|".join(map(_escape, items)) + ("|" if len(items) <= 1 else "")


def read_tags(cell: str) -> list[str]:
    """Read tags separated by ``|``, or, where there is none, by commas."""
    if UNESCAPED_BAR.match(cell):
        return read_list(cell)
    return [tag for each in cell.split(",") if (tag := each.strip())]


def write_tags(tags: Sequence[str]) -> str:
    alone = tags[0] if len(tags) == 1 else ""
    return alone if alone and read_tags(alone) == [alone] else write_list(tags)


def read_images(cell: str) -> list[Json]:
    """Read pictures: URLs separated by ``|``, or by a comma and a space; see the module."""
    if not UNESCAPED_BAR.match(cell):
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
