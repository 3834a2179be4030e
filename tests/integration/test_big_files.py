"""A file with many rows, of which few are read; it says what a file says that is read whole."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.integration.pair import Pair
from vitrina.adapters import codec
from vitrina.adapters.product_file import detect_format, parse
from vitrina.adapters.projection.versions import KEPT_ROWS_MAX

ROWS = 300


def row(number: int) -> dict[str, Any]:
    return {
        "id": f"P-{number}",
        "sku": f"S-{number}",
        "title": f"Product {number}",
        "brand": "Acme",
        "quantity": number + 1,
    }


def write(path: Path, rows: int = ROWS) -> Path:
    found = [row(number) for number in range(rows)]
    if path.suffix == ".csv":
        lines = [",".join(found[0]), *(",".join(map(str, each.values())) for each in found)]
        path.write_text("".join(f"{line}\n" for line in lines))
    elif path.suffix == ".json":
        path.write_text("[\n" + ",\n".join(map(json.dumps, found)) + "\n]\n")
    else:
        path.write_text("".join(f"{json.dumps(each)}\n" for each in found))
    return path


@pytest.fixture(params=["csv", "json", "jsonl"])
def pair(tmp_path: Path, request: pytest.FixtureRequest) -> Pair:
    return Pair(write(tmp_path / f"products.{request.param}"))


@pytest.fixture
def table(tmp_path: Path) -> Pair:
    return Pair(write(tmp_path / "products.csv"))


def assert_alike(pair: Pair) -> None:
    """See that file and catalog say the same, whoever reads the file."""
    data = pair.path.read_bytes()
    file = parse(data, detect_format(pair.path.name, data), currency="EUR")
    _, stored = pair.catalog.view.snapshot()
    names = ("id", "sku", "title", "brand", "quantity")
    served = {each.id: {name: codec.load(each.body)[name] for name in names} for each in stored}
    assert {
        key: {name: each.document.get(name) for name in names}
        for key, each in file.accepted.items()
    } == served


def test_both_sides_go_on_for_long(pair: Pair) -> None:
    draw = random.Random(7)  # noqa: S311 - no secret
    for turn in range(12):
        for number in draw.sample(range(ROWS), 3):
            if pair.has(f"P-{number}"):
                pair.put(f"P-{number}", quantity=1_000 + turn)
        pair.put(f"NEW-{turn}", title=f"New {turn}")
        gone = f"P-{draw.randrange(ROWS)}"
        if pair.has(gone) and turn % 3 == 0:
            pair.remove(gone)
        pair.sync()
        number = draw.randrange(ROWS)
        if f"Product {number}" in pair.text:
            pair.save(pair.text.replace(f"Product {number}", f"Edited {number}"))
        if turn % 4 == 0:
            pair = pair.reopened()
        status = pair.sync()
        assert status.state == "in_sync", status
        assert status.rows == len(pair.catalog.view.snapshot()[1])
        assert_alike(pair)


def test_more_rows_than_are_kept_in_memory(tmp_path: Path) -> None:
    pair = Pair(write(tmp_path / "products.csv", KEPT_ROWS_MAX + 10))
    pair.put("P-77", quantity=1)
    pair.edit("Product 4000,", "Edited,")
    assert pair.sync().state == "in_sync"
    assert pair.get("P-4000")["title"] == "Edited"
    assert "P-77,S-77,Product 77,Acme,1\n" in pair.text
    pair.put("P-78", attributes={"color": "red"})
    pair.sync()
    assert "P-78,S-78,Product 78,Acme,79,red\n" in pair.text
    assert "P-79,S-79,Product 79,Acme,80,\n" in pair.text


def test_a_sku_of_a_row_far_away(table: Pair) -> None:
    table.edit("P-200,S-200,", "P-200,S-3,")
    status = table.sync()
    assert [(each.line, each.code) for each in status.problems] == [(202, "duplicate_sku")]
    assert table.get("P-200")["sku"] == "S-200"
    table.edit("P-200,S-3,", "P-200,S-999,")
    assert table.sync().state == "in_sync"
    assert table.get("P-200")["sku"] == "S-999"


def test_an_id_of_a_row_far_away(table: Pair) -> None:
    table.edit("P-200,S-200,", "P-3,,")
    status = table.sync()
    assert [(each.line, each.code) for each in status.problems] == [(202, "duplicate_id")]


def test_problems_keep_their_lines(table: Pair) -> None:
    table.edit("P-200,S-200,Product 200,Acme,201", "P-200,S-200,Product 200,Acme,many")
    assert [each.line for each in table.sync().problems] == [202]
    table.edit("P-10,S-10,", "NEW,,New,,\nP-10,S-10,")
    status = table.sync()
    assert [(each.line, each.code) for each in status.problems] == [(203, "not_an_integer")]
    assert (status.rows, status.refused) == (ROWS + 1, 1)
    table.remove("P-11")
    table.put("LAST", title="Last")
    table.sync()
    status = table.reopened().projector.status()
    assert [(each.line, each.code) for each in status.problems] == [(202, "not_an_integer")]
    assert (status.rows, status.refused) == (ROWS + 1, 1)


def test_a_member_that_some_rows_lose_is_no_lost_column(pair: Pair) -> None:
    if pair.path.suffix == ".csv":
        pair.save(pair.text.replace("Product 1,Acme", "Product 1,"))
    else:
        lines = pair.text.splitlines(keepends=True)
        lines[100:110] = [each.replace('"brand": "Acme", ', "") for each in lines[100:110]]
        pair.save("".join(lines))
    assert pair.sync().state == "in_sync"
    assert_alike(pair)


def test_a_cut_off_file(table: Pair) -> None:
    table.save(table.text[:-12])
    assert table.sync().code == "cut_off"


def test_many_rows_are_gone(pair: Pair) -> None:
    lines = pair.text.splitlines(keepends=True)
    del lines[100:200]
    pair.save("".join(lines))
    pending = pair.sync().pending
    assert pending is not None
    assert (pending.products, pending.deleted) == (ROWS, 100)
    pair.desk.order(pending.fingerprint)
    assert pair.sync().state == "in_sync"
    assert_alike(pair)


class TestARestart:
    """A file that is found as it was left is not read."""

    def note(self, pair: Pair) -> Path:
        return pair.path.parent / "base" / "products.csv.read"

    def test_what_was_found_in_it_is_told(self, table: Pair) -> None:
        note = self.note(table)
        note.write_text(note.read_text().replace(f'"rows":{ROWS}', '"rows":12345'))
        again = table.reopened()
        assert again.projector.understood.rows == 12_345
        assert dict(again.projector.understood.columns)["sku"] == "sku"

    @pytest.mark.parametrize("kept", ["", "{}", None])
    def test_it_is_read_when_that_is_not_known(self, table: Pair, kept: str | None) -> None:
        note = self.note(table)
        note.unlink()
        if kept is not None:
            note.write_text(kept)
        again = table.reopened()
        assert again.projector.understood.rows == ROWS
        assert f'"rows":{ROWS}' in note.read_text()

    def test_it_is_read_when_it_was_edited_meanwhile(self, table: Pair) -> None:
        table.edit("Product 5,", "Edited,")
        again = table.reopened()
        assert again.get("P-5")["title"] == "Edited"
        assert again.sync().state == "in_sync"

    def test_a_change_that_was_not_written_yet(self, table: Pair) -> None:
        table.put("P-5", quantity=777)
        again = table.reopened()
        again.sync()
        assert "P-5,S-5,Product 5,Acme,777\n" in again.text
