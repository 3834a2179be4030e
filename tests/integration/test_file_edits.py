"""What people save, what the API does meanwhile, and what is told of it."""

from pathlib import Path

import pytest

from tests.integration.pair import Pair

CSV = """\
id,title,quantity,color
LAMP-1,Desk lamp,12,brown
LAMP-2,Floor lamp,3,
RUG-1,Wool rug,5,red
"""


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    path = tmp_path / "products.csv"
    path.write_text(CSV)
    return Pair(path)


class TestAnOlderCopy:
    """A spreadsheet that was opened before the API's last changes came into the file."""

    def test_its_old_values_are_not_taken_for_edits(self, pair: Pair) -> None:
        pair.put("LAMP-1", quantity=11)
        pair.put("LAMP-2", quantity=2)
        pair.put("NEW-1", title="New")
        pair.sync()
        pair.save(CSV.replace("Wool rug", "Silk rug"))

        status = pair.sync()
        assert pair.get("RUG-1")["title"] == "Silk rug"
        assert pair.get("LAMP-1")["quantity"] == 11
        assert pair.get("LAMP-2")["quantity"] == 2
        assert pair.has("NEW-1")
        assert [each.code for each in status.problems] == ["stale_copy"]
        assert "last 3 changes" in status.problems[0].detail
        assert pair.text == (
            CSV.replace("Wool rug", "Silk rug").replace(",12,", ",11,").replace(",3,", ",2,")
            + "NEW-1,New,,\n"
        )

    def test_it_may_be_saved_again_and_again(self, pair: Pair) -> None:
        for quantity in (11, 10, 9):
            pair.put("LAMP-1", quantity=quantity)
            pair.put("LAMP-2", quantity=quantity)
            pair.sync()
            pair.save(CSV.replace("Wool rug", f"Silk rug {quantity}"))
            pair.sync()
            assert pair.get("LAMP-1")["quantity"] == quantity
            assert pair.get("RUG-1")["title"] == f"Silk rug {quantity}"

    def test_a_product_that_is_gone_does_not_come_back(self, pair: Pair) -> None:
        pair.remove("LAMP-2")
        pair.sync()
        pair.save(CSV.replace("Wool rug", "Silk rug"))
        pair.sync()

        assert not pair.has("LAMP-2")
        assert pair.get("RUG-1")["title"] == "Silk rug"
        assert pair.conflicts() == [("LAMP-2", "", "deleted_in_catalog")]

    def test_what_both_sides_changed_is_a_conflict(self, pair: Pair) -> None:
        pair.put("LAMP-1", quantity=11)
        pair.put("LAMP-2", quantity=2)
        pair.put("RUG-1", quantity=4)
        pair.sync()
        pair.save(
            CSV.replace("LAMP-1,Desk lamp,12", "LAMP-1,Desk lamp,77").replace(
                "RUG-1,Wool rug,5,red\n", ""
            )
        )
        pair.sync()

        assert pair.get("LAMP-1")["quantity"] == 11
        assert pair.has("RUG-1")
        assert sorted(pair.conflicts()) == [
            ("LAMP-1", "quantity", "stale_copy"),
            ("LAMP-2", "quantity", "stale_copy"),
            ("RUG-1", "", "deleted_in_file"),
        ]

    def test_one_value_alone_is_kept_and_told(self, pair: Pair) -> None:
        pair.put("LAMP-1", quantity=11)
        pair.sync()
        pair.save(CSV)
        pair.sync()

        assert pair.get("LAMP-1")["quantity"] == 11
        assert pair.conflicts() == [("LAMP-1", "quantity", "stale_copy")]

    def test_who_has_seen_a_later_change_may_go_back(self, pair: Pair) -> None:
        pair.put("LAMP-1", quantity=11)
        pair.sync()
        pair.put("LAMP-2", quantity=2)
        pair.sync()
        pair.edit("Desk lamp,11", "Desk lamp,12")
        pair.sync()

        assert pair.get("LAMP-1")["quantity"] == 12
        assert pair.conflicts() == []

    def test_a_row_that_went_on_both_sides_does_not_show_that_the_copy_is_new(
        self, pair: Pair
    ) -> None:
        pair.remove("LAMP-2")
        pair.put("LAMP-1", quantity=11)
        pair.sync()
        pair.save("".join(CSV.splitlines(keepends=True)[i] for i in (0, 1, 3)))
        pair.sync()

        assert pair.get("LAMP-1")["quantity"] == 11
        assert pair.conflicts() == [("LAMP-1", "quantity", "stale_copy")]

    def test_a_row_of_the_same_id_on_both_sides_shows_it_neither(self, pair: Pair) -> None:
        pair.remove("LAMP-2")
        pair.put("NEW-1", title="From the API")
        pair.sync()
        pair.save(CSV + "NEW-1,From the person,7,\n")
        pair.sync()

        assert not pair.has("LAMP-2")
        assert pair.get("NEW-1")["title"] == "From the API"
        assert ("NEW-1", "title", "stale_copy") not in pair.conflicts()
        assert ("NEW-1", "title", "both_changed") in pair.conflicts()

    def test_an_edited_row_of_a_product_that_was_deleted_and_made_anew(self, pair: Pair) -> None:
        pair.remove("LAMP-2")
        pair.sync()
        pair.put("LAMP-2", title="Another one")
        pair.save(CSV.replace("Floor lamp", "Standing lamp"))
        pair.sync()

        assert pair.get("LAMP-2")["title"] == "Another one"
        assert pair.conflicts() == [("LAMP-2", "", "stale_copy")]
        assert "LAMP-2,Another one,,\n" in pair.text

    def test_a_row_that_was_there_again_and_again(self, pair: Pair) -> None:
        """A copy without it may be of one time or another; it is not taken for a deletion."""
        pair.remove("LAMP-2")
        pair.sync()
        before = pair.text
        pair.put("LAMP-2", title="Back again")
        pair.sync()
        pair.save(before)
        pair.sync()

        assert pair.get("LAMP-2")["title"] == "Back again"
        assert pair.conflicts() == [("LAMP-2", "", "deleted_in_file")]

    def test_the_row_of_a_product_that_was_deleted_and_made_anew(self, pair: Pair) -> None:
        pair.remove("LAMP-2")
        pair.sync()
        pair.put("LAMP-2", title="Another one")
        pair.sync()
        pair.save(CSV)
        pair.sync()

        assert pair.get("LAMP-2")["title"] == "Another one"
        assert pair.conflicts() == [("LAMP-2", "", "stale_copy")]
        assert "LAMP-2,Another one,,\n" in pair.text


