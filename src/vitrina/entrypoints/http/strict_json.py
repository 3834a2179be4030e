r"""Reads JSON as RFC 8259 has it, and says where a text is not JSON.

Refused, each with line and column: what is not UTF-8, a byte order mark, an empty text, wrong
syntax, ``NaN`` and ``Infinity``, an object with two members of one name, a ``\u`` escape that is
half a surrogate pair, nesting deeper than 64, a number of more than 128 characters, and anything
behind the value. Floats come out as :class:`~vitrina.service_layer.documents.WrittenFloat`, so that
an amount of money keeps the digits it was sent with.

The standard library's parser does the work. It accepts some of the above, or refuses it without
saying where. Then the place is looked for by regular expressions that pass over everything else, and
the pointer to it is made of the brackets and commas before it. All of that takes time in proportion to
the text, and not much more than parsing it, so that nobody can keep the service busy with nonsense.
"""

import json
import re
from collections.abc import Callable
from itertools import accumulate
from typing import Final, Never

import orjson

from vitrina.domain.pointers import format_pointer
from vitrina.service_layer.documents import Document, Json, WrittenFloat

DEPTH_MAX: Final = 64
NUMBER_LENGTH_MAX: Final = 128

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_SURROGATE_ESCAPE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_STRING_BYTES: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_NO_BRACKETS: Final = re.compile(rb"[^\[\]{}]++")
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}

# What follows is matched against text that is JSON up to the fault, always from a known place on, and
# never goes back: each character is looked at once.
_STRING: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_MARKS: Final = re.compile(rf'(?:[^\[\]{{}},"]++|{_STRING})*+([\[\]{{}},]?)', re.DOTALL)
"""Each bracket and each comma that is not in a string; nothing at the end, or before an open string."""
_NAME: Final = re.compile(rf"[ \t\n\r]*({_STRING})[ \t\n\r]*:", re.DOTALL)
_UP_TO_CONSTANT: Final = re.compile(rf'(?:[^"NI]++|{_STRING})*+', re.DOTALL)
_UP_TO_LONG_NUMBER: Final = re.compile(
    rf'(?:[^"0-9-]++|{_STRING}|[-+.0-9eE]{{1,{NUMBER_LENGTH_MAX}}}+(?![-+.0-9eE]))*+', re.DOTALL
)
_HEX: Final = "[0-9a-fA-F]"
_UP_TO_HALF_A_PAIR: Final = re.compile(
    r'(?:[^"]++|"(?:[^"\\]++|\\[^u]|\\u(?:'
    rf"[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}}|(?![dD][89a-fA-F]){_HEX}{{4}}"
    r'))*+")*+',
    re.DOTALL,
)

_CLOSING: Final = frozenset("]}")
_HALF_A_PAIR: Final = "The string has half a surrogate pair, which is not a character."


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
    except json.JSONDecodeError as error:
        _refuse_syntax(text, error)
    except _Repeated:
        _refuse_repeated(text)
    except _Constant:
        at = _pass_over(_UP_TO_CONSTANT, text)
        at -= text.startswith("-", at - 1)
        _refuse(text, at, "JSON has neither NaN nor Infinity.")
    except _LongNumber:
        at = _pass_over(_UP_TO_LONG_NUMBER, text)
        _refuse(text, at, f"A number has at most {NUMBER_LENGTH_MAX} characters.")
    except RecursionError:
        _walk(text, len(text))
        raise
    if _is_too_deep(content):
        _walk(text, len(text))
    if _may_have_half_a_pair(content):
        at = _pass_over(_UP_TO_HALF_A_PAIR, text)
        if at < len(text):
            _refuse(text, at, _HALF_A_PAIR)
    return value


def _is_too_deep(content: bytes) -> bool:
    """Say whether a text that is JSON is nested too deep."""
    if content.count(b"[") + content.count(b"{") <= DEPTH_MAX:
        return False
    brackets = _NO_BRACKETS.sub(b"", _STRING_BYTES.sub(b"", content))
    return max(accumulate(map(_STEPS.__getitem__, brackets))) > DEPTH_MAX


def _may_have_half_a_pair(content: bytes) -> bool:
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


class _Repeated(Exception):
    """An object has two members of one name."""


class _LongNumber(Exception):
    """A number is too long."""


class _Constant(Exception):
    """A number is none."""


def _members(pairs: list[tuple[str, Json]]) -> Document:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Repeated
    return members


def _float(text: str) -> WrittenFloat:
    if len(text) > NUMBER_LENGTH_MAX:
        raise _LongNumber
    return WrittenFloat(text)


def _int(text: str) -> int:
    if len(text) > NUMBER_LENGTH_MAX:
        raise _LongNumber
    return int(text)


def _constant(_: str) -> Never:
    raise _Constant


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_float, parse_int=_int, parse_constant=_constant
)


class _Open:
    """An array or object that is open at some place of a text.

    Attributes:
        at: Where it begins.
        mark: Where its last comma is so far, or else its bracket.
        commas: How many of them it has.
        names: Of its members, as far as somebody looked.
    """

    __slots__ = ("at", "commas", "mark", "names")

    def __init__(self, at: int) -> None:
        self.at = self.mark = at
        self.commas = 0
        self.names: set[str] | None = None


