import unicodedata

import pytest
from hypothesis import given, strategies as st

from vitrina.domain.errors import InvalidValue
from vitrina.domain.identifiers import (
    distinct_slug,
    gtin_check_digit,
    parse_gtin,
    parse_id,
    parse_sku,
    parse_slug,
    slugify,
)


@pytest.mark.parametrize("text", ["a", "A.b_~:-9", "0012", "x" * 128, "..."])
def test_ids(text: str) -> None:
    assert parse_id(text) == text


@pytest.mark.parametrize("text", ["", "a b", "ä", "a/b", "x" * 129, "a\n", ".", "..", "a%20b", "*"])
def test_what_is_no_id(text: str) -> None:
    with pytest.raises(InvalidValue, match="An id is"):
        parse_id(text)


def test_a_sku_is_text_and_keeps_its_zeros() -> None:
    assert parse_sku("0012 / é") == "0012 / é"


def test_a_sku_is_kept_in_normalization_form_c() -> None:
    assert parse_sku("cafe\u0301") == "café"


@pytest.mark.parametrize("text", ["", " ", " a", "a ", "a\nb", "x" * 129, "a\x00"])
def test_what_is_no_sku(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_sku(text)


@pytest.mark.parametrize(
    "text", ["4006381333931", "036000291452", "96385074", "9783161484100", "10614141000415"]
)
def test_gtins(text: str) -> None:
    assert parse_gtin(text) == text


@pytest.mark.parametrize("text", ["4006381333930", "123", "", "400638133393X", "٩٦٣٨٥٠٧٤"])
def test_what_is_no_gtin(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_gtin(text)


def test_a_wrong_check_digit_names_the_right_one() -> None:
    with pytest.raises(InvalidValue, match="is 0; it should be 1"):
        parse_gtin("4006381333930")


@given(st.text("0123456789", min_size=13, max_size=13), st.integers(0, 12), st.integers(1, 9))
def test_a_check_digit_finds_every_single_wrong_digit(digits: str, place: int, shift: int) -> None:
    wrong = str((int(digits[place]) + shift) % 10)
    mistyped = digits[:place] + wrong + digits[place + 1 :]

    assert gtin_check_digit(digits) != gtin_check_digit(mistyped)


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Crème Brûlée, 4 Stück", "creme-brulee-4-stuck"),
        ("  --  ", ""),
        ("Чайник «Утро»", "чаиник-утро"),
        ("日本語", "日本語"),
        ("50% OFF!", "50-off"),
        ("under_score", "under-score"),
    ],
)
def test_slugs_from_titles(title: str, slug: str) -> None:
    assert slugify(title) == slug


@given(st.text())
def test_every_made_slug_is_a_slug(title: str) -> None:
    slug = slugify(title)

    assert slug == "" or parse_slug(slug) == slug
    assert parse_slug(distinct_slug(slug, "any-id"))


def test_a_distinct_slug_is_the_same_each_time_and_differs_by_product() -> None:
    assert distinct_slug("lamp", "a") == distinct_slug("lamp", "a")
    assert distinct_slug("lamp", "a") != distinct_slug("lamp", "b")


@pytest.mark.parametrize("text", ["", "Lamp", "a--b", "-a", "a-", "a b", "a_b", "x" * 201])
def test_what_is_no_slug(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_slug(text)


def test_a_slug_is_kept_in_normalization_form_c() -> None:
    assert parse_slug(unicodedata.normalize("NFD", "café")) == "café"