def test_a_product_that_both_sides_added(pair: Pair) -> None:
    pair.put("NEW-1", title="From the API", brand="Acme")
    pair.save(CSV + "NEW-1,From the person,7,\n")
    pair.sync()

    found = pair.get("NEW-1")
    assert (found["title"], found["brand"], found["quantity"]) == ("From the API", "Acme", 7)
    assert pair.conflicts() == [("NEW-1", "title", "both_changed")]
    assert "NEW-1,From the API,7,,Acme\n" in pair.text


class TestVersions:
    """A column ``_version`` makes each row hold for one version of its product."""

    @pytest.fixture
    def pair(self, tmp_path: Path) -> Pair:
        path = tmp_path / "products.csv"
        path.write_text("id,title,quantity,_version\nA,Lamp,1,\nB,Rug,2,\n")
        pair = Pair(path)
        pair.sync()
        return pair

    def test_it_is_filled_in_and_kept(self, pair: Pair) -> None:
        assert pair.text == "id,title,quantity,_version\nA,Lamp,1,1\nB,Rug,2,1\n"
        pair.put("A", quantity=5)
        pair.edit("Rug", "Big rug")
        pair.sync()
        assert pair.text == "id,title,quantity,_version\nA,Lamp,5,2\nB,Big rug,2,2\n"

    def test_a_row_of_another_version_changes_nothing(self, pair: Pair) -> None:
        old = pair.text
        pair.put("A", title="Walnut lamp")
        pair.sync()
        pair.save(old.replace("Lamp,1,1", "Lamp,9,1"))
        pair.sync()

        assert (pair.get("A")["title"], pair.get("A")["quantity"]) == ("Walnut lamp", 1)
        assert sorted(pair.conflicts()) == [
            ("A", "quantity", "stale_version"),
            ("A", "title", "stale_version"),
        ]
        assert "A,Walnut lamp,1,2\n" in pair.text

    def test_a_row_of_this_version_counts_whatever_was_before(self, pair: Pair) -> None:
        pair.put("A", quantity=5)
        pair.sync()
        pair.edit("A,Lamp,5,2", "A,Lamp,1,2")
        pair.sync()
        assert pair.get("A")["quantity"] == 1
        assert pair.conflicts() == []

    def test_a_wrong_version_is_told_and_mended(self, pair: Pair) -> None:
        pair.edit("A,Lamp,1,1", "A,Lamp,7,one")
        status = pair.sync()
        assert pair.get("A")["quantity"] == 7
        assert [each.code for each in status.problems] == ["invalid_version"]
        assert "A,Lamp,7,2\n" in pair.text

    def test_json_has_it_where_a_row_wants_it(self, tmp_path: Path) -> None:
        path = tmp_path / "more" / "products.jsonl"
        path.parent.mkdir()
        path.write_text(
            '{"id": "A", "title": "Lamp", "_version": 7}\n{"id": "B", "title": "Rug"}\n'
        )
        pair = Pair(path)
        pair.put("C", title="New")
        pair.sync()
        assert pair.text == (
            '{"id": "A", "title": "Lamp", "_version": 1}\n'
            '{"id": "B", "title": "Rug"}\n'
            '{"id": "C", "title": "New", "_version": 1}\n'
        )
        pair.edit('"title": "Lamp", "_version": 1', '"title": "Walnut", "_version": 3')
        pair.sync()
        assert pair.get("A")["title"] == "Lamp"
        assert pair.conflicts() == [("A", "title", "stale_version")]


