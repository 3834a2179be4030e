"""The strict JSON reader: what it refuses, where it says the fault is, and that it reads all else."""

import json
import sys
from decimal import Decimal
from math import inf

import pytest
from hypothesis import example, given, strategies as st

from vitrina.entrypoints.http.strict_json import (
    DEPTH_MAX,
    NUMBER_LENGTH_MAX,
    MalformedJson,
    parse,
)
from vitrina.service_layer.documents import WrittenFloat

FAULTY = {
    "nothing": (b"", 1, 1, ""),
    "white space": (b" \n ", 1, 1, ""),
    "not UTF-8": (b'{"a": "\xff"}', 1, 8, ""),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), 1, 1, ""),
    "an encoded surrogate": (b'"\xed\xa0\x80"', 1, 2, ""),
    "a byte order mark": (b"\xef\xbb\xbf{}", 1, 1, ""),
    "NUL": (b"\x00", 1, 1, ""),
    "NUL in a string": (b'"a\x00"', 1, 3, ""),
    "a line break in a string": (b'"a\nb"', 1, 3, ""),
    "NaN": (b'{"a": NaN}', 1, 7, "/a"),
    "Infinity": (b"[1, Infinity]", 1, 5, "/1"),
    "-Infinity": (b"[-Infinity]", 1, 2, "/0"),
    "a repeated member": (b'{"a": 1,\n "b": {"c": 1, "c": 2}}', 2, 16, "/b"),
    "a repeated member, escaped": (b'{"a": 1, "\\u0061": 2}', 1, 10, ""),
    "half a surrogate pair": (b'["\\ud800"]', 1, 2, "/0"),
    "the other half": (b'["\\uDC00"]', 1, 2, "/0"),
    "a pair, and half of one": (b'["\\ud83d\\ude00", "\\ud83d"]', 1, 18, "/1"),
    "half a pair in a name": (b'{"\\ud800": 1}', 1, 2, ""),
    "something behind": (b"{} {}", 1, 4, ""),
    "a comma too much in an object": (b'{"a": 1,}', 1, 9, ""),
    "a comma too much in an array": (b"[1,]", 1, 4, "/1"),
    "a comma too early": (b'{,"a": 1}', 1, 2, ""),
    "an earlier name that is no text": (b'{"\\ud800": {"a": nul}}', 1, 2, ""),
    "no colon": (b'{"a" 1}', 1, 6, ""),
    "no comma": (b"[1 2]", 1, 4, ""),
    "single quotes": (b"{'a': 1}", 1, 2, ""),
    "a name without quotes": (b"{a: 1}", 1, 2, ""),
    "a comment": (b"[1, /* two */ 2]", 1, 5, "/1"),
    "an open object": (b'{"a": 1', 1, 8, ""),
    "an open array": (b"[1", 1, 3, ""),
    "an open string": (b'["abc', 1, 2, "/0"),
    "a wrong escape": (b'"\\q"', 1, 2, ""),
    "a value too few": (b'{"a":', 1, 6, "/a"),
    "a leading zero": (b"[01]", 1, 3, ""),
    "a plus sign": (b"[+1]", 1, 2, "/0"),
    "a bare point": (b"[.5]", 1, 2, "/0"),
    "hexadecimal": (b"[0x1f]", 1, 3, ""),
    "True": (b"True", 1, 1, ""),
    "undefined": (b"undefined", 1, 1, ""),
    "a pointer to escape": (b'{"a/b~c": nul}', 1, 11, "/a~1b~0c"),
    "a long integer": (b"[" + b"9" * (NUMBER_LENGTH_MAX + 1) + b"]", 1, 2, "/0"),
    "a very long integer": (b"9" * 100_000, 1, 1, ""),
    "a long exponent": (b"1e" + b"9" * NUMBER_LENGTH_MAX, 1, 1, ""),
    "too deep": (
        b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
        1,
        DEPTH_MAX + 1,
        "/0" * DEPTH_MAX,
    ),
    "far too deep": (b'{"a":' * 100_000, 1, 5 * DEPTH_MAX + 1, "/a" * DEPTH_MAX),
}


@pytest.mark.parametrize(
    ("content", "line", "column", "pointer"), FAULTY.values(), ids=FAULTY.keys()
)
def test_what_is_not_json_is_refused_with_its_place(
    content: bytes, line: int, column: int, pointer: str
) -> None:
    with pytest.raises(MalformedJson) as raised:
        parse(content)

    error = raised.value
    assert (error.line, error.column, error.pointer) == (line, column, pointer)
    assert str(error).endswith(f"(line {line}, column {column})")


