"""What people save in ``categories.json``, what the API does meanwhile, and what is told of it."""

import json
from pathlib import Path

import pytest

from tests.integration.pair import Pair
from vitrina.domain.category import Category
from vitrina.service_layer import categories
from vitrina.service_layer.changes import Source
from vitrina.service_layer.file_edits import apply_category_edits

FILE = """\
[
    {"id": "lamps", "name": "Lamps", "parent_id": null},
    { "name": "Rugs",   "id": "rugs" },
\t{"id": "desk", "parent_id": "lamps", "name": "Desk lamps"}
]
"""


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    (tmp_path / "products.csv").write_text("id,title\nA,Lamp\n")
    (tmp_path / "categories.json").write_text(FILE)
    return Pair(tmp_path / "products.csv")


def file(pair: Pair) -> Path:
    return pair.path.with_name("categories.json")


def edit(pair: Pair, old: str, new: str) -> None:
    text = file(pair).read_text()
    assert old in text
    file(pair).write_text(text.replace(old, new))


def put(pair: Pair, category_id: str, **document: str | None) -> None:
    categories.put_category(pair.catalog.unit_of_work(), category_id, document)


def names(pair: Pair) -> dict[str, str]:
    return {each.id: each.name for each in pair.catalog.view.categories()}


def conflicts(pair: Pair) -> list[tuple[str, str, str, str]]:
    return [
        (each.product_id, each.category_id, each.field, each.reason.value)
        for each in pair.desk.conflicts()
    ]


class TestBytes:
    """What the API does not change keeps its bytes."""

    def test_only_what_changed_is_written(self, pair: Pair) -> None:
        put(pair, "rugs", name="Carpets")
        put(pair, "outdoor", name="Outdoor", parent_id="lamps")
        pair.sync()
        assert file(pair).read_text() == FILE.replace('"Rugs"', '"Carpets"').replace(
            '"Desk lamps"}',
            '"Desk lamps"},\n\t{"id": "outdoor", "name": "Outdoor", "parent_id": "lamps"}',
        )

    def test_a_category_that_is_gone_goes(self, pair: Pair) -> None:
        categories.remove_category(pair.catalog.unit_of_work(), "desk")
        pair.sync()
        assert file(pair).read_text() == FILE.replace(
            ',\n\t{"id": "desk", "parent_id": "lamps", "name": "Desk lamps"}', ""
        )

    def test_a_mark_and_line_ends_stay(self, pair: Pair) -> None:
        file(pair).write_bytes(b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode())
        pair.sync()
        put(pair, "rugs", name="Käse")
        pair.sync()
        text = FILE.replace("\n", "\r\n").replace('"Rugs"', '"Käse"')
        assert file(pair).read_bytes() == b"\xef\xbb\xbf" + text.encode()

    def test_all_go_and_others_come(self, pair: Pair) -> None:
        for each in ("desk", "lamps", "rugs"):
            categories.remove_category(pair.catalog.unit_of_work(), each)
        pair.sync()
        assert json.loads(file(pair).read_text()) == []
        put(pair, "new", name="New")
        pair.sync()
        assert json.loads(file(pair).read_text()) == [
            {"id": "new", "name": "New", "parent_id": None}
        ]


