"""JSON Patch and JSON Merge Patch: every example of their RFCs, and what must hold for any document."""

import copy
import json
from typing import Final

import pytest
from hypothesis import assume, given, strategies as st

from vitrina.domain.errors import MalformedPatch, PatchConflict
from vitrina.domain.pointers import format_pointer, parse_pointer
from vitrina.service_layer.documents import Json, WrittenFloat
from vitrina.service_layer.patches import (
    DEPTH_MAX,
    OPERATIONS_MAX,
    JsonPatch,
    MergePatch,
    same,
)


def patched(document: Json, *operations: Json) -> Json:
    return JsonPatch.parse(list(operations)).apply(document)


MERGE_EXAMPLES: Final[list[tuple[Json, Json, Json]]] = [
    # RFC 7396, appendix A, in its order: original, patch, result.
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("original", "patch", "result"), MERGE_EXAMPLES)
def test_rfc_7396_appendix_a(original: Json, patch: Json, result: Json) -> None:
    assert MergePatch(patch).apply(original) == result


def test_rfc_7396_section_3() -> None:
    original: Json = {
        "title": "Goodbye!",
        "author": {"givenName": "John", "familyName": "Doe"},
        "tags": ["example", "sample"],
        "content": "This will be unchanged",
    }
    patch: Json = {
        "title": "Hello!",
        "phoneNumber": "+01-123-456-7890",
        "author": {"familyName": None},
        "tags": ["example"],
    }

    assert MergePatch(patch).apply(original) == {
        "title": "Hello!",
        "author": {"givenName": "John"},
        "tags": ["example"],
        "content": "This will be unchanged",
        "phoneNumber": "+01-123-456-7890",
    }


A: Final[list[tuple[str, Json, list[Json], Json]]] = [
    (
        "A.1 adding an object member",
        {"foo": "bar"},
        [{"op": "add", "path": "/baz", "value": "qux"}],
        {"baz": "qux", "foo": "bar"},
    ),
    (
        "A.2 adding an array element",
        {"foo": ["bar", "baz"]},
        [{"op": "add", "path": "/foo/1", "value": "qux"}],
        {"foo": ["bar", "qux", "baz"]},
    ),
    (
        "A.3 removing an object member",
        {"baz": "qux", "foo": "bar"},
        [{"op": "remove", "path": "/baz"}],
        {"foo": "bar"},
    ),
    (
        "A.4 removing an array element",
        {"foo": ["bar", "qux", "baz"]},
        [{"op": "remove", "path": "/foo/1"}],
        {"foo": ["bar", "baz"]},
    ),
    (
        "A.5 replacing a value",
        {"baz": "qux", "foo": "bar"},
        [{"op": "replace", "path": "/baz", "value": "boo"}],
        {"baz": "boo", "foo": "bar"},
    ),
    (
        "A.6 moving a value",
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    (
        "A.7 moving an array element",
        {"foo": ["all", "grass", "cows", "eat"]},
        [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    (
        "A.8 testing a value: success",
        {"baz": "qux", "foo": ["a", 2, "c"]},
        [
            {"op": "test", "path": "/baz", "value": "qux"},
            {"op": "test", "path": "/foo/1", "value": 2},
        ],
        {"baz": "qux", "foo": ["a", 2, "c"]},
    ),
    (
        "A.10 adding a nested member object",
        {"foo": "bar"},
        [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
        {"foo": "bar", "child": {"grandchild": {}}},
    ),
    (
        "A.11 ignoring unrecognized elements",
        {"foo": "bar"},
        [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}],
        {"foo": "bar", "baz": "qux"},
    ),
    (
        "A.14 escape ordering",
        {"/": 9, "~1": 10},
        [{"op": "test", "path": "/~01", "value": 10}],
        {"/": 9, "~1": 10},
    ),
    (
        "A.16 adding an array value",
        {"foo": ["bar"]},
        [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}],
        {"foo": ["bar", ["abc", "def"]]},
    ),
]


@pytest.mark.parametrize(
    ("document", "operations", "result"),
    [each[1:] for each in A],
    ids=[each[0] for each in A],
)
def test_rfc_6902_appendix_a(document: Json, operations: list[Json], result: Json) -> None:
    assert patched(document, *operations) == result


def test_rfc_6902_a_9_testing_a_value_error() -> None:
    with pytest.raises(PatchConflict, match="the value there is another one"):
        patched({"baz": "qux"}, {"op": "test", "path": "/baz", "value": "bar"})


def test_rfc_6902_a_12_adding_to_a_nonexistent_target() -> None:
    with pytest.raises(PatchConflict, match="there is no '/baz'"):
        patched({"foo": "bar"}, {"op": "add", "path": "/baz/bat", "value": "qux"})


def test_rfc_6902_a_13_invalid_json_patch_document() -> None:
    # The example has the member "op" twice, which our JSON reader refuses before a patch is made:
    # see tests/unit/test_strict_json.py. Whichever one a reader kept, it must be an operation.
    with pytest.raises(MalformedPatch, match="/0/value: 'add' needs a value"):
        JsonPatch.parse([{"op": "add", "path": "/baz"}])


def test_rfc_6902_a_15_comparing_strings_and_numbers() -> None:
    with pytest.raises(PatchConflict):
        patched({"/": 9, "~1": 10}, {"op": "test", "path": "/~01", "value": "10"})


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, True, False),
        (0, False, False),
        (False, 0, False),
        (1, 1.0, True),
        (1.1, WrittenFloat("1.10"), True),
        ("1", 1, False),
        (None, False, False),
        (None, None, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": None}, False),
        ({"a": True}, {"a": 1}, False),
        ([1], [True], False),
        ([1, 2], [2, 1], False),
        ([1], [1, 1], False),
        ([], {}, False),
        ([], "", False),
        ({}, [], False),
    ],
)
def test_values_are_compared_by_json_type(one: Json, other: Json, *, equal: bool) -> None:
    assert same(one, other) is equal
    assert same(other, one) is equal


