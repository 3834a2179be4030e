r"""Reads JSON as RFC 8259 has it, and says where a text is not JSON.

Refused, each with line and column: what is not UTF-8, a byte order mark, an empty text, wrong
syntax, ``NaN`` and ``Infinity``, an object with two members of one name, a ``\u`` escape that is
half a surrogate pair, nesting deeper than 64, a number of more than 128 characters, and anything
behind the value. Floats come out as :class:`~vitrina.service_layer.documents.WrittenFloat`, so that
an amount of money keeps the digits it was sent with.

The standard library's parser does the work. It accepts some of the above, or refuses it without
saying where; only then a slow scanner goes over the text to find the place: at some 300 KB a second it
must not meet every long text.
"""

import json
import re
from itertools import accumulate
from typing import Final, Never

import orjson

from vitrina.domain.pointers import format_pointer
from vitrina.service_layer.documents import Document, Json, WrittenFloat

DEPTH_MAX: Final = 64
NUMBER_LENGTH_MAX: Final = 128

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_LITERALS: Final = ("true", "false", "null")
_CONSTANTS: Final = ("NaN", "Infinity", "-Infinity")
_SURROGATE_ESCAPE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_NO_BRACKETS: Final = re.compile(rb"[^\[\]{}]++")
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class MalformedJson(ValueError):
    """A text is not JSON.

    Attributes:
        line: From 1.
        column: From 1, in characters.
        pointer: The value around the place, as an RFC 6901 JSON Pointer.
    """

    def __init__(self, detail: str, *, line: int, column: int, pointer: str = "") -> None:
        super().__init__(f"{detail} (line {line}, column {column})")
        self.line = line
        self.column = column
        self.pointer = pointer


def parse(content: bytes) -> Json:
    """Return the value that *content* holds.

    Raises:
        MalformedJson: It is not JSON, or beyond one of the limits.
    """
    text = _decode(content)
    try:
        value: Json = _DECODER.decode(text)
    except (ValueError, RecursionError):
        _Scanner(text).refuse()
    if _is_too_deep(content) or _has_half_a_pair(content):
        _Scanner(text).scan()
    return value


def _is_too_deep(content: bytes) -> bool:
    """Say whether a text that is JSON is nested too deep."""
    if content.count(b"[") + content.count(b"{") <= DEPTH_MAX:
        return False
    brackets = _NO_BRACKETS.sub(b"", _STRING.sub(b"", content))
    return max(accumulate(map(_STEPS.__getitem__, brackets))) > DEPTH_MAX


def _has_half_a_pair(content: bytes) -> bool:
    """Say whether a text that is JSON may have an escape that is half a surrogate pair."""
    if not _SURROGATE_ESCAPE.search(content):
        return False
    try:
        orjson.loads(content)  # It takes whole pairs only, and not every number.
    except orjson.JSONDecodeError:
        return True
    return False


def _decode(content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        line, column = _place(before, len(before))
        raise MalformedJson("The text is not UTF-8.", line=line, column=column) from None
    if text.startswith("\ufeff"):
        raise MalformedJson("JSON does not start with a byte order mark.", line=1, column=1)
    return text


def _place(text: str, position: int) -> tuple[int, int]:
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


class _Unusual(ValueError):
    """Something the scanner has to find the place of."""


def _members(pairs: list[tuple[str, Json]]) -> Document:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Unusual
    return members


def _float(text: str) -> WrittenFloat:
    if len(text) > NUMBER_LENGTH_MAX:
        raise _Unusual
    return WrittenFloat(text)


def _int(text: str) -> int:
    if len(text) > NUMBER_LENGTH_MAX:
        raise _Unusual
    return int(text)


def _constant(_: str) -> Never:
    raise _Unusual


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_float, parse_int=_int, parse_constant=_constant
)


class _Scanner:
    """Goes over a text to find the first place where it breaks a rule."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._path: list[str | int] = []

    def refuse(self) -> Never:
        """Raise for the first fault.

        Raises:
            MalformedJson: Always: the text is known to be faulty.
        """
        self.scan()
        raise AssertionError("the parser refused what the scanner accepts")

    def scan(self) -> None:
        """Raise for the first fault, if there is one.

        Raises:
            MalformedJson: There is one.
        """
        if not self._text.strip(" \t\n\r"):
            self._fail("The text is empty; expected a JSON value.")
        self._value()
        self._space()
        if self._at < len(self._text):
            self._fail("There is something behind the JSON value.")

    def _fail(self, detail: str) -> Never:
        line, column = _place(self._text, self._at)
        pointer = format_pointer(map(str, self._path))
        raise MalformedJson(detail, line=line, column=column, pointer=pointer)

    def _space(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _next(self) -> str:
        """Return the character at the present place; "" at the end."""
        return self._text[self._at : self._at + 1]

    def _value(self) -> None:
        self._space()
        match self._next():
            case "{":
                self._deeper()
                self._object()
            case "[":
                self._deeper()
                self._array()
            case '"':
                self._string()
            case "":
                self._fail("The text ends where a value is expected.")
            case _:
                self._scalar()

    def _deeper(self) -> None:
        if len(self._path) >= DEPTH_MAX:
            self._fail(f"JSON may be nested at most {DEPTH_MAX} levels deep here.")
        self._at += 1
        self._space()

    def _object(self) -> None:
        names: set[str] = set()
        if self._next() == "}":
            self._at += 1
            return
        while True:
            self._space()
            if self._next() != '"':
                self._fail("Expected a member's name in double quotes.")
            start = self._at
            name = self._string()
            if name in names:
                self._at = start
                self._fail(f"The object has two members {name[:40]!r}.")
            names.add(name)
            self._space()
            if self._next() != ":":
                self._fail("Expected ':' behind the member's name.")
            self._at += 1
            if self._element(name, "}", "a member"):
                return

    def _array(self) -> None:
        if self._next() == "]":
            self._at += 1
            return
        place = 0
        while not self._element(place, "]", "a value"):
            place += 1

    def _element(self, key: str | int, end: str, what: str) -> bool:
        """Read one value and what stands behind it; say whether that was the *end*."""
        self._path.append(key)
        self._value()
        self._path.pop()
        self._space()
        behind = self._next()
        if behind not in {",", end} or not behind:
            self._fail(f"Expected ',' or '{end}' behind {what}.")
        self._at += 1
        return behind == end

    def _string(self) -> str:
        try:
            text, end = _DECODER.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            self._at = error.pos
            self._fail("This is not a JSON string: " + error.msg.removesuffix(" at").lower() + ".")
        if _SURROGATE.search(text):
            self._fail("The string has half a surrogate pair, which is not a character.")
        self._at = end
        return str(text)

    def _scalar(self) -> None:
        for literal in _LITERALS:
            if self._text.startswith(literal, self._at):
                self._at += len(literal)
                return
        if self._text.startswith(_CONSTANTS, self._at):
            self._fail("JSON has neither NaN nor Infinity.")
        match = _NUMBER.match(self._text, self._at)
        if match is None:
            self._fail("Expected a JSON value.")
        if len(match.group()) > NUMBER_LENGTH_MAX:
            self._fail(f"A number has at most {NUMBER_LENGTH_MAX} characters.")
        self._at = match.end()
