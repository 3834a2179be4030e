"""What a person changed in the file, against what the catalog changed meanwhile."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.products import documents
from vitrina.adapters.product_file import (
    EditKind,
    Format,
    Merge,
    ProductFile,
    compare,
    new_file,
    parse,
    render,
    validate,
)
from vitrina.domain.category import CategoryTree
from vitrina.service_layer.document_reading import read_product
from vitrina.service_layer.documents import Document, write_product

NO_CATEGORIES = CategoryTree()
BASE = "id,title,price,stock,color,status,rating,rating_count\nA,Lamp,12.90,5,red,,4.5,2\nB,Rug,,,,,,\n"


def read(text: str) -> ProductFile:
    return validate(parse(text.encode(), Format.CSV, currency="EUR")).file


def catalog(text: str, **changes: Any) -> dict[str, Document]:
    """Return the catalog's documents of a file, with fields of product A changed."""
    found = {key: write_product(each) for key, each in validate(read(text)).products.items()}
    if changes:
        found["A"] = write_product(read_product(found["A"] | changes))
    return found


def merge(theirs: str, current: dict[str, Document], base: str | None = BASE) -> Merge:
    return compare(read(base) if base else None, read(theirs), current.get)


def edits(result: Merge) -> list[tuple[str, str, Document]]:
    return [(edit.kind.value, edit.id, edit.document) for edit in result.edits]


def test_nothing_changed_is_nothing_to_do() -> None:
    assert merge(BASE, catalog(BASE)) == Merge()
    assert merge(BASE, catalog(BASE, title="Walnut lamp")) == Merge()
    assert merge(BASE.replace("\n", "\r\n"), catalog(BASE)) == Merge()
    assert merge(BASE.replace(",", ";"), catalog(BASE)) == Merge()


def test_sorted_rows_are_nothing_to_do() -> None:
    head, lamp, rug = BASE.splitlines()
    assert merge(f"{head}\n{rug}\n{lamp}\n", catalog(BASE)) == Merge()


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        ("12.90", "11", {"price": {"amount": "11", "currency": "EUR"}}),
        ("12.90", "", {"price": None}),
        ("red", "blue", {"attributes": {"color": "blue"}}),
        ("red", "", {"attributes": {"color": None}}),
        (",4.5,2", ",4.5,3", {"rating": {"average": 4.5, "count": 3}}),
        (",4.5,2", ",,", {"rating": None}),
        ("red,", "red,draft", {"status": "draft"}),
        ("12.90", "12.9", {}),
    ],
)
def test_an_edited_cell_is_a_merge_patch(old: str, new: str, patch: Document) -> None:
    result = merge(BASE.replace(old, new), catalog(BASE))
    assert edits(result) == ([("update", "A", patch)] if patch else [])
    assert not result.conflicts


def test_both_sides_changed_different_fields() -> None:
    result = merge(BASE.replace("red", "blue"), catalog(BASE, title="Walnut lamp"))
    assert edits(result) == [("update", "A", {"attributes": {"color": "blue"}})]
    assert not result.conflicts


def test_both_sides_changed_the_same_field_to_the_same() -> None:
    assert merge(BASE.replace(",5,red", ",6,red"), catalog(BASE, quantity=6)) == Merge()


def test_both_sides_changed_the_same_field_differently() -> None:
    result = merge(BASE.replace(",5,red", ",6,blue"), catalog(BASE, quantity=7))
    assert edits(result) == [("update", "A", {"attributes": {"color": "blue"}})]
    (conflict,) = result.conflicts
    assert (conflict.id, conflict.field, conflict.line) == ("A", "quantity", 2)
    assert (conflict.base, conflict.theirs, conflict.ours) == (5, 6, 7)


def test_new_and_missing_rows_are_new_and_deleted_products() -> None:
    theirs = BASE.replace("B,Rug,,,,,,\n", "C,Mat,,,,,,\n")
    result = merge(theirs, catalog(BASE))
    assert edits(result) == [("create", "C", {"id": "C", "title": "Mat"}), ("delete", "B", {})]
    assert merge(theirs, {"A": catalog(BASE)["A"]}).edits[1:] == ()