@pytest.mark.parametrize(
    ("document", "operation", "reason"),
    [
        ({}, {"op": "remove", "path": "/a"}, "there is no '/a'"),
        ({}, {"op": "replace", "path": "/a", "value": 1}, "there is no '/a'"),
        ({"a": "text"}, {"op": "remove", "path": "/a/0"}, "there is no '/a/0'"),
        ({"a": 1}, {"op": "add", "path": "/a/b", "value": 1}, "neither an object nor an array"),
        ([1], {"op": "remove", "path": "/1"}, "ends before 1"),
        ([1], {"op": "add", "path": "/2", "value": 1}, "ends before 2"),
        ([1], {"op": "remove", "path": "/-"}, "'-' is not an index"),
        ([1], {"op": "remove", "path": "/00"}, "'00' is not an index"),
        ([1], {"op": "remove", "path": "/-1"}, "'-1' is not an index"),
        ([1], {"op": "remove", "path": "/\u0660"}, "is not an index"),
        ([1], {"op": "remove", "path": "/" + "9" * 5000}, "is not an index"),
        ({"a": {}}, {"op": "move", "from": "/a", "path": "/a/b"}, "moved into itself"),
        ({}, {"op": "move", "from": "/a", "path": "/a"}, "there is no '/a'"),
        ({}, {"op": "copy", "from": "/a", "path": "/b"}, "there is no '/a'"),
    ],
)
def test_an_operation_that_does_not_fit(document: Json, operation: Json, reason: str) -> None:
    before = copy.deepcopy(document)

    with pytest.raises(PatchConflict, match=reason) as raised:
        patched(document, {"op": "test", "path": "", "value": document}, operation)

    assert raised.value.operation == 1
    assert document == before


@pytest.mark.parametrize(
    ("operations", "pointer"),
    [
        ({"op": "add"}, ""),
        ("add", ""),
        (None, ""),
        ([1], "/0"),
        ([{}], "/0/op"),
        ([{"op": "frobnicate", "path": ""}], "/0/op"),
        ([{"op": ["add"], "path": ""}], "/0/op"),
        ([{"op": "remove"}], "/0/path"),
        ([{"op": "remove", "path": 1}], "/0/path"),
        ([{"op": "remove", "path": "a"}], "/0/path"),
        ([{"op": "remove", "path": "/~2"}], "/0/path"),
        ([{"op": "remove", "path": "/~"}], "/0/path"),
        ([{"op": "copy", "path": "/a"}], "/0/from"),
        ([{"op": "test", "path": ""}, {"op": "test", "path": ""}], "/0/value"),
    ],
)
def test_a_malformed_patch_names_its_place(operations: Json, pointer: str) -> None:
    with pytest.raises(MalformedPatch) as raised:
        JsonPatch.parse(operations)

    assert raised.value.pointer == pointer