class TestConflicts:
    def test_the_values_agree_in_the_end(self, pair: Pair) -> None:
        pair.put("LAMP-1", title="From the API")
        pair.edit("Desk lamp", "From the file")
        assert pair.sync().conflicts == 1
        pair.put("LAMP-1", title="From the file")
        assert pair.sync().conflicts == 0
        assert not pair.path.with_name("products.conflicts.csv").exists()

    def test_the_cell_is_edited_again(self, pair: Pair) -> None:
        pair.put("LAMP-1", title="From the API")
        pair.edit("Desk lamp", "From the file")
        pair.sync()
        pair.edit("From the API", "Settled")
        assert pair.sync().conflicts == 0
        assert pair.get("LAMP-1")["title"] == "Settled"

    def test_deleting_the_list_dismisses_what_it_listed(self, pair: Pair) -> None:
        pair.put("LAMP-1", title="=From the API")
        pair.edit("Desk lamp", "From the file")
        pair.sync()
        table = pair.path.with_name("products.conflicts.csv")
        assert "'=From the API" in table.read_text("utf-8-sig")
        table.unlink()
        pair.put("LAMP-2", title="From the API")
        pair.edit("Floor lamp", "From the file")
        pair.sync()
        assert pair.conflicts() == [("LAMP-2", "title", "both_changed")]
        assert "LAMP-1" not in table.read_text()

    def test_deleting_the_list_does_not_dismiss_what_comes_at_the_same_time(
        self, pair: Pair
    ) -> None:
        pair.put("LAMP-1", title="From the API")
        pair.edit("Desk lamp", "From the file")
        pair.sync()
        pair.path.with_name("products.conflicts.csv").unlink()
        pair.put("LAMP-1", title="Again from the API")
        pair.edit("LAMP-1,From the API", "LAMP-1,Again from the file")
        pair.sync()
        assert [each.file_value for each in pair.desk.conflicts()] == ["Again from the file"]

    def test_a_product_that_one_side_deleted(self, pair: Pair) -> None:
        pair.put("LAMP-1", quantity=9)
        pair.remove("LAMP-2")
        pair.save(CSV.replace("LAMP-1,Desk lamp,12,brown\n", "").replace("Floor", "Tall"))
        pair.sync()
        assert pair.get("LAMP-1")["quantity"] == 9
        assert not pair.has("LAMP-2")
        assert sorted(pair.conflicts()) == [
            ("LAMP-1", "", "deleted_in_file"),
            ("LAMP-2", "", "deleted_in_catalog"),
        ]
        pair.remove("LAMP-1")
        pair.put("LAMP-2", title="Again")
        assert pair.sync().conflicts == 0


