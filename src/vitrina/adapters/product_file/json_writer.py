"""Writes changes into JSON and JSON Lines: only the members whose value changed get new text.

A row that no change concerns keeps its bytes, and a changed row keeps its other members, the way
its object is laid out, and the names it uses (``name`` stays ``name``). A value keeps its shape
where it can: a price that was a number stays one. New rows are native documents with unset members
left out, laid out like the first row.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from vitrina.adapters.product_file import list_cells, money_cells
from vitrina.adapters.product_file.category_paths import CategoryPaths
from vitrina.adapters.product_file.encoding import LINE_END
from vitrina.adapters.product_file.flat import (
    DEFAULTS,
    Fields,
    assemble,
    field_order,
    same,
    stated,
)
from vitrina.adapters.product_file.headers import ATTRIBUTE_PREFIX, VERSION
from vitrina.adapters.product_file.json_text import (
    JsonStyle,
    dump,
    edit_object,
    members,
    read_value,
    style_of,
)
from vitrina.adapters.product_file.model import Format, ProductFile, Row
from vitrina.adapters.product_file.objects import MemberPath, Reading, read_object
from vitrina.adapters.product_file.outgoing import Line, outgoing, shifted
from vitrina.service_layer.documents import PRODUCT_FIELDS, Document, Json, WrittenFloat

type JsonLine = Line[str]
"""A row on its way out, as the text of its object."""

type _Edits = dict[MemberPath, Json]
"""Member → its new value; None takes it away."""

_EMPTIABLE: Final = frozenset({"images", "tags", "category"})


def write_json(
    file: ProductFile, changes: Mapping[str, Document | None], categories: CategoryPaths
) -> bytes:
    """Return the bytes of *file* with *changes* applied."""
    return _JsonWriter(file, categories).write(changes)


class _JsonWriter:
    def __init__(self, file: ProductFile, categories: CategoryPaths) -> None:
        self._file = file
        self._categories = categories
        self._is_array = file.format is Format.JSON
        self._base, self._style = self._layout()
        self._versioned = any(row.version is not None for row in file.rows)

    def write(self, changes: Mapping[str, Document | None]) -> bytes:
        lines: list[JsonLine] = outgoing(self._file, changes)
        for line in lines:
            if line.fields is not None:
                line.content = self._fill(line.row, line.fields)
        old = [line for line in lines if line.row is not None]  # A new one says its id.
        for line in shifted(old, self._document):
            if line.content is None and line.row is not None:
                line.content = self._object(line.row)
            line.content = self._edit(line.content or "{}", {("id",): line.product_id}, self._base)
        return self._join_array(lines) if self._is_array else self._join_lines(lines)

    def _layout(self) -> tuple[str, JsonStyle]:
        """Return the white space before a row, and the style, both of the first good row."""
        model = next((row for row in self._file.rows if not row.refused), None)
        ends = self._file.dialect.line_end
        if model is None:
            return ("  ", JsonStyle("  ", ends)) if self._is_array else ("", JsonStyle("", ends))
        base = LINE_END.split(self._text(model.before))[-1] if self._is_array else ""
        style = style_of(self._object(model), base, line_end=ends)
        return base, style if self._is_array else JsonStyle("", ends, style.colon, style.comma)

    # --- one row

    def _fill(self, row: Row | None, fields: Fields) -> str:
        """Return the text of a row's object for the flat *fields* of a product."""
        if row is None:
            document = _native(fields)
            if self._versioned and VERSION in fields:
                document[VERSION] = fields[VERSION]
            return dump(document, self._style, self._base)
        text = self._object(row)
        source = _mapping(text)
        reading = read_object(source, self._file.currency)
        edits: _Edits = {}
        wanted = self._wanted(fields, reading)
        for field, path in reading.slots.items():
            present, value = reading.fields.get(field), wanted.get(field)
            if not self._says(field, present, value, wanted):
                edits[path] = self._shape(field, value, _at(source, path))
        for field in sorted(set(wanted) - set(reading.slots), key=field_order):
            if field != "category":
                edits[_native_path(field, source, reading)] = wanted[field]
        return self._edit(text, edits, self._base)

    def _wanted(self, fields: Fields, reading: Reading) -> Fields:
        said = stated(fields)
        slots = reading.slots
        wanted = {name: value for name, value in fields.items() if name in said or name in slots}
        for name in ("id", VERSION):
            if name not in slots:
                wanted.pop(name, None)
        path = self._categories.path_of(str(fields.get("category_id")))
        if path is not None and "category" in slots:
            wanted["category"] = path
            if "category_id" not in slots:
                wanted.pop("category_id")
        return wanted

    def _says(self, field: str, present: Json, value: Json, wanted: Fields) -> bool:
        """Say whether a member already gives what is wanted."""
        if field == "category":
            if value is None and "category_id" in wanted:
                return True
            if isinstance(present, tuple) and isinstance(value, tuple):
                return self._categories.id_of(present) == self._categories.id_of(value)
        if value is None and field in DEFAULTS:
            return same(present, DEFAULTS[field])
        if value is None and field in _EMPTIABLE:
            return not present
        return same(present, value)

    def _shape(self, field: str, value: Json, old: Json) -> Json:
        """Return *value* in the shape that the member had, where that can hold it."""
        match field, old:
            case "category", str() if isinstance(value, tuple):
                return list_cells.write_path(value)
            case (("price" | "list_price"), (int() | float() | str())) if isinstance(
                value, Mapping
            ):
                return self._shape_money(field, value, old)
            case "images", _ if isinstance(value, list):
                return _shape_images(value, old)
            case _:
                return value

    def _shape_money(self, field: str, money: Mapping[str, Json], old: Json) -> Json:
        amount = str(money["amount"])
        bare: Json = f"{amount}" if isinstance(old, str) else _number(amount)
        if isinstance(old, str) and money_cells.names_currency(old):
            bare = money_cells.write_money(money, bare_in=None)
        read = read_object({field: bare}, self._file.currency).fields.get(field)
        return bare if same(read, money) else dict(money)

    def _edit(self, text: str, edits: _Edits, base: str) -> str:
        """Return the text of an object with *edits* made, also in objects inside it."""
        here: dict[str, Json] = {}
        below: dict[str, _Edits] = {}
        for path, value in edits.items():
            if len(path) == 1:
                here[path[0]] = value
            else:
                below.setdefault(path[0], {})[path[1:]] = value
        inner = base + self._style.indent
        spans = {each.name: text[each.value_start : each.end] for each in members(text, 0)}
        new = {
            name: None if value is None else dump(value, self._style, inner)
            for name, value in here.items()
        }
        for name, deeper in below.items():
            old = spans.get(name, "")
            if old.startswith("{") and members(old, 0):
                new[name] = self._edit(old, deeper, inner)
            else:
                made = {path[0]: value for path, value in deeper.items() if value is not None}
                new[name] = dump(made, self._style, inner)
        return edit_object(text, new, self._style)

    # --- bytes

    def _join_array(self, lines: Iterable[JsonLine]) -> bytes:
        file = self._file
        rows = file.rows
        end = self._style.line_end if self._style.indent else ""
        usual = rows[-1].before if rows else self._encode(end + self._base)
        pieces = [
            line.row.before + self._new(line) + line.row.after
            if line.row
            else usual + self._new(line)
            for line in lines
        ]
        tail = file.tail if rows or not pieces else self._encode(end) + file.tail
        return file.head + b",".join(pieces) + tail

    def _join_lines(self, lines: Sequence[JsonLine]) -> bytes:
        file = self._file
        line_end = self._encode(file.dialect.line_end)
        ends_open = bool(file.rows) and not file.tail and not self._line_end(file.rows[-1])
        out = [file.head]
        for place, line in enumerate(lines, start=1):
            end = self._line_end(line.row) if line.row else line_end
            if place == len(lines):
                end = b"" if ends_open and line.row is None else end
            else:
                end = end or line_end
            out += (line.row.before if line.row else b"", self._new(line), end)
        return b"".join([*out, file.tail])

    def _new(self, line: JsonLine) -> bytes:
        if line.content is not None:
            return self._encode(line.content)
        return self._encode(self._object(line.row)) if line.row else b""

    def _line_end(self, row: Row) -> bytes:
        text = self._text(row.raw)
        return self._encode(text[len(text.rstrip("\r\n")) :])

    def _object(self, row: Row) -> str:
        return self._text(row.raw) if self._is_array else self._text(row.raw).rstrip("\r\n")

    def _document(self, text: str) -> Document:
        return assemble(read_object(_mapping(text), self._file.currency).fields)

    def _text(self, raw: bytes) -> str:
        return raw.decode(self._file.dialect.encoding)

    def _encode(self, text: str) -> bytes:
        return text.encode(self._file.dialect.encoding)


