"""``categories.json``: the tree of categories, beside the product file.

A JSON array of objects, parents before their children, each on its own line::

    [
      {"id": "electronics", "name": "Electronics", "parent_id": null},
      {"id": "electronics-phones", "name": "Phones", "parent_id": "electronics"}
    ]

``parent_id`` may be left out for a root. Any order is read. Losing the file loses names and the
tree, not the products: their ``category_id`` stays.
"""

from typing import Final

from vitrina.adapters.product_file.encoding import Lines, decode
from vitrina.adapters.product_file.json_text import (
    JsonFault,
    JsonStyle,
    dump,
    read_value,
    read_whole,
    skip_space,
)
from vitrina.adapters.product_file.model import UnreadableFile
from vitrina.domain.category import DEPTH_MAX, Category, CategoryTree
from vitrina.domain.errors import CategoryCycle, InvalidDocument
from vitrina.service_layer.documents import Json, read_category

FILE_NAME: Final = "categories.json"


def read_categories(data: bytes) -> CategoryTree:
    """Return the tree that a ``categories.json`` describes.

    Raises:
        UnreadableFile: It is no JSON array of categories, an id occurs twice, a parent is missing,
            or a category lies below itself.
    """
    text, _ = decode(data)
    lines = Lines(text)
    found: dict[str, tuple[Category, int]] = {}
    for value, offset in _items(text, lines):
        category = _category(value, lines.of(offset))
        if category.id in found:
            raise UnreadableFile(
                *lines.of(offset), "duplicate_id", f"The id {category.id!r} occurs twice."
            )
        found[category.id] = category, offset
    return _grow(found, lines)


def write_categories(tree: CategoryTree) -> bytes:
    """Return the bytes of ``categories.json`` for *tree*."""
    style = JsonStyle()
    rows = [
        "  " + dump({"id": each.id, "name": each.name, "parent_id": each.parent_id}, style)
        for each in tree
    ]
    return ("[\n" + ",\n".join(rows) + "\n]\n" if rows else "[]\n").encode()


def _items(text: str, lines: Lines) -> list[tuple[Json, int]]:
    offset = skip_space(text, 0)
    try:
        value = read_whole(text, offset, "list")
    except JsonFault as fault:
        raise UnreadableFile(*lines.of(fault.offset), fault.code, fault.detail) from None
    if not isinstance(value, list):
        detail = "Expected an array of categories."
        raise UnreadableFile(*lines.of(offset), "not_a_category_list", detail)
    items: list[tuple[Json, int]] = []
    place = offset + 1
    for each in value:
        place = skip_space(text, place)
        items.append((each, place))
        _, end = read_value(text, place)
        place = skip_space(text, end) + 1
    return items


def _category(value: Json, place: tuple[int, int]) -> Category:
    category_id = value.get("id") if isinstance(value, dict) else None
    if not isinstance(category_id, str):
        detail = "Expected a category: an object with an id and a name."
        raise UnreadableFile(*place, "not_a_category", detail)
    try:
        return read_category(value, category_id=category_id)
    except InvalidDocument as error:
        fault = error.faults[0]
        detail = f"{fault.pointer}: {fault.detail}"
        raise UnreadableFile(*place, fault.code, detail) from None


def _grow(found: dict[str, tuple[Category, int]], lines: Lines) -> CategoryTree:
    """Return the tree of the categories, once it is known to be one."""
    for category, offset in found.values():
        seen = {category.id}
        parent = category.parent_id
        while parent is not None:
            if parent not in found:
                detail = f"There is no category {parent!r}, which is the parent here."
                raise UnreadableFile(*lines.of(offset), "unknown_category", detail)
            if parent in seen:
                detail = str(CategoryCycle(category.id, parent=parent))
                raise UnreadableFile(*lines.of(offset), CategoryCycle.code, detail)
            seen.add(parent)
            if len(seen) > DEPTH_MAX:
                detail = f"A tree has at most {DEPTH_MAX} levels."
                raise UnreadableFile(*lines.of(offset), "too_deep", detail)
            parent = found[parent][0].parent_id
    return CategoryTree({category.id: category for category, _ in found.values()})