def _refuse(text: str, at: int, detail: str, *, behind: bool = False) -> Never:
    """Raise for the fault of a value, or of what stands *behind* one.

    Raises:
        MalformedJson: Always; for an earlier fault, where the way to this one meets it.
    """
    _raise(text, at, detail, _keys(text, _walk(text, at), at, behind=behind))


def _raise(text: str, at: int, detail: str, keys: list[str]) -> Never:
    line, column = _place(text, at)
    raise MalformedJson(detail, line=line, column=column, pointer=format_pointer(keys))


def _pass_over(pattern: re.Pattern[str], text: str, start: int = 0) -> int:
    """Return where *pattern*, which matches anything, ends."""
    match = pattern.match(text, start)
    return match.end() if match else start


def _walk(text: str, end: int, look: Callable[[list[_Open]], None] | None = None) -> list[_Open]:
    """Return the arrays and objects that are open before *end*, the outermost first.

    Args:
        text: JSON up to *end*.
        end: How far to go.
        look: Called wherever a value or a member may begin, with what is open there.

    Raises:
        MalformedJson: They are too many at some place before it.
    """
    opened: list[_Open] = []
    for match in _MARKS.finditer(text, 0, end):
        mark, at = match[1], match.end() - 1
        if mark == ",":
            innermost = opened[-1]
            innermost.commas += 1
            innermost.mark = at
        elif mark in _CLOSING:
            opened.pop()
            continue
        elif not mark:
            break
        elif len(opened) < DEPTH_MAX:
            opened.append(_Open(at))
        else:
            detail = f"JSON may be nested at most {DEPTH_MAX} levels deep here."
            _raise(text, at, detail, _keys(text, opened, at))
        if look is not None:
            look(opened)
    return opened


def _string(written: str) -> str:
    """Return what a string in JSON holds."""
    if "\\" not in written:
        return written[1:-1]
    decoded: str = json.loads(written)
    return decoded


def _keys(text: str, opened: list[_Open], at: int, *, behind: bool = False) -> list[str]:
    """Return the way to a place: a name or a number for each array and object that is open there.

    The innermost one has none when the place is *behind* a value or in a name.

    Raises:
        MalformedJson: A name on the way is no text.
    """
    keys: list[str] = []
    for level, each in enumerate(opened, 1):
        innermost = level == len(opened)
        if innermost and behind:
            break
        if text[each.at] == "[":
            keys.append(str(each.commas))
        elif name := _NAME.match(text, each.mark + 1, at if innermost else opened[level].at):
            decoded = _string(name[1])
            if _SURROGATE.search(decoded):
                _raise(text, name.start(1), _HALF_A_PAIR, keys)
            keys.append(decoded)
    return keys


def _refuse_syntax(text: str, error: json.JSONDecodeError) -> Never:
    """Say in our words what the parser has found.

    Raises:
        MalformedJson: Always.
    """
    at = error.pos
    match error.msg:
        case "Expecting value":
            at = _pass_over(_SPACE, text, at)
            if not text.strip(" \t\n\r"):
                _refuse(text, 0, "The text is empty; expected a JSON value.")
            ends = at == len(text)
            detail = (
                "The text ends where a value is expected." if ends else "Expected a JSON value."
            )
            _refuse(text, at, detail)
        case "Illegal trailing comma before end of array":
            _refuse(text, _pass_over(_SPACE, text, at + 1), "Expected a JSON value.")
        case "Illegal trailing comma before end of object":
            at = _pass_over(_SPACE, text, at + 1)
            _refuse(text, at, "Expected a member's name in double quotes.")
        case "Expecting property name enclosed in double quotes":
            _refuse(text, at, "Expected a member's name in double quotes.")
        case "Expecting ':' delimiter":
            _refuse(text, at, "Expected ':' behind the member's name.", behind=True)
        case "Expecting ',' delimiter":
            in_object = text[_walk(text, at)[-1].at] == "{"
            end, what = ("}", "a member") if in_object else ("]", "a value")
            _refuse(text, at, f"Expected ',' or '{end}' behind {what}.", behind=True)
        case "Extra data":
            _refuse(text, at, "There is something behind the JSON value.")
        case other:
            detail = other.removesuffix(" at").lower()
            _refuse(text, at, f"This is not a JSON string: {detail}.")


def _refuse_repeated(text: str) -> Never:
    """Raise for the first member whose name its object has already.

    Raises:
        MalformedJson: Always.
    """

    def look(opened: list[_Open]) -> None:
        innermost = opened[-1]
        if text[innermost.at] == "{" and (name := _NAME.match(text, innermost.mark + 1)):
            decoded = _string(name[1])
            names = innermost.names = innermost.names or set()
            if decoded in names:
                detail = f"The object has two members {decoded[:40]!r}."
                _raise(text, name.start(1), detail, _keys(text, opened, name.start(1)))
            names.add(decoded)

    _walk(text, len(text), look)
    raise AssertionError("the parser found a name twice that is there once")