def _native(fields: Fields) -> Document:
    """Return the document of a new row: what is said, in the order of documents."""
    said = stated(fields)
    if "rating" in fields:
        said["rating_count"] = fields.get("rating_count", 0)
    document = assemble(said)
    for image in _items(document.get("images")):
        if isinstance(image, dict) and not image.get("alt"):
            document["images"] = [_lean(each) for each in _items(document["images"])]
            break
    return {name: document[name] for name in PRODUCT_FIELDS if name in document}


def _native_path(field: str, source: Mapping[str, Json], reading: Reading) -> MemberPath:
    """Return the member for a field that the object does not give yet."""
    if field.startswith(ATTRIBUTE_PREFIX):
        name = field.removeprefix(ATTRIBUTE_PREFIX)
        holds = isinstance(source.get("attributes"), Mapping | None)
        return ("attributes", name) if holds else (field,)
    if field == "rating":
        return ("rating", "average")
    if field == "rating_count":
        slot = reading.slots.get("rating", ("rating", "average"))
        return (*slot[:-1], "count") if len(slot) > 1 else ("rating_count",)
    return (field,)


def _shape_images(images: Sequence[Json], old: Json) -> Json:
    urls: list[Json] = [
        str(image["url"]) for image in images if isinstance(image, Mapping) and not image.get("alt")
    ]
    plain = len(urls) == len(images)
    alone = [{"url": urls[0], "alt": ""}] if len(urls) == 1 and plain else None
    if isinstance(old, str) and alone and list_cells.read_images(str(urls[0])) == alone:
        return urls[0]
    if plain and isinstance(old, list) and all(isinstance(each, str) for each in old):
        return urls
    return [_lean(image) for image in images]


def _lean(image: Json) -> Json:
    """Return an image without an empty alt."""
    if isinstance(image, Mapping):
        return {name: value for name, value in image.items() if name == "url" or value}
    return image


def _items(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else ()


def _number(amount: str) -> Json:
    return WrittenFloat(amount) if "." in amount else int(amount)


def _mapping(text: str) -> Mapping[str, Json]:
    value, _ = read_value(text, 0)
    return value if isinstance(value, Mapping) else {}


def _at(source: Mapping[str, Json], path: MemberPath) -> Json:
    value: Json = source
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