def test_nesting_may_be_64_levels_deep() -> None:
    value = parse(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX)

    assert json.dumps(value) == "[" * DEPTH_MAX + "]" * DEPTH_MAX


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert parse(b"[" + b"[]," * 200 + b"{}]") == [[]] * 200 + [{}]


@given(
    depth=st.integers(1, DEPTH_MAX + 2),
    text=st.text('[]{}\\"/u', max_size=80),
    in_objects=st.booleans(),
)
def test_brackets_in_strings_do_not_nest(depth: int, text: str, *, in_objects: bool) -> None:
    written = json.dumps(text).encode()
    opened, closed = (b'{"a":', b"}") if in_objects else (b"[", b"]")
    content = b"[%s,%s]" % (written, opened * (depth - 1) + written + closed * (depth - 1))

    if depth <= DEPTH_MAX:
        assert parse(content) == json.loads(content)
    else:
        with pytest.raises(MalformedJson, match="nested at most 64 levels"):
            parse(content)


def test_a_number_keeps_the_digits_it_was_written_with() -> None:
    value = parse(b'{"amount": 12.10, "huge": 1e400, "whole": 12}')

    assert isinstance(value, dict)
    amount = value["amount"]
    assert isinstance(amount, WrittenFloat)
    assert amount.text == "12.10"
    assert Decimal(amount.text) == Decimal("12.10")
    assert value["whole"] == 12
    assert isinstance(value["huge"], WrittenFloat)
    assert value["huge"].text == "1e400"


def test_a_whole_surrogate_pair_is_one_character() -> None:
    assert parse(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"
    assert parse(b'["\\ud83d\\ude00", 1e400, "\\\\ud800"]') == ["\N{GRINNING FACE}", inf, "\\ud800"]


documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=20,
)


@given(document=documents, indent=st.sampled_from([None, 2]), ascii_only=st.booleans())
def test_every_json_text_is_read_as_the_standard_library_reads_it(
    document: object, indent: int | None, *, ascii_only: bool
) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)

    assert parse(text.encode()) == json.loads(text)


@given(
    st.binary(max_size=40)
    | st.text('{}[]",:0123456789.eE+-truefalsn \\u', max_size=30).map(str.encode)
)
@example(b'{"a":1}x')
def test_any_bytes_are_json_or_refused_with_a_place(content: bytes) -> None:
    try:
        value = parse(content)
    except MalformedJson as error:
        refused = error
    else:
        assert json.loads(content) == value
        return
    assert 1 <= refused.line <= content.count(b"\n") + 1
    assert refused.column >= 1


LONG = 20_000
NONSENSE = {
    "many values, then none": b"[" + b"1," * LONG,
    "many members, then none": b"{" + b'"a": 1,' * LONG,
    "many arrays, then a fault": b"[" + b"[]," * LONG + b"x]",
    "many objects, then a fault": b"[" + b'{"a":{}},' * LONG + b"}",
    "many names, one of them twice": b"{"
    + b"".join(b'"a%d":1,' % number for number in range(LONG))
    + b'"a0":1}',
    "many open arrays": b"[" * LONG,
    "many open objects": b'{"a":' * LONG,
    "many quotes": b'"' * (2 * LONG + 1),
    "many backslashes": b'"' + b"\\" * (2 * LONG + 1) + b'"',
    "many strings, and one open": b'["' + b'x","' * LONG,
    "many pairs, and half of one": b'["' + b"\\ud83d\\ude00" * LONG + b'\\ud83d"]',
    "many short numbers, and a long one": b"[" + b"12345," * LONG + b"1" * 200 + b"]",
    "many strings, and a constant": b"[" + b'"NaN",' * LONG + b"NaN]",
    "many lines, and a fault": b"[\n" * 10 + b"\n" * LONG + b"]",
}


@pytest.mark.parametrize("content", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_takes_steps_in_proportion_to_its_length(content: bytes) -> None:
    """A few for each bracket, comma and name, and none for any other character."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        with pytest.raises(MalformedJson):
            parse(content)
    finally:
        sys.setprofile(before)
    marks = sum(map(content.count, b"[]{},"))
    assert calls <= 400 + 30 * marks
