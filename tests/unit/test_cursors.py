"""Cursors: they come back as they went, and nothing else is taken for one."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import blake2b

import pytest
from hypothesis import assume, given, strategies as st

from vitrina.domain.errors import BadCursor
from vitrina.entrypoints.http.cursors import decode, encode, seal, unseal, unseal_number
from vitrina.service_layer.queries import Filter, Operator, Position, ProductQuery, Sort

BY_BRAND = Filter("brand", Operator.EQ, ("Sony",))
ACTIVE = Filter("status", Operator.EQ, ("active",))
QUERY = ProductQuery(filters=(BY_BRAND, ACTIVE), sort=Sort("price"))

positions: st.SearchStrategy[Position] = st.lists(
    st.none()
    | st.text()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False),
    min_size=1,
    max_size=3,
).map(tuple)


@given(positions)
def test_a_cursor_holds_a_position(position: Position) -> None:
    cursor = encode(QUERY, position)

    assert decode(QUERY, cursor) == position
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_page_may_change_its_size_and_filters_their_order() -> None:
    cursor = encode(QUERY, ("a", 1))

    assert decode(replace(QUERY, limit=200), cursor) == ("a", 1)
    assert decode(replace(QUERY, filters=(ACTIVE, BY_BRAND)), cursor) == ("a", 1)


@pytest.mark.parametrize(
    "other",
    [
        replace(QUERY, text="sony"),
        replace(QUERY, sort=Sort("price", descending=True)),
        replace(QUERY, sort=None),
        replace(QUERY, filters=(ACTIVE,)),
    ],
)
def test_a_cursor_of_another_query_is_refused(other: ProductQuery) -> None:
    with pytest.raises(BadCursor):
        decode(other, encode(QUERY, ("a", 1)))


@given(st.data())
def test_a_damaged_cursor_is_refused(data: st.DataObject) -> None:
    cursor = encode(QUERY, ("product-17", 12.5))
    place = data.draw(st.integers(0, len(cursor) - 1))
    char = data.draw(st.sampled_from("Ab9-_=+/ \n\u00e9"))
    assume(cursor[place] != char)

    for damaged in (
        cursor[:place] + char + cursor[place + 1 :],
        cursor[:place] + char + cursor[place:],
        cursor[:place],
    ):
        with pytest.raises(BadCursor):
            decode(QUERY, damaged)


@given(st.text())
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        decode(QUERY, text)


def forge(asked: str, place: bytes) -> str:
    """Return a cursor as anybody can make it who has read how cursors are made."""
    mark = blake2b(asked.encode() + b"\n" + place, digest_size=8).digest()
    return urlsafe_b64encode(mark + place).rstrip(b"=").decode()


def test_the_forger_knows_how_cursors_are_made() -> None:
    assert unseal("changes", forge("changes", b'["a",1]')) == ("a", 1)


@pytest.mark.parametrize(
    "place",
    [
        b"",
        b"1",
        b"null",
        b'"ab"',
        b'{"a":1}',
        b"[[1]]",
        b"[{}]",
        b"[true]",
        b'["a",9223372036854775808]',
        b"[-9223372036854775809]",
        b"nonsense",
        b"[" * 2000,
    ],
)
def test_a_forged_cursor_that_holds_no_position_is_refused(place: bytes) -> None:
    with pytest.raises(BadCursor):
        unseal("changes", forge("changes", place))


@pytest.mark.parametrize("position", [(), ("a",), (None,), (1.5,), (-1,), (1, 2)])
def test_a_number_is_not_read_from_another_position(position: Position) -> None:
    with pytest.raises(BadCursor):
        unseal_number("changes", seal("changes", position))


def test_a_cursor_holds_the_number_of_a_change() -> None:
    assert unseal_number("changes", seal("changes", (17,))) == 17
