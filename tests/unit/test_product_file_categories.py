"""Categories that files name: paths to ids, and ``categories.json``."""

import pytest
from hypothesis import given, strategies as st

from vitrina.adapters.product_file import UnreadableFile
from vitrina.adapters.product_file.categories_file import read_categories, write_categories
from vitrina.adapters.product_file.category_paths import CategoryPaths
from vitrina.domain.category import Category, CategoryTree
from vitrina.domain.identifiers import parse_id


def tree(*categories: Category) -> CategoryTree:
    return CategoryTree({each.id: each for each in categories})


TREE = tree(
    Category(id="1", name="Electronics"),
    Category(id="2", name="Phones", parent_id="1"),
    Category(id="3", name="Phones", parent_id="1"),
    Category(id="toys", name="Games"),
)


def test_an_existing_category_is_found_by_its_path() -> None:
    paths = CategoryPaths(TREE)
    assert paths.id_of(("Electronics", "Phones")) == "2"
    assert paths.id_of(("ELECTRONICS ", "phones")) == "2"
    assert paths.id_of(("Phones",)) is None
    assert paths.path_of("2") == ("Electronics", "Phones")
    assert paths.path_of("nowhere") is None


def test_a_path_that_leads_elsewhere_is_none() -> None:
    assert CategoryPaths(TREE).path_of("3") is None


def test_missing_categories_are_made_from_the_root_down() -> None:
    made = CategoryPaths(TREE).missing(
        [("Electronics", "TV & Audio", "Screens"), ("Toys",), ("玩具",), ("Electronics",)]
    )
    assert [(each.id, each.name, each.parent_id) for each in made[:3]] == [
        ("electronics-tv-audio", "TV & Audio", "1"),
        ("electronics-tv-audio-screens", "Screens", "electronics-tv-audio"),
        ("c-0877931b4debc3de0aa3b24f76a876f7", "Toys", None),
    ]
    assert made[3].id.startswith("c-")


names = st.text(min_size=1, max_size=4).filter(lambda name: name.strip() and name.isprintable())


@given(st.lists(st.lists(names, min_size=1, max_size=3).map(tuple), max_size=8))
def test_every_path_leads_to_its_own_category_the_same_each_time(
    wanted: list[tuple[str, ...]],
) -> None:
    paths = CategoryPaths(CategoryTree())
    made = paths.missing(wanted)
    grown = CategoryTree()
    for category in made:
        parse_id(category.id)
        grown = grown.place(category)
    assert all(paths.id_of(path) in grown.by_id for path in wanted)
    assert CategoryPaths(CategoryTree()).missing(wanted) == made
    assert CategoryPaths(grown).missing(wanted) == ()
    assert read_categories(write_categories(grown)).by_id == grown.by_id


def test_a_path_that_is_too_deep_is_passed_over() -> None:
    assert CategoryPaths(CategoryTree()).missing([tuple("x" * 33)]) == ()


def test_categories_are_written_one_a_line() -> None:
    assert write_categories(CategoryTree()) == b"[]\n"
    assert write_categories(tree(Category(id="1", name="Möbel"))).decode() == (
        '[\n  {"id": "1", "name": "Möbel", "parent_id": null}\n]\n'
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "code"),
    [
        ("", 1, 1, "invalid_json"),
        ("[] x", 1, 4, "invalid_json"),
        ("{}", 1, 1, "not_a_category_list"),
        ("[\n5]", 2, 1, "not_a_category"),
        ('[{"name": "x"}]', 1, 2, "not_a_category"),
        ('[{"id": "1"}]', 1, 2, "required"),
        ('[{"id": "1", "name": "x"},\n {"id": "1", "name": "y"}]', 2, 2, "duplicate_id"),
        ('[{"id": "1", "name": "x", "parent_id": "2"}]', 1, 2, "unknown_category"),
        ('[{"id": "1", "name": "x", "parent_id": "1"}]', 1, 2, "category_cycle"),
        ('[{"id": "1", "name": "x", "color": "red"}]', 1, 2, "unknown_field"),
    ],
)
def test_a_broken_file_says_where_and_why(text: str, line: int, column: int, code: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read_categories(text.encode())
    assert (caught.value.line, caught.value.column, caught.value.code) == (line, column, code)


def test_a_tree_that_is_too_deep_is_refused() -> None:
    rows = [f'{{"id": "{n}", "name": "x", "parent_id": "{n - 1}"}}' for n in range(1, 40)]
    text = '[{"id": "0", "name": "x"},' + ",".join(rows) + "]"
    with pytest.raises(UnreadableFile, match="32"):
        read_categories(text.encode())
