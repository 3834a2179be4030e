"""A product file and its catalog, edited on both sides."""

import shutil
from pathlib import Path

import pytest

from tests.integration.projection.shop import CSV, Open, edit, get, problems, put
from vitrina.bootstrap import open_catalog
from vitrina.domain.errors import CatalogError
from vitrina.service_layer import products
from vitrina.service_layer.changes import Source
from vitrina.service_layer.opening import CannotOpen
from vitrina.settings import Settings


def test_serving_changes_no_byte(opened: Open, shop: Path) -> None:
    before = (shop / "products.csv").stat()
    for _ in range(2):
        with opened() as catalog:
            assert len(catalog.view.snapshot()[1]) == 3
            assert catalog.log.seq == 3
    after = (shop / "products.csv").stat()

    assert (shop / "products.csv").read_text() == CSV
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_what_was_understood(opened: Open, shop: Path) -> None:
    for _ in range(2):  # From the file, and from the journal.
        with opened() as catalog:
            assert catalog.understood is not None
            assert catalog.understood.rows == 3
            assert ("color", "attributes.color") in catalog.understood.columns
            assert [each.name for each in catalog.checks()][:2] == ["store", "product_file"]
            assert {each.status for each in catalog.checks()} == {"pass"}


def test_changes_over_the_api_are_written_when_it_closes(opened: Open, shop: Path) -> None:
    (shop / "products.csv").chmod(0o640)
    with opened() as catalog:
        put(catalog, "LAMP-2", quantity=2)
        put(catalog, "NEW-1", title="New")
        products.remove_product(catalog.unit_of_work(), "RUG-1")
        assert (shop / "products.csv").read_text() == CSV

    assert (shop / "products.csv").read_text() == CSV.replace("EUR;3;", "EUR;2;").replace(
        "RUG-1;Wool rug;89.00 EUR;5;red\n", "NEW-1;New;;;\n"
    )
    assert (shop / "products.csv").stat().st_mode & 0o777 == 0o640
    with opened() as catalog:
        assert catalog.log.seq == 6


def test_a_link_to_the_file_stays_one(opened: Open, shop: Path, tmp_path: Path) -> None:
    real = tmp_path / "shared.csv"
    (shop / "products.csv").rename(real)
    (shop / "products.csv").symlink_to("../shared.csv")
    with opened() as catalog:
        put(catalog, "LAMP-2", quantity=2)

    assert (shop / "products.csv").is_symlink()
    assert real.read_text() == CSV.replace("EUR;3;", "EUR;2;")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["shared.csv", "shop"]


def test_the_file_follows_soon(opened: Open, shop: Path) -> None:
    with opened(file_delay_s=0) as catalog:
        put(catalog, "LAMP-2", quantity=2)
        for _ in range(600):
            if "EUR;2;" in (shop / "products.csv").read_text():
                break
            catalog.log.wait(99, timeout_s=0.05)
        assert "EUR;2;" in (shop / "products.csv").read_text()


def test_edits_while_it_was_closed_become_changes(opened: Open, shop: Path) -> None:
    with opened():
        pass
    edit(shop, "Floor lamp", "Tall lamp")
    edit(shop, "RUG-1;Wool rug;89.00 EUR;5;red\n", "RUG-2;Big rug;99.00 EUR;1;blue\n")

    with opened() as catalog:
        changes = catalog.log.changes(3, limit=10)
        assert [(each.type, each.id) for each in changes] == [
            ("product.deleted", "RUG-1"),
            ("product.updated", "LAMP-2"),
            ("product.created", "RUG-2"),
        ]
        assert {each.source for each in changes} == {Source.FILE}
        assert get(catalog, "LAMP-2")["version"] == 2
    with opened() as catalog:
        assert catalog.log.seq == 6


def test_both_sides_change_other_fields(opened: Open, shop: Path) -> None:
    with opened() as catalog:
        put(catalog, "LAMP-2", quantity=2)
        edit(shop, "Floor lamp", "Tall lamp")

    assert "LAMP-2;Tall lamp;249.00 EUR;2;" in (shop / "products.csv").read_text()
    with opened() as catalog:
        assert get(catalog, "LAMP-2")["title"] == "Tall lamp"
        assert get(catalog, "LAMP-2")["quantity"] == 2


def test_a_conflict_keeps_the_value_of_the_api_and_is_told(opened: Open, shop: Path) -> None:
    with opened() as catalog:
        put(catalog, "LAMP-2", title="API lamp")
        edit(shop, "Floor lamp", "File lamp")

    assert "LAMP-2;API lamp;" in (shop / "products.csv").read_text()


def test_a_row_edited_after_its_product_was_removed(opened: Open, shop: Path) -> None:
    with opened() as catalog:
        products.remove_product(catalog.unit_of_work(), "LAMP-2")
        edit(shop, "Floor lamp", "File lamp")

    assert "LAMP-2" not in (shop / "products.csv").read_text()