class TestWholeFiles:
    def test_a_file_that_ends_in_the_middle_of_a_row(self, pair: Pair) -> None:
        pair.save(CSV[:-9])
        status = pair.sync()
        assert (status.state, status.code, status.line) == ("broken", "cut_off", 4)
        pair.save(CSV[: CSV.index("RUG-1")])
        assert pair.sync().state == "in_sync"
        assert not pair.has("RUG-1")

    def test_a_file_most_rows_of_which_became_wrong(self, tmp_path: Path) -> None:
        path = tmp_path / "more" / "products.csv"
        path.parent.mkdir()
        path.write_text("id,title\n" + "".join(f"P-{n},Lamp {n}\n" for n in range(9)))
        pair = Pair(path)
        pair.save("id,title\n" + "".join(f"P-1,Lamp {n}\n" for n in range(9)))
        status = pair.sync()
        assert (status.state, status.code, status.line) == ("broken", "too_many_wrong_rows", 3)

    def test_a_missing_file_is_written_again(self, pair: Pair) -> None:
        pair.path.unlink()
        pair.sync()
        assert pair.get("LAMP-1")["title"] == "Desk lamp"
        assert sorted(pair.text.splitlines()[1:]) == sorted(CSV.splitlines()[1:])

    def test_all_rows_gone_from_json_lines(self, tmp_path: Path) -> None:
        path = tmp_path / "more" / "products.jsonl"
        path.parent.mkdir()
        path.write_text('{"id": "A", "title": "Lamp"}\n')
        pair = Pair(path)
        pair.save("")
        status = pair.sync()
        assert status.state == "pending"
        assert status.pending is not None
        assert (status.pending.deleted, status.pending.products) == (1, 1)

    def test_a_member_gone_from_all_objects(self, tmp_path: Path) -> None:
        path = tmp_path / "more" / "products.json"
        path.parent.mkdir()
        rows = [f'{{"id": "P-{n}", "title": "Lamp", "brand": "Lumen"}}' for n in range(6)]
        path.write_text("[" + ",\n".join(rows) + "]")
        pair = Pair(path)
        pair.edit(', "brand": "Lumen"', "")
        status = pair.sync()
        assert status.pending is not None
        assert status.pending.columns == ("brand",)


def plain(text: str) -> str:
    """Return what a file says, however a cell is quoted or names the usual currency."""
    return text.replace('"', "").replace(" EUR", "")


