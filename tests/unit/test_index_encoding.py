"""Numbers and terms that keep the order of what they stand for."""

import re
from collections.abc import Sequence
from hashlib import blake2b

import pytest
from hypothesis import example, given, strategies as st

from tests.builders import FULL, LAMP
from vitrina.adapters.codec import store_product
from vitrina.adapters.index import analysis, encoding
from vitrina.adapters.index.analysis import Analyzer
from vitrina.adapters.index.entries import Writer
from vitrina.adapters.index.rows import Measured, Value
from vitrina.adapters.index.schema import FORMAT, Spread
from vitrina.domain.text import fold

ids = st.from_regex(r"[A-Za-z0-9._~:\-]{1,60}", fullmatch=True)
numbers = st.floats(allow_nan=False, allow_infinity=False)
digits = st.text("0123456789abcdef", min_size=4, max_size=4)


prefixes = st.text("Aa-", max_size=2)


@given(ids, ids, prefixes)
@example("product-1", "product-10", "product-")
@example("product-12345678", "product-123456789", "product-")
@example("a" * 16, "a" * 17, "")
def test_levels_sort_as_ids_do(one: str, other: str, prefix: str) -> None:
    left, right = _padded(one, prefix), _padded(other, prefix)

    assert (left < right) == (one[:40] < other[:40])
    assert (left == right) == (one[:40] == other[:40])


@given(ids, ids, prefixes)
def test_a_level_that_is_left_out_is_not_needed(one: str, other: str, prefix: str) -> None:
    """Where two ids share all levels that one of them has, they have as many."""
    left, right = encoding.id_levels(one, prefix), encoding.id_levels(other, prefix)
    if right[: len(left)] == left:
        assert len(left) == len(right)


@given(ids, prefixes, st.integers(0, 5))
@example("product-1234567", "product-", 0)
@example("product-12345678", "product-", 0)
@example("product-", "product-", 0)
def test_ids_can_be_read_from_their_levels_unless_they_are_too_long(
    product_id: str, prefix: str, zeros: int
) -> None:
    levels = encoding.id_levels(product_id, prefix)

    told = encoding.read_id((levels + (0,) * zeros)[: encoding.ID_LEVELS + 1], prefix)

    assert told == (product_id if len(product_id) < 40 else None)
    assert encoding.read_id(levels[:1], prefix) == (product_id if len(levels) == 1 else None)


@given(ids, ids, st.integers(0, 4))
def test_the_head_never_contradicts_the_order_of_ids(one: str, other: str, length: int) -> None:
    prefix = one[:length]
    left, right = encoding.head_level(one, prefix), encoding.head_level(other, prefix)

    assert left == right or (left < right) == (one < other)


@given(st.lists(ids, max_size=5))
def test_all_ids_begin_with_their_prefix(product_ids: list[str]) -> None:
    prefix = encoding.shared_prefix(product_ids)

    assert all(each.startswith(prefix) for each in product_ids)


@given(st.text(max_size=40), st.text(max_size=40))
def test_levels_sort_as_titles_do(one: str, other: str) -> None:
    one, other = fold(one).replace("\0", ""), fold(other).replace("\0", "")
    left, right = encoding.title_levels(one), encoding.title_levels(other)

    assert left == right or (left < right) == (one < other)


@given(numbers, numbers)
def test_digits_sort_as_numbers_do(one: float, other: float) -> None:
    left, right = encoding.hexadecimal(one), encoding.hexadecimal(other)

    assert (left < right) == (one < other)
    assert encoding.number(left) == one


@given(digits, digits, digits)
def test_an_expression_matches_what_lies_between(low: str, high: str, each: str) -> None:
    found = re.fullmatch(encoding.between(low, high), each)

    assert bool(found) == (low <= each <= high)


@given(st.text(max_size=5), st.text(max_size=5))
def test_escaped_names_stay_different(one: str, other: str) -> None:
    assert (encoding.escape(one) == encoding.escape(other)) == (one == other)
    assert re.fullmatch(r"\w*", encoding.escape(one), re.ASCII)


@given(
    st.text()
    | st.booleans()
    | st.builds(Measured, st.just("length"), numbers, numbers, st.just("in"))
)
def test_values_are_read_back(value: Value) -> None:
    assert encoding.read_value(encoding.value_term(value)) == value


def _padded(product_id: str, prefix: str) -> tuple[int, ...]:
    levels = encoding.id_levels(product_id, prefix)
    return levels + (0,) * (encoding.ID_LEVELS + 1 - len(levels))


def test_whoever_changes_how_products_are_written_counts_the_format_up() -> None:
    """An index of an older version of Vitrina must not be gone on with."""
    body = store_product(FULL).body
    written = Writer(Analyzer("en"), Spread("Full")).write(body)
    digest = blake2b(written.encode(), digest_size=8).hexdigest()

    assert (FORMAT, digest) == (6, "8a87c8db34c67306")


def test_what_is_made_of_a_title_is_remembered_when_it_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Sequence[str]] = []
    whole = analysis.whole

    def noted(words: Sequence[str]) -> str:
        made.append(words)
        return whole(words)

    monkeypatch.setattr(analysis, "whole", noted)
    writer = Writer(Analyzer("en"), Spread())
    body = store_product(LAMP).body

    counts = []
    for _ in range(3):
        writer.write(body)
        counts.append(len(made))

    assert counts == [1, 2, 2]
