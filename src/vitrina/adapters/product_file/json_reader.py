"""Reads JSON and JSON Lines: an array of objects, ``{"products": […]}``, or an object a line.

A wrong row of JSON Lines is refused alone. In an array that works only where the text stays
well-formed; a syntax error makes the whole file unreadable, because no row after it has a sure
beginning.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from vitrina.adapters.product_file.encoding import LINE_END, Lines, decode
from vitrina.adapters.product_file.flat import assemble
from vitrina.adapters.product_file.headers import VERSION
from vitrina.adapters.product_file.identity import identify
from vitrina.adapters.product_file.json_text import (
    JsonFault,
    JsonStyle,
    dump,
    members,
    read_value,
    read_whole,
    skip_space,
)
from vitrina.adapters.product_file.model import (
    VALUE_SHOWN_MAX,
    Dialect,
    FileProblem,
    Format,
    ProductFile,
    Row,
    Severity,
    UnreadableFile,
    shorten,
)
from vitrina.adapters.product_file.objects import Finding, MemberPath, read_object
from vitrina.service_layer.documents import Document, Json

_WRAPPER: Final = "products"
"""The member that holds the list where a file is one object."""


def read_json(data: bytes, file_format: Format, *, currency: str) -> ProductFile:
    """Read a JSON array of products, or JSON Lines.

    Raises:
        UnreadableFile: ``empty_file``, ``invalid_json`` (or another fault of an array that cannot
            be read past), ``not_a_product_list``, ``invalid_encoding`` or ``nul_character``.
    """
    text, dialect = decode(data)
    reader = _JsonReader(text, dialect, currency, Lines(text))
    try:
        head, tail = reader.read_lines() if file_format is Format.JSONL else reader.read_list()
    except JsonFault as fault:
        line, column = reader.places.of(fault.offset)
        raise UnreadableFile(line, column, fault.code, fault.detail) from None
    rows, bad_ids = identify(reader.rows)
    problems = sorted([*reader.problems, *bad_ids], key=lambda each: (each.line, each.column))
    return ProductFile(
        format=file_format,
        currency=currency,
        dialect=dialect,
        columns=(),
        head=dialect.bom + head.encode(dialect.encoding),
        rows=tuple(rows),
        tail=tail.encode(dialect.encoding),
        problems=tuple(problems),
        assumed_currency=reader.assumed_currency,
    )


def offset_of(text: str, path: MemberPath) -> int:
    """Return where in the text of an object the member at *path* starts; 0 if it is not there."""
    offset, found = 0, 0
    for name in path:
        if text[offset : offset + 1] != "{":
            break
        member = next((each for each in members(text, offset) if each.name == name), None)
        if member is None:
            break
        offset, found = member.value_start, member.start
    return found


class _Texts(NamedTuple):
    """What stands before a row, the row, and what stands between it and the comma after it."""

    before: str
    raw: str
    after: str = ""


@dataclass(slots=True)
class _JsonReader:
    text: str
    dialect: Dialect
    currency: str
    places: Lines
    rows: list[Row] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)
    assumed_currency: bool = False
    _told: set[tuple[MemberPath, str]] = field(default_factory=set)

    def read_lines(self) -> tuple[str, str]:
        """Read an object a line; return what stands before the first row and after the last."""
        text, done, start = self.text, 0, 0
        while start < len(text):
            match = LINE_END.search(text, start)
            content_end, end = match.span() if match else (len(text), len(text))
            offset = skip_space(text, start)
            if offset < content_end:
                document, refused = self._value_of_line(offset, content_end)
                self._add(
                    offset, document, _Texts(text[done:offset], text[offset:end]), refused=refused
                )
                done = end
            start = end
        return "", text[done:]

    def _value_of_line(self, offset: int, content_end: int) -> tuple[Json, bool]:
        try:
            value = read_whole(self.text[offset:content_end], 0, "line's object")
        except JsonFault as fault:
            fault.offset += offset
            self._fault(fault)
            return None, True
        return value, False

    def read_list(self) -> tuple[str, str]:
        """Read the rows of an array; return what stands before the first and after the last."""
        text = self.text
        offset = skip_space(text, 0)
        if offset == len(text):
            detail = "The file is empty. An empty catalog is: []"
            raise UnreadableFile(1, 1, "empty_file", detail)
        if text[offset] == "[":
            head_end, tail_start, end = self._array(offset)
        elif text[offset] == "{":
            head_end, tail_start, end = self._wrapper(offset)
        else:
            raise self._not_a_list(offset)
        rest = skip_space(text, end)
        if rest != len(text):
            raise JsonFault(rest, "invalid_json", "Nothing may follow the end of the list.")
        return text[:head_end], text[tail_start:]

    def _wrapper(self, start: int) -> tuple[int, int, int]:
        """Read ``{"products": […], …}``; other members are passed over and kept."""
        text, found = self.text, None
        offset = skip_space(text, start + 1)
        while text[offset : offset + 1] == '"':
            name, end = read_value(text, offset)
            colon = skip_space(text, end)
            if text[colon : colon + 1] != ":":
                raise JsonFault(colon, "invalid_json", "Expected a colon after a name.")
            value_start = skip_space(text, colon + 1)
            if name == _WRAPPER and found is None and text[value_start : value_start + 1] == "[":
                found = self._array(value_start)
                end = found[2]
            else:
                _, end = read_value(text, value_start)
            offset = skip_space(text, end)
            if text[offset : offset + 1] != ",":
                break
            offset = skip_space(text, offset + 1)
        if text[offset : offset + 1] != "}":
            raise JsonFault(offset, "invalid_json", "Expected a comma or '}'.")
        if found is None:
            raise self._not_a_list(start)
        return found[0], found[1], offset + 1

    def _array(self, start: int) -> tuple[int, int, int]:
        """Read an array; return where its rows start, where they end, and where it ends itself."""
        text = self.text
        done = start + 1
        offset = skip_space(text, done)
        if text[offset : offset + 1] == "]":
            return start + 1, start + 1, offset + 1
        while True:
            try:
                value, end = read_value(text, offset)
                refused = False
            except JsonFault as fault:
                if fault.end is None:
                    raise
                self._fault(fault)
                value, end, refused = None, fault.end, True
            after = skip_space(text, end)
            closing = text[after : after + 1]
            if closing not in {",", "]"}:
                raise JsonFault(after, "invalid_json", "Expected a comma or ']'.")
            trailing = text[end:after] if closing == "," else ""
            texts = _Texts(text[done:offset], text[offset:end], trailing)
            self._add(offset, value, texts, refused=refused)
            if closing == "]":
                return start + 1, end, after + 1
            done = after + 1
            offset = skip_space(text, done)

    def _add(self, offset: int, value: Json, texts: _Texts, *, refused: bool) -> None:
        """Add the row that starts at *offset*."""
        document: Document = {}
        path: Json = None
        version: Json = None
        whole = not refused
        if isinstance(value, Mapping):
            reading = read_object(value, self.currency)
            path = reading.fields.pop("category", None)
            version = reading.fields.pop(VERSION, None)
            document = assemble(reading.fields)
            self.assumed_currency |= reading.assumed_currency
            for finding in reading.findings:
                refused |= finding.severity is Severity.ERROR
                self._tell(offset, texts.raw, finding)
        elif not refused:
            refused = True
            whole = False
            detail = "A product is a JSON object."
            self._tell(offset, "", Finding((), value, "not_an_object", detail, Severity.ERROR))
        line, column = self.places.of(offset)
        encoding = self.dialect.encoding
        self.rows.append(
            Row(
                line=line,
                column=column,
                raw=texts.raw.encode(encoding),
                before=texts.before.encode(encoding),
                after=texts.after.encode(encoding),
                document=document,
                category_path=path if isinstance(path, tuple) else None,
                refused=refused,
                whole=whole,
                version=version if isinstance(version, int) else None,
            )
        )

    def _tell(self, offset: int, raw: str, finding: Finding) -> None:
        """Note a problem; a warning once for each name, because files repeat themselves."""
        if finding.severity is Severity.WARNING:
            key = (finding.path, finding.code)
            if key in self._told:
                return
            self._told.add(key)
        line, column = self.places.of(offset + (offset_of(raw, finding.path) if raw else 0))
        name = ".".join(finding.path)
        value = shorten(dump(finding.value, JsonStyle()))
        self.problems.append(
            FileProblem(line, column, name, value, finding.code, finding.detail, finding.severity)
        )

    def _fault(self, fault: JsonFault) -> None:
        line, column = self.places.of(fault.offset)
        value = shorten(self.text[fault.offset : fault.offset + VALUE_SHOWN_MAX])
        self.problems.append(FileProblem(line, column, "", value, fault.code, fault.detail))

    def _not_a_list(self, offset: int) -> UnreadableFile:
        line, column = self.places.of(offset)
        detail = 'Expected an array of products, or an object {"products": [ … ]}.'
        return UnreadableFile(line, column, "not_a_product_list", detail)