def test_a_crash_before_the_file_was_written(opened: Open, shop: Path, tmp_path: Path) -> None:
    """What the journal has and the file has not is written at the next start and stop."""
    with opened() as catalog:
        put(catalog, "LAMP-2", quantity=2)
        shutil.copytree(shop, tmp_path / "crashed")  # Copied while open: as a crash leaves it.

    with open_catalog(tmp_path / "crashed", Settings.load()) as catalog:
        assert get(catalog, "LAMP-2")["quantity"] == 2
    assert "EUR;2;" in (tmp_path / "crashed" / "products.csv").read_text()


def test_a_crash_between_the_file_and_its_base(opened: Open, shop: Path) -> None:
    """The file holds the changes already; taking them for edits does no harm."""
    with opened() as catalog:
        put(catalog, "LAMP-2", quantity=2)
        products.remove_product(catalog.unit_of_work(), "RUG-1")
        put(catalog, "NEW-1", title="New")
        base = {each: each.read_bytes() for each in (shop / ".vitrina" / "base").iterdir()}
    for path in (shop / ".vitrina" / "base").iterdir():
        path.unlink()
    for path, data in base.items():
        path.write_bytes(data)
    written = (shop / "products.csv").read_text()

    with opened() as catalog:
        assert catalog.log.seq == 6
        assert problems(catalog) == []
    assert (shop / "products.csv").read_text() == written