class TestDamage:
    """What a spreadsheet does to cells that look like numbers or dates."""

    CSV = """\
id,sku,title,price,gtin,size,weight,quantity
A,0012,Lamp,1299.00 EUR,4006381333931,10-12,4.5,12
B,0013,Rug \'fine\',5.00 EUR,,8-10,,
"""

    @pytest.fixture
    def pair(self, tmp_path: Path) -> Pair:
        path = tmp_path / "products.csv"
        path.write_text(self.CSV)
        return Pair(path)

    @pytest.mark.parametrize(
        ("old", "new", "code", "column"),
        [
            ("A,0012", "A,12", "leading_zeros_lost", 2),
            ("4006381333931", "4.00638E+12", "number_rounded", 5),
            ("10-12", "12-Oct", "became_a_date", 6),
            ("10-12", "2026-10-12", "became_a_date", 6),
            (",4.5,", ',"4,5",', "decimal_comma", 7),
            ("1299.00 EUR", '"1,299"', "decimal_comma", 4),
            (",12\nB", ',"12,0"\nB', "decimal_comma", 8),
        ],
    )
    def test_what_is_proved_is_put_right(
        self, pair: Pair, old: str, new: str, code: str, column: int
    ) -> None:
        before = pair.get("A")
        pair.save(self.CSV.replace(old, new, 1).replace("Lamp", "Better lamp"))
        status = pair.sync()
        (problem,) = status.problems
        assert (problem.code, problem.line, problem.column) == (code, 2, column)
        assert not problem.error
        after = pair.get("A")
        changed = {name for name in before if before[name] != after[name]}
        assert changed == {"title", "updated_at", "version"}
        assert plain(pair.text) == plain(self.CSV.replace("Lamp", "Better lamp"))
        assert pair.conflicts() == []

    @pytest.mark.parametrize(
        ("old", "new", "field"),
        [
            ("4006381333931", "5.01234E+12", "gtin"),
            ("10-12", "11-Sep", "attributes.size"),
            (",4.5,", ',"4,7",', "attributes.weight"),
            ("1299.00 EUR", '"1,399"', "price"),
        ],
    )
    def test_what_is_doubtful_is_held_back(
        self, pair: Pair, old: str, new: str, field: str
    ) -> None:
        before = pair.get("A")
        pair.save(self.CSV.replace(old, new, 1).replace("Lamp", "Better lamp"))
        status = pair.sync()
        after = pair.get("A")
        assert {name for name in before if before[name] != after[name]} == {
            "title",
            "updated_at",
            "version",
        }
        assert pair.conflicts() == [("A", field, "damaged")]
        assert status.state == "held"
        assert "Format the column as text" in status.problems[0].detail
        assert plain(pair.text) == plain(self.CSV.replace("Lamp", "Better lamp"))

    def test_ids_that_lost_their_zeros(self, tmp_path: Path) -> None:
        path = tmp_path / "more" / "products.csv"
        path.parent.mkdir()
        rows = "".join(f"00{n},Lamp {n}\n" for n in range(10, 20))
        path.write_text(f"sku,title\n{rows}")
        pair = Pair(path)
        pair.save(f"sku,title\n{rows}".replace("00", "").replace("Lamp 15", "Better lamp"))
        status = pair.sync()
        assert status.state == "held"
        assert [each.code for each in status.problems] == ["leading_zeros_lost"] * 10
        assert pair.get("0015")["title"] == "Better lamp"
        assert pair.get("0015")["sku"] == "0015"
        assert pair.text == f"sku,title\n{rows}".replace("Lamp 15", "Better lamp")
        pair.edit("Lamp 16", "Better lamp")
        assert pair.sync().state == "in_sync"  # What was put right is shown until the next edit.

    def test_all_gtins_rounded(self, tmp_path: Path) -> None:
        path = tmp_path / "more" / "products.csv"
        path.parent.mkdir()
        text = "id,title,gtin\n" + "".join(f"P-{n},Lamp {n},4006381333931\n" for n in range(9))
        path.write_text(text)
        pair = Pair(path)
        pair.save(text.replace("4006381333931", "4.00638E+12"))
        assert {each.code for each in pair.sync().problems} == {"number_rounded"}
        assert pair.text == text

    def test_smart_quotes(self, pair: Pair) -> None:
        pair.edit("'fine'", "\u2018fine\u2019")
        assert [each.code for each in pair.sync().problems] == ["smart_quotes"]
        assert pair.text == self.CSV

    def test_a_file_saved_as_utf_16(self, pair: Pair) -> None:
        text = self.CSV.replace("Lamp", "L\xe4mp")
        pair.path.write_bytes(b"\xff\xfe" + text.encode("utf-16-le"))
        assert [each.code for each in pair.sync().problems] == ["saved_as_utf_16"]
        assert pair.get("A")["title"] == "L\xe4mp"
        pair.put("B", quantity=7)
        pair.sync()
        assert pair.path.read_bytes().decode("utf-16").endswith("8-10,,7\n")

    def test_a_row_that_is_wrong_otherwise_stays_refused(self, pair: Pair) -> None:
        pair.save(self.CSV.replace("1299.00 EUR", "cheap").replace("4006381333931", "4.00638E+12"))
        status = pair.sync()
        assert {each.code for each in status.problems} == {"scientific_notation", "invalid_amount"}
        assert pair.get("A")["gtin"] == "4006381333931"
