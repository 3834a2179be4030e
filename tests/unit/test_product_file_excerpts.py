"""Reading and changing a few rows of a file gives what reading and changing all of it gives."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.unit.test_product_file_recheck import FILES, TREE, whole
from vitrina.adapters.product_file import (
    Column,
    Format,
    Layout,
    ProductFile,
    UnreadableFile,
    Validated,
    change_rows,
    parse,
    render,
    reread,
    scan,
)
from vitrina.adapters.product_file.model import FileProblem
from vitrina.service_layer.documents import Document

STATED = {
    Format.CSV: [0, 1, 2, 3, 9, 12, 13],
    Format.JSONL: [0, 1, 2, 3, 7, 9],
    Format.JSON: [0, 1, 2, 3, 7, 9],
}
"""Rows that state an id of their own; some of them are wrong, or are told of."""

QUICK = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def draw_rows(data: st.DataObject, file_format: Format, **limits: Any) -> list[str]:
    rows = FILES[file_format][1]
    numbers = data.draw(st.lists(st.sampled_from(STATED[file_format]), unique=True, **limits))
    return [rows[each] for each in numbers]


def made(file_format: Format, rows: list[str], end: str = "\n") -> bytes:
    return FILES[file_format][0](rows, end)


def layout(file: ProductFile) -> tuple[Any, ...]:
    found = Layout.of(file)
    assert found is not None
    return found.head, list(found.ids), list(found.sizes)


@pytest.mark.parametrize("file_format", Format)
@given(data=st.data())
@QUICK
def test_a_scan_finds_the_rows_where_reading_finds_them(
    file_format: Format, data: st.DataObject
) -> None:
    rows = data.draw(st.lists(st.sampled_from(FILES[file_format][1]), max_size=6))
    text = made(file_format, rows, data.draw(st.sampled_from(["\n", "\r\n"])))
    text = data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text
    text += data.draw(st.sampled_from([b"", b"\n", b" \n\n"]))
    try:
        file = whole(text, file_format).file
    except UnreadableFile:
        return
    found = scan(text, file_format, file.columns)
    if found is not None and "" not in file.refused_ids:
        assert (found.head, list(found.ids), list(found.sizes)) == layout(file)


@pytest.mark.parametrize("file_format", Format)
def test_a_scan_finds_what_is_written_beyond_ascii(file_format: Format) -> None:
    rows = {
        Format.CSV: ["Ä,S-1,Käse,1,,", "B,S-2,Æble,2,,"],
        Format.JSON: ['{"id": "A", "title": "Käse"}', '{"id": "B", "title": "Æble"}'],
        Format.JSONL: ['{"id": "A", "title": "Käse"}', '{"id": "B", "title": "Æble"}'],
    }[file_format]
    text = made(file_format, rows)
    file = parse(text, file_format, currency="EUR")
    found = scan(text, file_format, file.columns)
    assert found is not None
    assert (found.head, list(found.ids), list(found.sizes)) == layout(file)


@pytest.mark.parametrize(
    ("file_format", "text"),
    [
        (Format.CSV, b"sku,title\nA,Lamp\n"),
        (Format.CSV, b"id,title\nA,Lamp\nA,Rug\n"),
        (Format.CSV, b"title,id\nLamp\n"),
        (Format.CSV, b"id,title\n,Lamp\n"),
        (Format.CSV, "﻿id,title\nA,Lamp\n".encode("utf-16")),
        (Format.JSONL, b'{"sku": "A", "title": "Lamp"}\n'),
        (Format.JSONL, b'{"id": "A", "ID": "B", "title": "Lamp"}\n'),
        (Format.JSONL, b'{"id": "A", "title": "Lamp"\n'),
        (Format.JSONL, b"[]\n"),
        (Format.JSON, b'{"products": [{"id": "A", "title": "Lamp"}]}'),
    ],
)
def test_a_scan_of_what_only_reading_can_tell(file_format: Format, text: bytes) -> None:
    columns: tuple[Column, ...] = ()
    if file_format is Format.CSV:
        columns = parse(text, file_format, currency="EUR").columns
    assert scan(text, file_format, columns) is None


def merged(
    before: tuple[FileProblem, ...], fresh: tuple[FileProblem, ...], lines: tuple[int, int, int]
) -> list[FileProblem]:
    first, last, more = lines
    ahead = [each for each in before if each.line < first]
    below = [replace(each, line=each.line + more) for each in before if each.line >= last]
    return [*ahead, *fresh, *below]


@pytest.mark.parametrize("file_format", Format)
@given(data=st.data())
@QUICK
def test_what_was_edited_is_found_without_reading_the_rest(
    file_format: Format, data: st.DataObject
) -> None:
    rows = draw_rows(data, file_format, min_size=1)
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    at = data.draw(st.integers(0, len(rows)))
    to = data.draw(st.integers(at, len(rows)))
    put = data.draw(st.lists(st.sampled_from(FILES[file_format][1]), max_size=3))
    before = made(file_format, rows, end)
    after = made(file_format, [*rows[:at], *put, *rows[to:]], end)
    was = whole(before, file_format)
    known = Layout.of(was.file)
    if known is None or "" in was.file.refused_ids:
        return
    beside = data.draw(st.lists(st.sampled_from([row.id for row in was.file.rows]), max_size=2))
    found = reread(
        known,
        before,
        after,
        beside=beside,
        refused=was.file.refused_ids,
        tree=TREE,
        parse=lambda part: parse(part, file_format, currency="EUR"),
    )
    if found is None:
        return
    now = whole(after, file_format)
    theirs = found.theirs.file
    if any(each.code in {"duplicate_sku", "duplicate_slug"} for each in now.file.problems):
        return  # A row that is not looked at has its SKU: the catalog has to tell.
    assert {row.id: row for row in theirs.rows}.items() <= {
        row.id: row for row in now.file.rows
    }.items()
    assert found.theirs.products.items() <= now.products.items()
    old = {row.id: row.raw for row in was.file.rows}
    new = {row.id: row.raw for row in now.file.rows}
    seen = {row.id for row in (*found.base.rows, *theirs.rows)}
    assert {key: old[key] for key in old.keys() - seen} == {
        key: new[key] for key in new.keys() - seen
    }
    assert set(beside) - was.file.refused_ids <= seen
    if found.layout is not None:
        assert (found.layout.head, list(found.layout.ids), list(found.layout.sizes)) == layout(
            now.file
        )
    if file_format is Format.CSV:
        assert merged(was.file.problems, theirs.problems, found.lines) == list(now.file.problems)


DOCUMENTS: list[Document] = [
    {"title": "Lamp", "sku": "S-1"},
    {
        "title": "New",
        "price": {"amount": "7.50", "currency": "EUR"},
        "attributes": {"color": "red"},
    },
    {"title": "Many words, and a comma", "brand": "Acme"},
    {"title": "Käse"},
]


@pytest.mark.parametrize("file_format", Format)
@given(data=st.data())
@QUICK
def test_rows_are_changed_without_reading_the_rest(
    file_format: Format, data: st.DataObject
) -> None:
    rows = draw_rows(data, file_format)
    before = made(file_format, rows, data.draw(st.sampled_from(["\n", "\r\n"])))
    if data.draw(st.booleans()):
        before = before.rstrip()
    file = whole(before, file_format).file
    known = Layout.of(file)
    assert known is not None
    ids = st.sampled_from([*known.ids, "N-1", "N-2"])
    drawn = data.draw(st.dictionaries(ids, st.none() | st.sampled_from(DOCUMENTS), max_size=3))
    changes = {key: each and {**each, "id": key} for key, each in drawn.items()}
    found = change_rows(
        before,
        known,
        changes,
        categories=TREE,
        refused=file.refused_ids,
        read=lambda part: whole(part, file_format),
    )
    if found is None:
        return
    assert found.data == render(file, changes, TREE)
    after = whole(found.data, file_format).file
    if found.layout is not None:
        assert (found.layout.head, list(found.layout.ids), list(found.layout.sizes)) == layout(
            after
        )
    for key in changes.keys() - after.refused_ids:  # It may have the SKU of a row with faults.
        for part, every in ((found.before, file), (found.after, after)):
            mine, all_ = part.accepted.get(key), every.accepted.get(key)
            assert (mine and mine.raw) == (all_ and all_.raw)


def big(file_format: Format) -> tuple[bytes, ProductFile, Layout]:
    if file_format is Format.CSV:
        rows = [f"P-{n},,Lamp {n},{n},red,Lamps" for n in range(200)]
    else:
        rows = [f'{{"id": "P-{n}", "title": "Lamp {n}", "price": {n}}}' for n in range(200)]
    data = made(file_format, rows)
    file = whole(data, file_format).file
    known = Layout.of(file)
    assert known is not None
    return data, file, known


@pytest.mark.parametrize("file_format", Format)
def test_few_rows_are_read_for_a_small_edit(file_format: Format) -> None:
    data, _, known = big(file_format)
    parts: list[bytes] = []

    def read(part: bytes) -> ProductFile:
        parts.append(part)
        return parse(part, file_format, currency="EUR")

    found = reread(
        known,
        data,
        data.replace(b"Lamp 100", b"Better lamp"),
        beside=["P-7", "P-170", "gone"],
        refused=(),
        tree=TREE,
        parse=read,
    )
    assert found is not None
    assert max(map(len, parts)) < len(data) / 10
    ids = {row.id for row in found.theirs.file.rows}
    assert {"P-7", "P-170", "P-100"} <= ids
    assert len(ids) < 8
    rows = {row.id: row for row in whole(data, file_format).file.rows}
    assert all(row.line == rows[row.id].line for row in found.theirs.file.rows)


@pytest.mark.parametrize("file_format", Format)
def test_few_rows_are_read_for_a_small_change(file_format: Format) -> None:
    data, file, known = big(file_format)
    parts: list[bytes] = []

    def read(part: bytes) -> Validated:
        parts.append(part)
        return whole(part, file_format)

    changes: dict[str, Document | None] = {
        "P-3": {"id": "P-3", "title": "Better", "price": {"amount": "3", "currency": "EUR"}},
        "P-60": None,
        "N-1": {"id": "N-1", "title": "New"},
    }
    found = change_rows(data, known, changes, categories=TREE, refused=(), read=read)
    assert found is not None
    assert found.data == render(file, changes, TREE)
    assert max(map(len, parts)) < len(data) / 3
    line = 61 if file_format is Format.JSONL else 62  # There is no line before the rows.
    assert [each for each in found.lines if each[2]] == [(line, line + 1, -1)]


@pytest.mark.parametrize("ends", ["\n", ""])
def test_a_column_is_added_without_reading_the_rest(ends: str) -> None:
    data, _, _ = big(Format.CSV)
    data = data.removesuffix(b"\n") + ends.encode()
    file = whole(data, Format.CSV).file
    known = Layout.of(file)
    assert known is not None
    parts: list[bytes] = []

    def read(part: bytes) -> Validated:
        parts.append(part)
        return whole(part, Format.CSV)

    changes: dict[str, Document | None] = {
        "P-3": {"id": "P-3", "title": "Better", "attributes": {"size": "L"}, "brand": "Acme"},
        "P-60": None,
    }
    found = change_rows(data, known, changes, categories=TREE, refused=(), read=read)
    assert found is not None
    assert found.data == render(file, changes, TREE)
    assert max(map(len, parts)) < len(data) / 3
    assert found.layout is not None
    after = whole(found.data, Format.CSV).file
    assert (found.layout.head, list(found.layout.ids), list(found.layout.sizes)) == layout(after)
    assert found.after.columns == after.columns