def test_a_product_that_changed_meanwhile_is_not_deleted() -> None:
    result = merge("id,title\nB,Rug\n", catalog(BASE, quantity=9))
    assert not result.edits
    assert [(c.id, c.field, c.theirs) for c in result.conflicts] == [("A", "", None)]


def test_a_product_that_was_deleted_meanwhile_stays_so() -> None:
    rest = {"B": catalog(BASE)["B"]}
    assert merge(BASE, rest) == Merge()
    result = merge(BASE.replace("red", "blue"), rest)
    assert not result.edits
    assert [(c.id, c.field, c.ours) for c in result.conflicts] == [("A", "", None)]


def test_a_refused_row_changes_nothing() -> None:
    assert merge(BASE.replace("12.90", "cheap"), catalog(BASE)) == Merge()


def test_nothing_is_deleted_while_a_row_has_no_readable_id() -> None:
    head, lamp, _ = BASE.splitlines()
    result = merge(f"{head}\n{lamp}\n,,5,,,,,\n", catalog(BASE))
    assert (result.edits, result.withheld) == ((), ("B",))


def test_a_row_that_was_mended_overrides() -> None:
    result = merge(BASE, catalog(BASE, quantity=9), base=BASE.replace("12.90", "cheap"))
    assert edits(result) == [("update", "A", {"quantity": 5})]


def test_a_lost_column_is_named() -> None:
    result = merge("id,title,price,stock\nA,Lamp,12.90,5\nB,Rug,,\n", catalog(BASE))
    assert edits(result) == [
        ("update", "A", {"rating": None, "attributes": {"color": None}}),
    ]


def test_a_stale_availability_cell_is_not_taken_for_an_edit() -> None:
    base = "id,title,stock,availability\nA,Lamp,5,in_stock\n"
    result = merge(base.replace("5", "0"), catalog(base), base=base)
    assert edits(result) == [("update", "A", {"quantity": 0})]


class TestWithoutABase:
    def test_every_row_is_new(self) -> None:
        result = merge(BASE, {}, base=None)
        assert [(edit.kind, edit.id, edit.line) for edit in result.edits] == [
            (EditKind.CREATE, "A", 2),
            (EditKind.CREATE, "B", 3),
        ]

    def test_a_row_that_says_what_the_catalog_has_is_nothing_to_do(self) -> None:
        assert merge(BASE, catalog(BASE), base=None) == Merge()

    def test_else_the_file_overrides_what_it_has_a_column_for(self) -> None:
        current = catalog(BASE, quantity=9, brand="Acme", status="draft", price=None)
        price = {"amount": "12.90", "currency": "EUR"}
        result = merge(BASE, current, base=None)
        assert edits(result) == [
            ("update", "A", {"status": None, "price": price, "quantity": 5}),
        ]

    def test_nothing_is_deleted(self) -> None:
        assert merge("id,title\n", catalog(BASE), base=None) == Merge()


def _applied(document: Document, patch: Document) -> Document:
    """Apply a merge patch (RFC 7396) as the catalog does."""

    def merged(target: Any, part: Any) -> Any:
        if not isinstance(part, dict):
            return part
        result = dict(target) if isinstance(target, dict) else {}
        for name, value in part.items():
            if value is None:
                result.pop(name, None)
            else:
                result[name] = merged(result.get(name), value)
        return result

    found = merged(document, patch)
    if "availability" not in patch and "quantity" in patch:
        found.pop("availability", None)
    return write_product(read_product(found))


@given(documents("A"), documents("A"), st.sampled_from(Format))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_edited_file_makes_the_catalog_what_it_says(
    before: Document, after: Document, file_format: Format
) -> None:
    empty = parse(new_file(file_format), file_format, currency="EUR")
    read_again: Callable[[bytes], ProductFile] = lambda data: parse(  # noqa: E731 - three words
        data, file_format, currency="EUR"
    )
    base = read_again(render(empty, {"A": before}, NO_CATEGORIES))
    theirs = read_again(render(base, {"A": after}, NO_CATEGORIES))
    result = compare(base, theirs, {"A": before}.get)
    assert not result.conflicts
    patched = before
    for edit in result.edits:
        patched = _applied(before, edit.document)
    assert compare(base, theirs, {"A": patched}.get) == Merge()
    assert compare(theirs, theirs, {"A": patched}.get) == Merge()
