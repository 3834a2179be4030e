"""Cursors: they come back as they went, and nothing else is taken for one."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, strategies as st

from vitrina.domain.errors import BadCursor
from vitrina.entrypoints.http.cursors import decode, encode
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