class TestConflicts:
    """What both sides changed keeps the API's value, and is listed."""

    def test_the_same_field(self, pair: Pair) -> None:
        put(pair, "lamps", name="From the API")
        edit(pair, '"Lamps"', '"From the file"')
        assert pair.sync().state == "held"

        assert names(pair)["lamps"] == "From the API"
        assert '"From the API"' in file(pair).read_text()
        assert conflicts(pair) == [("", "lamps", "name", "both_changed")]
        found = pair.desk.conflicts()[0]
        assert (found.base_value, found.file_value, found.kept_value, found.line) == (
            "Lamps",
            "From the file",
            "From the API",
            2,
        )
        table = pair.path.with_name("products.conflicts.csv").read_text("utf-8-sig")
        assert table.splitlines()[1].startswith(",name,both_changed,2,From the file,From the API,")
        assert table.splitlines()[1].endswith(",lamps")

    def test_it_is_over_when_somebody_edits_it_again(self, pair: Pair) -> None:
        put(pair, "lamps", name="From the API")
        edit(pair, '"Lamps"', '"From the file"')
        pair.sync()
        edit(pair, '"From the API"', '"From the file"')
        assert pair.sync().state == "in_sync"
        assert names(pair)["lamps"] == "From the file"
        assert conflicts(pair) == []

    def test_other_fields_are_merged(self, pair: Pair) -> None:
        put(pair, "desk", name="Desk lamps", parent_id="rugs")
        edit(pair, '"Desk lamps"', '"Table lamps"')
        assert pair.sync().state == "in_sync"
        found = pair.catalog.view.categories().by_id["desk"]
        assert (found.name, found.parent_id) == ("Table lamps", "rugs")
        assert '"parent_id": "rugs", "name": "Table lamps"' in file(pair).read_text()

    def test_one_side_deleted_it(self, pair: Pair) -> None:
        put(pair, "rugs", name="Carpets")
        categories.remove_category(pair.catalog.unit_of_work(), "desk")
        edit(pair, '    { "name": "Rugs",   "id": "rugs" },\n', "")
        edit(pair, '"Desk lamps"', '"Table lamps"')
        pair.sync()
        assert sorted(names(pair)) == ["lamps", "rugs"]
        assert sorted(conflicts(pair)) == [
            ("", "desk", "", "deleted_in_catalog"),
            ("", "rugs", "", "deleted_in_file"),
        ]
        assert {each["id"] for each in json.loads(file(pair).read_text())} == {"lamps", "rugs"}
        assert pair.sync().conflicts == 2

    def test_both_sides_added_it(self, pair: Pair) -> None:
        put(pair, "new", name="From the API", parent_id="rugs")
        edit(pair, "[\n", '[\n{"id": "new", "name": "From the file"},\n')
        pair.sync()
        assert names(pair)["new"] == "From the API"
        assert conflicts(pair) == [("", "new", "name", "both_changed")]


class TestLoss:
    """A file that lost most of its categories waits to be accepted."""

    @pytest.fixture
    def pair(self, tmp_path: Path) -> Pair:
        (tmp_path / "products.csv").write_text("id,title\nA,Lamp\n")
        tree = [{"id": f"c-{number}", "name": f"Category {number}"} for number in range(20)]
        (tmp_path / "categories.json").write_text(json.dumps(tree))
        return Pair(tmp_path / "products.csv")

    def test_it_waits(self, pair: Pair) -> None:
        good = file(pair).read_text()
        file(pair).write_text('[{"id": "c-0", "name": "Category 0"}]')
        status = pair.sync()
        assert (status.state, status.pending and status.pending.categories) == ("pending", 19)
        assert "delete 19 categories" in status.detail
        put(pair, "more", name="More")
        pair.sync()
        assert len(names(pair)) == 21
        assert file(pair).read_text() == '[{"id": "c-0", "name": "Category 0"}]'

        file(pair).write_text(good)
        assert pair.sync().state == "in_sync"
        assert len(json.loads(file(pair).read_text())) == 21

    def test_it_is_accepted(self, pair: Pair) -> None:
        file(pair).write_text("[]")
        pending = pair.sync().pending
        assert pending is not None
        pair.desk.order(pending.fingerprint)
        assert pair.sync().state == "in_sync"
        assert names(pair) == {}

    def test_a_few_may_go(self, pair: Pair) -> None:
        tree = json.loads(file(pair).read_text())
        file(pair).write_text(json.dumps(tree[4:]))
        assert pair.sync().state == "in_sync"
        assert len(names(pair)) == 16


def test_a_crash_while_an_edit_is_taken_in(pair: Pair) -> None:
    """The edit was committed, and its base not kept; the API has gone on since."""
    edit(pair, '    { "name": "Rugs",   "id": "rugs" },\n', "")
    edit(pair, '"Lamps"', '"Lights"')
    note = b"%016d\n" % pair.catalog.seq + file(pair).read_bytes()
    (pair.path.parent / "base" / "categories.json.taking").write_bytes(note)
    lights = Category(id="lamps", name="Lights")
    apply_category_edits(pair.catalog.unit_of_work(Source.FILE), [lights], ["rugs"])
    put(pair, "rugs", name="Rugs")
    put(pair, "lamps", name="Luminaires")

    again = pair.reopened()
    again.sync()
    assert names(again) == {"desk": "Desk lamps", "lamps": "Luminaires", "rugs": "Rugs"}
    assert conflicts(again) == []
    assert {each["name"] for each in json.loads(file(pair).read_text())} == {
        "Desk lamps",
        "Luminaires",
        "Rugs",
    }
