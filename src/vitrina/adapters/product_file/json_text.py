"""Strict JSON (RFC 8259) with places: where a value stands, what is wrong, and edits in the text.

Values are read by the fast decoder of the standard library; numbers with a fraction keep how they
were written. What that decoder lets pass, or reports without a place, a slower scan finds:
duplicate names, NaN and Infinity, lone surrogates, and nesting deeper than 64.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Final

from vitrina.service_layer.documents import Document, Json, WrittenFloat

DEPTH_MAX: Final = 64
"""How deep objects and arrays may lie in each other, the outermost counted."""

_SPACE: Final = re.compile(r"[ \t\n\r]*+")
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+")
_WORD: Final = re.compile(r"true|false|null")
_NOT_JSON: Final = re.compile(r"-?Infinity|NaN")
_ESCAPED_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_DIGITS_MAX: Final = 1_000


class JsonFault(Exception):
    """The text is not the JSON that is expected.

    Attributes:
        offset: Of the character where it shows.
        code: ``invalid_json``, ``duplicate_name``, ``not_json_number``, ``number_too_long``,
            ``lone_surrogate`` or ``too_deep``.
        end: Where the value ends that has the fault, when the text is well-formed otherwise.
    """

    def __init__(self, offset: int, code: str, detail: str, *, end: int | None = None) -> None:
        super().__init__(detail)
        self.offset = offset
        self.code = code
        self.detail = detail
        self.end = end


@dataclass(slots=True)
class Member:
    """One member of an object, as it stands in the text.

    Attributes:
        name: Decoded.
        start, end: Of the name's opening quote, and behind the value.
        value_start: Of the value.
    """

    name: str
    start: int
    value_start: int
    end: int


class _Suspicious(Exception):
    """The fast decoder met what the slow scan must look at."""


def _unique(pairs: list[tuple[str, Json]]) -> Document:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise _Suspicious
    return document


def _refuse_constant(_: str) -> Json:
    raise _Suspicious


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=WrittenFloat, parse_constant=_refuse_constant
)


def skip_space(text: str, offset: int) -> int:
    match = _SPACE.match(text, offset)
    return match.end() if match else offset


def read_value(text: str, offset: int) -> tuple[Json, int]:
    """Return the value that starts exactly at *offset*, and where it ends.

    Raises:
        JsonFault: Its ``end`` is set when only the value is at fault, so that reading can go on.
    """
    try:
        value, end = _DECODER.raw_decode(text, offset)
    except (ValueError, RecursionError, _Suspicious):
        _Scan(text).explain(offset)
        raise JsonFault(offset, "invalid_json", "Expected a JSON value.") from None
    if text.count("{", offset, end) + text.count(
        "[", offset, end
    ) > DEPTH_MAX or _ESCAPED_SURROGATE.search(text, offset, end):
        _Scan(text).explain(offset)
    return value, end


def read_whole(text: str, offset: int, kind: str) -> Json:
    """Return the value that starts at *offset*, after which only white space may follow.

    Raises:
        JsonFault: As :func:`read_value`, or something follows; *kind* is what it would follow.
    """
    value, end = read_value(text, offset)
    rest = skip_space(text, end)
    if rest != len(text):
        raise JsonFault(rest, "invalid_json", f"Nothing may follow the end of the {kind}.")
    return value


def members(text: str, offset: int) -> list[Member]:
    """Return the members of the object that starts at *offset*; it must be well-formed."""
    scan = _Scan(text)
    scan.keep_at = offset
    scan.value(offset, 1)
    return scan.kept


@dataclass(slots=True)
class _Scan:
    """A slow reader that knows where it is; the first fault that lets it go on is kept."""

    text: str
    fault: JsonFault | None = None
    keep_at: int = -1
    kept: list[Member] = field(default_factory=list)

    def explain(self, offset: int) -> None:
        """Raise what is wrong with the value at *offset*, if anything is."""
        end = self.value(offset, 1)
        if self.fault is not None:
            self.fault.end = end
            raise self.fault

    def value(self, offset: int, depth: int) -> int:
        """Return where the value at *offset* ends."""
        char = self.text[offset : offset + 1]
        if char in {"{", "["} and depth > DEPTH_MAX:
            raise JsonFault(offset, "too_deep", f"Nested deeper than {DEPTH_MAX} levels.")
        if char == "{":
            return self._object(offset, depth)
        if char == "[":
            return self._array(offset, depth)
        if char == '"':
            return self._string(offset)
        if match := _WORD.match(self.text, offset):
            return match.end()
        if match := _NOT_JSON.match(self.text, offset):
            self._note(offset, "not_json_number", f"{match[0]} is no JSON number.")
            return match.end()
        if match := _NUMBER.match(self.text, offset):
            if match.end() - offset > _DIGITS_MAX:
                self._note(offset, "number_too_long", f"At most {_DIGITS_MAX} digits are read.")
            return match.end()
        found = repr(char) if char else "the end of the text"
        raise JsonFault(offset, "invalid_json", f"Expected a JSON value, not {found}.")

    def _object(self, start: int, depth: int) -> int:
        names: set[str] = set()

        def member(offset: int) -> int:
            if self.text[offset : offset + 1] != '"':
                raise JsonFault(offset, "invalid_json", "Expected a name in double quotes.")
            end = self._string(offset)
            name = str(json.loads(self.text[offset:end]))
            if name in names:
                self._note(offset, "duplicate_name", f"The name {name!r} occurs twice.")
            names.add(name)
            colon = skip_space(self.text, end)
            if self.text[colon : colon + 1] != ":":
                raise JsonFault(colon, "invalid_json", "Expected a colon after a name.")
            value_start = skip_space(self.text, colon + 1)
            value_end = self.value(value_start, depth + 1)
            if start == self.keep_at:
                self.kept.append(Member(name, offset, value_start, value_end))
            return value_end

        return self._list(start, "}", member)

    def _array(self, start: int, depth: int) -> int:
        return self._list(start, "]", lambda offset: self.value(offset, depth + 1))

    def _list(self, start: int, closing: str, item: Callable[[int], int]) -> int:
        offset = skip_space(self.text, start + 1)
        if self.text[offset : offset + 1] == closing:
            return offset + 1
        while True:
            offset = skip_space(self.text, item(offset))
            char = self.text[offset : offset + 1]
            if char == closing:
                return offset + 1
            if char != ",":
                detail = f"Expected a comma or {closing!r}."
                raise JsonFault(offset, "invalid_json", detail)
            offset = skip_space(self.text, offset + 1)

    def _string(self, offset: int) -> int:
        match = _STRING.match(self.text, offset)
        if match is None:
            detail = "A string that is not closed, or holds a line break or a wrong escape."
            raise JsonFault(offset, "invalid_json", detail)
        if _ESCAPED_SURROGATE.search(match[0]):
            decoded = str(json.loads(match[0]))
            if any("\ud800" <= char <= "\udfff" for char in decoded):
                self._note(offset, "lone_surrogate", "A lone surrogate is not text.")
        return match.end()

    def _note(self, offset: int, code: str, detail: str) -> None:
        if self.fault is None:
            self.fault = JsonFault(offset, code, detail)


# --- writing


@dataclass(frozen=True, slots=True)
class JsonStyle:
    """How a text lays out JSON.

    Attributes:
        indent: One level's white space, or "" when everything stands on one line.
        line_end: Between lines.
        colon: Between name and value, white space included.
        comma: Between items on one line.
        ascii: Other characters are escaped.
    """

    indent: str = ""
    line_end: str = "\n"
    colon: str = ": "
    comma: str = ", "
    ascii: bool = False


def dump(value: Json, style: JsonStyle, base: str = "") -> str:
    """Return *value* in *style*; *base* is the white space before the line it starts on."""
    match value:
        case str():
            return encode_basestring_ascii(value) if style.ascii else encode_basestring(value)
        case WrittenFloat():
            return value.text
        case float():
            return float.__repr__(value)
        case bool() | int() | None:
            return json.dumps(value)
        case Mapping():
            items = [f"{dump(k, style)}{style.colon}{dump(v, style, base + style.indent)}"
                     for k, v in value.items()]  # fmt: skip
            return _lay_out("{", items, "}", style, base)
        case Sequence():
            items = [dump(each, style, base + style.indent) for each in value]
            return _lay_out("[", items, "]", style, base)


def _lay_out(opening: str, items: list[str], closing: str, style: JsonStyle, base: str) -> str:
    if not items or not style.indent:
        return opening + style.comma.join(items) + closing
    inner = style.line_end + base + style.indent
    return opening + inner + f",{inner}".join(items) + style.line_end + base + closing


def edit_object(text: str, changes: Mapping[str, str | None], style: JsonStyle) -> str:
    """Return the text of an object with some members' values replaced, added or taken away.

    Args:
        text: The object, from brace to brace; everything that is not changed stays as it is.
        changes: Name → the text of its new value; None takes the member away.
        style: For names and colons of new members.
    """
    present = members(text, 0)
    kept: list[tuple[str, str]] = []  # What stands before a member, and the member.
    position = 1
    for place, member in enumerate(present):
        lead = text[position : member.start]
        if place:
            lead = lead.replace(",", "", 1)
        position = member.end
        if member.name not in changes:
            kept.append((lead, text[member.start : member.end]))
        elif (value := changes[member.name]) is not None:
            kept.append((lead, text[member.start : member.value_start] + value))
    lead = kept[-1][0] if kept else (text[1 : present[0].start] if present else "")
    names = {member.name for member in present}
    for name, value in changes.items():
        if name not in names and value is not None:
            before = lead or (style.comma.removeprefix(",") if kept else "")
            kept.append((before, f"{dump(name, style)}{style.colon}{value}"))
    return "{" + ",".join(before + member for before, member in kept) + text[position:]


def style_of(raw: str, base: str, *, line_end: str) -> JsonStyle:
    """Return how the object *raw* is laid out; *base* is the white space before its first line."""
    escapes = raw.isascii() and "\\u" in raw
    found = members(raw, 0)
    if not found:
        return JsonStyle("", line_end, ascii=escapes)
    first = found[0]
    lead = raw[1 : first.start]
    name_end = first.start + len(raw[first.start : first.value_start].rstrip(": \t\r\n"))
    colon = raw[name_end : first.value_start]
    if "\n" in lead or "\r" in lead:
        indent = lead.lstrip("\r\n").removeprefix(base)
        return JsonStyle(indent, line_end, colon, ", ", escapes)
    between = raw[first.end : found[1].start] if len(found) > 1 else ", "
    return JsonStyle("", line_end, colon, between, escapes)
