"""Reading only what has changed gives what reading everything gives."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from vitrina.adapters.product_file import (
    Format,
    UnreadableFile,
    Validated,
    parse,
    recheck,
    resolve_categories,
    validate,
)
from vitrina.domain.category import Category, CategoryTree

TREE = CategoryTree().place(Category(id="lamps", name="Lamps", parent_id=None))

CSV_ROWS = [
    "A,S-1,Lamp,12.90,red,Lamps",
    "B,S-2,Rug,,,",
    'C,S-3,"Two\nlines",5 EUR,,',
    "D,,Chair,9,blue,Lamps",
    ",S-5,By SKU,1,,",
    ",,By title,2,,",
    "",
    "E,S-1,Same SKU,3,,",
    "A,,Same id,4,,",
    "F,,Wrong,cheap,,",
    'G,,"open,5,,',
    "H,,Short",
    "I,,New path,6,,Rugs",
    "J,,Zeros,7,,",
    'K,,Quote "in" it,8,,\r',
]
JSON_ROWS = [
    '{"id": "A", "title": "Lamp", "sku": "S-1"}',
    '{"id": "B", "title": "Rug", "brand": "X"}',
    '{"id": "C", "title": "Chair",\n   "price": 5}',
    '{"id": "D", "title": "Odd", "version": 3}',
    '{"sku": "S-5", "title": "By SKU"}',
    '{"title": "By title"}',
    '{"id": "A", "title": "Same id"}',
    '{"id": "F", "title": "Same SKU", "sku": "S-1"}',
    '{"id": "G", "title": 5}',
    '{"id": "H", "title": "New path", "category": "Rugs"}',
]


def whole(data: bytes, file_format: Format) -> Validated:
    resolved, _ = resolve_categories(parse(data, file_format, currency="EUR"), TREE)
    return validate(resolved)


def again(known: Validated, before: bytes, data: bytes, file_format: Format) -> Validated | None:
    return recheck(known, before, data, TREE, lambda part: parse(part, file_format, currency="EUR"))


def csv(rows: list[str], end: str = "\n") -> bytes:
    return "".join(
        f"{row}{end}" for row in ["id,sku,title,price,attributes.color,category", *rows]
    ).encode()


def jsonl(rows: list[str], _: str = "") -> bytes:
    return "".join(f"{row.replace('\n', ' ')}\n" for row in rows).encode()


def array(rows: list[str], _: str = "") -> bytes:
    return ("[\n  " + ",\n  ".join(rows) + "\n]\n" if rows else "[]\n").encode()


FILES = {
    Format.CSV: (csv, CSV_ROWS),
    Format.JSONL: (jsonl, JSON_ROWS),
    Format.JSON: (array, JSON_ROWS),
}


def assert_same(found: Validated, expected: Validated) -> None:
    assert found.products == expected.products
    assert list(found.file.accepted) == list(expected.file.accepted)
    plain = replace(found.file, assumed_currency=expected.file.assumed_currency)
    assert plain == expected.file


@pytest.mark.parametrize("file_format", Format)
@given(data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_both_ways_give_the_same(file_format: Format, data: st.DataObject) -> None:
    make, some = FILES[file_format]
    rows = data.draw(st.lists(st.sampled_from(some[:6]), max_size=6, unique=True))
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    before = make(rows, end)
    at = data.draw(st.integers(0, len(rows)))
    to = data.draw(st.integers(at, len(rows)))
    put = data.draw(st.lists(st.sampled_from(some), max_size=3))
    after = make([*rows[:at], *put, *rows[to:]], end)
    if data.draw(st.booleans()):
        cut = data.draw(st.integers(0, len(after)))
        after = (
            after[:cut] + data.draw(st.sampled_from([b"", b"x", b'"', b"\n", b","])) + after[cut:]
        )
    try:
        known = whole(before, file_format)
        expected = whole(after, file_format)
    except UnreadableFile:
        expected = None
        known = whole(before, file_format)
    found = again(known, before, after, file_format)
    if found is not None:
        assert expected is not None
        assert_same(found, expected)


@pytest.mark.parametrize("file_format", Format)
@pytest.mark.parametrize(
    "change",
    [
        lambda rows: [*rows[:20], rows[20].replace("Lamp ", "Better lamp "), *rows[21:]],
        lambda rows: [*rows[:20], *rows[21:]],
        lambda rows: [*rows[:20], rows[20].replace("P-20", "P-99"), *rows[20:]],
        lambda rows: [row.replace("Lamp 3,", "Lamp 3+,") for row in rows],
    ],
)
def test_a_small_change_is_read_alone(file_format: Format, change: object) -> None:
    assert callable(change)
    make, _ = FILES[file_format]
    if file_format is Format.CSV:
        rows = [f"P-{n},,Lamp {n},{n},red,Lamps" for n in range(50)]
    else:
        rows = [f'{{"id": "P-{n}", "title": "Lamp {n},", "price": {n}}}' for n in range(50)]
    before, after = make(rows), make(change(rows))
    found = again(whole(before, file_format), before, after, file_format)

    assert found is not None
    assert_same(found, whole(after, file_format))