def test_without_its_folder_it_starts_again_from_the_file(opened: Open, shop: Path) -> None:
    with opened() as catalog:
        put(catalog, "LAMP-2", quantity=2)
    for path in sorted((shop / ".vitrina").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()

    with opened() as catalog:
        assert get(catalog, "LAMP-2")["quantity"] == 2
        assert catalog.log.seq == 3


def test_without_its_base_the_file_overrides_and_deletes_nothing(opened: Open, shop: Path) -> None:
    with opened() as catalog:
        put(catalog, "LAMP-2", quantity=2)
    for path in (shop / ".vitrina" / "base").iterdir():
        path.unlink()
    edit(shop, "Wool rug", "Silk rug")
    edit(shop, 'LAMP-1;"Desk lamp";129.90 EUR;12;brown\n', "")

    with opened() as catalog:
        assert get(catalog, "RUG-1")["title"] == "Silk rug"
        assert get(catalog, "LAMP-1")["title"] == "Desk lamp"


def test_a_deleted_file_is_written_again(opened: Open, shop: Path) -> None:
    with opened() as catalog:
        put(catalog, "LAMP-2", quantity=2)
    written = (shop / "products.csv").read_text()
    (shop / "products.csv").unlink()

    with opened():
        pass
    assert (shop / "products.csv").read_text() == written


def test_a_file_that_broke_is_served_as_it_last_was(opened: Open, shop: Path) -> None:
    with opened():
        pass
    (shop / "products.csv").write_bytes(b"")

    with opened() as catalog:
        assert get(catalog, "LAMP-1")["title"] == "Desk lamp"
        put(catalog, "LAMP-1", title="Lamp")
        (check,) = [each for each in catalog.checks() if each.name == "product_file"]
        assert check.status == "warn"
        assert "products.csv" in check.detail
        assert "line 1" in check.detail
    assert (shop / "products.csv").read_bytes() == b""

    (shop / "products.csv").write_text(CSV)
    with opened() as catalog:
        assert get(catalog, "LAMP-1")["title"] == "Lamp"
    assert "LAMP-1;Lamp;" in (shop / "products.csv").read_text().replace('"', "")


def test_a_file_that_was_never_readable(opened: Open, shop: Path) -> None:
    (shop / "products.csv").write_bytes(b"")

    with pytest.raises(CannotOpen, match=r"products.csv cannot be read: line 1"), opened():
        pass


def test_rows_that_are_refused_stay_and_are_told(opened: Open, shop: Path) -> None:
    edit(shop, "249.00 EUR", "cheap")
    for _ in range(2):
        with opened() as catalog:
            assert catalog.understood is not None
            assert catalog.understood.refused == 1
            assert "line 3" in str(catalog.understood.problems[0])
            assert "cheap" in next(each.detail for each in catalog.checks() if each.detail)
            assert catalog.view.products(["LAMP-2"]) == [None]
    with opened() as catalog:
        put(catalog, "LAMP-1", quantity=11)
    assert "LAMP-2;Floor lamp;cheap;3;\n" in (shop / "products.csv").read_text()

    edit(shop, "cheap", "1.00 EUR")
    with opened() as catalog:
        assert get(catalog, "LAMP-2")["price"] == {"amount": "1.00", "currency": "EUR"}


def test_a_row_that_became_wrong_keeps_its_product(opened: Open, shop: Path) -> None:
    with opened():
        pass
    edit(shop, "249.00 EUR", "cheap")

    with opened() as catalog:
        assert get(catalog, "LAMP-2")["version"] == 1


def test_what_only_the_catalog_can_refuse_is_tried_again(opened: Open, shop: Path) -> None:
    """A SKU that a product of the API has, until it has it no more."""
    (shop / "products.csv").write_text("id,sku,title\nLAMP-1,L-1,Lamp\n")
    with opened() as catalog:
        put(catalog, "API-1", title="Api", sku="X-1")
        with (shop / "products.csv").open("a") as file:
            file.write("LAMP-2,X-1,Second\n")
    with opened() as catalog:
        assert "sku_taken" in problems(catalog)
        assert catalog.view.products(["LAMP-2"]) == [None]
        products.remove_product(catalog.unit_of_work(), "API-1")
    with opened() as catalog:
        assert problems(catalog) == []
        assert get(catalog, "LAMP-2")["sku"] == "X-1"


def test_rows_exchange_their_skus(opened: Open, shop: Path) -> None:
    (shop / "products.csv").write_text("id,sku,slug,title\na,S-1,s-1,A\nb,S-2,s-2,B\nc,S-3,s-3,C\n")
    with opened():
        pass
    (shop / "products.csv").write_text("id,sku,slug,title\na,S-2,s-2,A\nb,S-1,s-1,B\nd,S-3,s-3,D\n")

    with opened() as catalog:
        assert problems(catalog) == []
        assert get(catalog, "a")["sku"] == "S-2"
        assert get(catalog, "b")["slug"] == "s-1"
        assert get(catalog, "d")["sku"] == "S-3"


def test_an_exchange_that_cannot_be_done_gives_everything_back(opened: Open, shop: Path) -> None:
    (shop / "products.csv").write_text("id,sku,title\na,S-1,A\nb,S-2,B\n")
    with opened() as catalog:
        put(catalog, "api", title="Api", sku="S-9")
        (shop / "products.csv").write_text("id,sku,title\na,S-9,A\nb,S-1,B\n")

    with opened() as catalog:
        assert get(catalog, "a")["sku"] == "S-1"
        assert get(catalog, "b")["sku"] == "S-2"
        assert problems(catalog).count("sku_taken") == 2


def test_a_column_that_is_gone_waits_to_be_accepted(opened: Open, shop: Path) -> None:
    with opened():
        pass
    without = "id;title;price\nLAMP-1;Desk lamp;129.90 EUR\nLAMP-2;Tall lamp;249.00 EUR\nRUG-1;Wool rug;89.00 EUR\n"
    (shop / "products.csv").write_text(without)

    with opened() as catalog:
        status = catalog.file.status()
        assert status.state == "pending"
        assert status.pending is not None
        assert status.pending.columns == ("attributes.color", "quantity")
        assert "vitrina accept" in status.detail
        assert get(catalog, "LAMP-2")["title"] == "Floor lamp"
        put(catalog, "LAMP-1", quantity=1)
    assert (shop / "products.csv").read_text() == without

    with opened() as catalog:
        assert catalog.file.accept().state == "held"
        assert get(catalog, "LAMP-2")["title"] == "Tall lamp"
        assert get(catalog, "LAMP-2")["quantity"] is None
        assert get(catalog, "RUG-1")["attributes"] == {}
        (conflict,) = catalog.file.conflicts()
        assert (conflict.product_id, conflict.field) == ("LAMP-1", "quantity")
        assert get(catalog, "LAMP-1")["quantity"] == 1


def test_a_row_without_an_id_withholds_deletions(opened: Open, shop: Path) -> None:
    with opened():
        pass
    edit(shop, "RUG-1;Wool rug;89.00 EUR;5;red", ";;89.00 EUR;5;red")

    with opened() as catalog:
        assert "deletion_withheld" in problems(catalog)
        assert get(catalog, "RUG-1")["title"] == "Wool rug"


def test_ids_that_the_file_does_not_state_stay(opened: Open, shop: Path) -> None:
    (shop / "products.csv").write_text("name,price\nLamp,1.00 EUR\nRug,2.00 EUR\n")
    with opened() as catalog:
        ids = sorted(each.id for each in catalog.view.snapshot()[1])
        put(catalog, ids[0], quantity=1)
    with opened() as catalog:
        assert sorted(each.id for each in catalog.view.snapshot()[1]) == ids
        assert catalog.log.seq == 3


def test_invalid_edits_of_the_api_are_not_in_the_way(opened: Open, shop: Path) -> None:
    """A transition that the life cycle refuses is told, and nothing else is lost."""
    (shop / "products.csv").write_text("id,title,status\nL-1,Lamp,archived\nL-2,Lamp 2,active\n")
    with opened():
        pass
    (shop / "products.csv").write_text("id,title,status\nL-1,Lamp,draft\nL-2,Lamp two,active\n")

    with opened() as catalog:
        assert problems(catalog) == ["status_transition"]
        assert get(catalog, "L-1")["status"] == "archived"
        assert get(catalog, "L-2")["title"] == "Lamp two"
        with pytest.raises(CatalogError):
            put(catalog, "L-1", status="draft")


def test_a_file_in_a_folder_that_belongs_to_another(opened: Open, shop: Path) -> None:
    with opened():
        pass
    other = shop / "other.csv"
    other.write_text("id,title\na,A\n")

    with (
        pytest.raises(CannotOpen, match=r"belongs to the product file products\.csv"),
        open_catalog(other, Settings.load()),
    ):
        pass
    (shop / "products.csv").rename(shop / "products.jsonl")
    with pytest.raises(CannotOpen, match="under a new name"), opened():
        pass
