import pytest
from hypothesis import given, strategies as st

from vitrina.adapters.index.spelling import (
    alike,
    begin,
    begin_like,
    beginning,
    begins_like,
    distance,
    forgiven,
    mistakable,
)


@pytest.mark.parametrize(
    ("one", "other", "typos"),
    [
        ("lamp", "lamp", 0),
        ("lamp", "lamps", 1),
        ("lamp", "lap", 1),
        ("lamp", "lump", 1),
        ("lamp", "lmap", 1),
        ("lamp", "lmpa", 2),
        ("keyboard", "keybaord", 1),
        ("keyboard", "kyebaord", 2),
        ("lamp", "sofa", 3),
        ("", "ab", 2),
        ("", "abc", 3),
    ],
)
def test_typos_are_counted_up_to_a_limit(one: str, other: str, typos: int) -> None:
    assert distance(one, other, 2) == typos
    assert distance(other, one, 2) == typos


@pytest.mark.parametrize(
    ("word", "most"), [("lmp", 0), ("lamp", 1), ("keyboar", 1), ("keyboard", 2), ("ab12", 0)]
)
def test_longer_words_may_have_more_typos(word: str, most: int) -> None:
    assert forgiven(word) == most


@given(st.sets(st.text("abc1", min_size=1, max_size=12)), st.text("abc", min_size=4, max_size=9))
def test_what_no_typo_can_be_of_is_too_far(words: set[str], typed: str) -> None:
    near = {each for each in words if distance(typed, each, 2) <= forgiven(typed)}

    assert near <= set(mistakable(words))


def test_short_words_and_numbers_are_not_mistakable() -> None:
    assert mistakable(["red", "tv", "a1", "usb3", "2024", "12345678"]) == ["red", "usb3"]


def test_beginnings() -> None:
    assert begins_like("keyboard", "keyb")
    assert begins_like("keyboard", "kyeb")
    assert not begins_like("keyboard", "kye")
    assert not begins_like("keyboard", "eyb")
    assert begin(["red", "keyboard"], ["keyb", "re"])
    assert not begin(["red"], ["red", "keyb"])
    assert begin_like(["red", "keyboard"], ["kyeb", "re"])
    assert not begin_like(["red"], ["red", "kyeb"])


@given(st.sets(st.text("abc1", min_size=1, max_size=12)), st.text("abc1", min_size=1, max_size=12))
def test_parts_of_a_sorted_list_begin_as_typed(words: set[str], typed: str) -> None:
    held = sorted(words)

    first, end = beginning(held, typed)
    assert held[first:end] == [each for each in held if each.startswith(typed)]
    found = [each for first, end in alike(held, typed) for each in held[first:end]]
    assert found == [each for each in held if begins_like(each, typed)]