def test_a_value_of_null_is_a_value() -> None:
    assert patched({"a": 1}, {"op": "replace", "path": "/a", "value": None}) == {"a": None}


def test_the_whole_document_can_be_replaced_and_removed() -> None:
    assert patched({"a": 1}, {"op": "replace", "path": "", "value": [1]}) == [1]
    assert patched({"a": 1}, {"op": "add", "path": "", "value": [1]}) == [1]
    assert patched({"a": 1}, {"op": "remove", "path": ""}) is None


def test_moving_a_value_onto_itself_changes_nothing() -> None:
    assert patched({"a": 1}, {"op": "move", "from": "/a", "path": "/a"}) == {"a": 1}


def test_a_patch_has_at_most_100_operations() -> None:
    operations: list[Json] = [{"op": "test", "path": "/a", "value": 1}] * OPERATIONS_MAX
    assert patched({"a": 1}, *operations) == {"a": 1}

    with pytest.raises(MalformedPatch, match="at most 100"):
        JsonPatch.parse([*operations, operations[0]])


def test_copying_cannot_blow_a_document_up() -> None:
    doubling: list[Json] = [
        {"op": "copy", "from": "/a", "path": f"/a/{place}"} for place in range(OPERATIONS_MAX)
    ]

    with pytest.raises(PatchConflict, match=r"nested deeper|too large"):
        patched({"a": {"text": "x" * 100}}, *doubling)

    widening: list[Json] = [{"op": "copy", "from": "/a", "path": "/a/-"} for _ in range(100)]
    with pytest.raises(PatchConflict, match=r"nested deeper|too large"):
        patched({"a": ["x" * 60_000]}, *widening)


def test_a_patch_cannot_nest_deeper_than_the_reader_reads() -> None:
    deep: Json = 1
    for _ in range(DEPTH_MAX):
        deep = [deep]

    assert patched({"a": 1}, {"op": "add", "path": "", "value": deep}) == deep
    with pytest.raises(PatchConflict, match="nested deeper"):
        patched({"a": 1}, {"op": "add", "path": "/a", "value": deep})


@pytest.mark.parametrize(
    ("operation", "touched"),
    [
        ({"op": "add", "path": "/a", "value": 1}, True),
        ({"op": "add", "path": "/a/b", "value": 1}, True),
        ({"op": "add", "path": "/ab", "value": 1}, False),
        ({"op": "replace", "path": "", "value": {}}, True),
        ({"op": "test", "path": "/a", "value": 1}, False),
        ({"op": "move", "from": "/a", "path": "/b"}, True),
        ({"op": "copy", "from": "/a", "path": "/b"}, False),
        ({"op": "copy", "from": "/b", "path": "/a"}, True),
    ],
)
def test_a_json_patch_knows_what_it_changes(operation: Json, *, touched: bool) -> None:
    assert JsonPatch.parse([operation]).touches("a") is touched


def test_a_merge_patch_knows_what_it_changes() -> None:
    assert MergePatch({"a": None}).touches("a")
    assert not MergePatch({"b": {"a": 1}}).touches("a")
    assert MergePatch([]).touches("a")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=3), inside, max_size=3)
    ),
    max_leaves=8,
)
objects = st.dictionaries(st.text(max_size=3), values, max_size=4)


@given(objects, values)
def test_a_merge_patch_applied_twice_is_applied_once(document: Json, patch: Json) -> None:
    before = json.dumps(document)

    once = MergePatch(patch).apply(document)

    assert MergePatch(patch).apply(once) == once
    assert json.dumps(document) == before


@given(st.lists(st.text(max_size=4)).map(tuple))
def test_a_pointer_survives_being_written(pointer: tuple[str, ...]) -> None:
    assert parse_pointer(format_pointer(pointer)) == pointer


@given(objects, st.text(max_size=3), values)
def test_adding_then_removing_gives_the_document_back(
    document: dict[str, Json], name: str, value: Json
) -> None:
    assume(name not in document)
    path = format_pointer((name,))

    added = patched(document, {"op": "add", "path": path, "value": value})

    assert same(patched(added, {"op": "test", "path": path, "value": value}), added)
    assert same(patched(added, {"op": "remove", "path": path}), document)


@given(objects)
def test_a_copied_document_shares_nothing(document: Json) -> None:
    copied = patched(document, {"op": "test", "path": "", "value": document})

    assert copied == document
    assert copied is not document
