"""``categories.json``: the tree of categories, beside the product file.

A JSON array of objects, parents before their children, each on its own line::

    [
      {"id": "electronics", "name": "Electronics", "parent_id": null},
      {"id": "electronics-phones", "name": "Phones", "parent_id": "electronics"}
    ]

``parent_id`` may be left out for a root. Any order and any layout is read, and what does not change
keeps its bytes when the file is written. Losing the file loses names and the tree, not the
products: their ``category_id`` stays.
"""

from dataclasses import dataclass
from typing import Final

from vitrina.adapters.product_file.encoding import LINE_END, Lines, decode
from vitrina.adapters.product_file.json_text import (
    JsonFault,
    JsonStyle,
    dump,
    edit_object,
    read_value,
    read_whole,
    skip_space,
    style_of,
)
from vitrina.adapters.product_file.model import Dialect, UnreadableFile
from vitrina.domain.category import DEPTH_MAX, Category, CategoryTree
from vitrina.domain.errors import CategoryCycle, InvalidDocument
from vitrina.service_layer.document_reading import read_category
from vitrina.service_layer.documents import Document, Json

FILE_NAME: Final = "categories.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """One category of the file.

    Attributes:
        line: Where it starts; 1-based.
        before: What stands between it and the comma before it.
        raw: From brace to brace.
        after: What stands between it and the comma behind it.
    """

    category: Category
    line: int
    before: str
    raw: str
    after: str


@dataclass(frozen=True, slots=True)
class CategoriesFile:
    """A ``categories.json``, read.

    Attributes:
        entries: In the file's order.
        head: What stands before the first of them, up to the bracket.
        tail: What stands behind the last.
        dialect: How it is written.
    """

    entries: tuple[Entry, ...]
    head: str
    tail: str
    dialect: Dialect

    @property
    def tree(self) -> CategoryTree:
        return CategoryTree({each.category.id: each.category for each in self.entries})

    @property
    def lines(self) -> dict[str, int]:
        """Category id → the line where it starts."""
        return {each.category.id: each.line for each in self.entries}


def read_categories(data: bytes) -> CategoryTree:
    """Return the tree that a ``categories.json`` describes.

    Raises:
        UnreadableFile: It is no JSON array of categories, an id occurs twice, a parent is missing,
            or a category lies below itself.
    """
    return parse_categories(data).tree


def parse_categories(data: bytes) -> CategoriesFile:
    """Return what a ``categories.json`` says, and how.

    Raises:
        UnreadableFile: As :func:`read_categories`.
    """
    text, dialect = decode(data)
    lines = Lines(text)
    found: dict[str, tuple[Category, int]] = {}
    entries: list[Entry] = []
    opening = done = skip_space(text, 0) + 1
    for value, offset, end in _items(text, lines):
        place = lines.of(offset)
        category = _category(value, place)
        if category.id in found:
            raise UnreadableFile(*place, "duplicate_id", f"The id {category.id!r} occurs twice.")
        found[category.id] = category, offset
        comma = skip_space(text, end)
        is_last = text[comma : comma + 1] != ","
        after = "" if is_last else text[end:comma]
        entries.append(Entry(category, place[0], text[done:offset], text[offset:end], after))
        done = end if is_last else comma + 1
    _check_tree(found, lines)
    return CategoriesFile(tuple(entries), text[:opening], text[done:], dialect)


def rewrite_categories(file: CategoriesFile, tree: CategoryTree) -> bytes:
    """Return the bytes of *file* with the categories of *tree*; what is alike keeps its bytes."""
    if not file.entries:
        return write_categories(tree)
    ends = file.dialect.line_end
    model = file.entries[0]
    style = style_of(model.raw, LINE_END.split(model.before)[-1], line_end=ends)
    pieces = [
        each.before + _rewritten(each, tree.by_id[each.category.id], style) + each.after
        for each in file.entries
        if each.category.id in tree.by_id
    ]
    known = {each.category.id for each in file.entries}
    usual = file.entries[-1].before if len(file.entries) > 1 else model.before
    base = LINE_END.split(usual)[-1]
    pieces += [usual + dump(_document(each), style, base) for each in tree if each.id not in known]
    text = file.head + ",".join(pieces) + file.tail
    return file.dialect.bom + text.encode(file.dialect.encoding)


def _rewritten(entry: Entry, now: Category, style: JsonStyle) -> str:
    was = entry.category
    changes: dict[str, str | None] = {}
    if now.name != was.name:
        changes["name"] = dump(now.name, style)
    if now.parent_id != was.parent_id:
        changes["parent_id"] = dump(now.parent_id, style)
    return edit_object(entry.raw, changes, style) if changes else entry.raw


def _document(category: Category) -> Document:
    return {"id": category.id, "name": category.name, "parent_id": category.parent_id}


def write_categories(tree: CategoryTree) -> bytes:
    """Return the bytes of ``categories.json`` for *tree*."""
    style = JsonStyle()
    rows = ["  " + dump(_document(each), style) for each in tree]
    return ("[\n" + ",\n".join(rows) + "\n]\n" if rows else "[]\n").encode()


def _items(text: str, lines: Lines) -> list[tuple[Json, int, int]]:
    """Return each item, where it starts, and where it ends."""
    offset = skip_space(text, 0)
    try:
        value = read_whole(text, offset, "list")
    except JsonFault as fault:
        raise UnreadableFile(*lines.of(fault.offset), fault.code, fault.detail) from None
    if not isinstance(value, list):
        detail = "Expected an array of categories."
        raise UnreadableFile(*lines.of(offset), "not_a_category_list", detail)
    items: list[tuple[Json, int, int]] = []
    place = offset + 1
    for each in value:
        place = skip_space(text, place)
        _, end = read_value(text, place)
        items.append((each, place, end))
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


def _check_tree(found: dict[str, tuple[Category, int]], lines: Lines) -> None:
    """See that the categories are a tree."""
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
