"""A product file and its catalog, edited on both sides."""

import errno
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integration.disks import FailingDisk
from tests.shops import shop_with
from tests.waiting import until
from vitrina.adapters import codec
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.journal.folder import open_store
from vitrina.adapters.journal.store import StoreLimits
from vitrina.adapters.projection.base import BaseKeeper
from vitrina.adapters.projection.conflicts import ConflictBook
from vitrina.adapters.projection.desk import Desk
from vitrina.adapters.projection.products import FileRules, ProductsSync
from vitrina.adapters.projection.taking import TakingIn
from vitrina.bootstrap import Catalog, open_catalog
from vitrina.domain.errors import CatalogError, ChangesGone
from vitrina.service_layer import categories, products
from vitrina.service_layer.changes import Source
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.opening import CannotOpen
from vitrina.service_layer.ports import CatalogView, Stored, UnitOfWork
from vitrina.settings import Settings

CSV = """\
id;title;price;quantity;color
LAMP-1;"Desk lamp";129.90 EUR;12;brown
LAMP-2;Floor lamp;249.00 EUR;3;
RUG-1;Wool rug;89.00 EUR;5;red
"""

type Open = Callable[..., AbstractContextManager[Catalog]]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return shop_with(tmp_path, CSV)


@pytest.fixture
def opened(shop: Path) -> Open:
    """Return a function that opens the catalog; the file is written when it is closed."""

    @contextmanager
    def opened(file_delay_s: float = 3600.0) -> Iterator[Catalog]:
        settings = Settings.load(file_delay_s=file_delay_s, file_rest_s=0, watch="off")
        with open_catalog(shop, settings) as catalog:
            yield catalog

    return opened


def put(catalog: Catalog, product_id: str, **fields: Json) -> None:
    """Change fields of a product as a client does, or add it."""
    found = catalog.view.products([product_id])[0]
    document: Document = codec.load(found.body) if found else {}
    products.put_product(catalog.unit_of_work(), product_id, {**document, **fields})


def get(catalog: Catalog, product_id: str) -> Document:
    return codec.load(catalog.view.product(product_id).body)


def edit(shop: Path, old: str, new: str) -> None:
    path = shop / "products.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def book(shop: Path, desk: Path) -> ConflictBook:
    return ConflictBook(
        Disk(),
        Desk(Disk(), desk),
        shop / "products.csv",
        current=lambda key: None if key == "RUG-1" else {},
        category=lambda _: None,
        now=lambda: datetime.now(UTC),
    )


def problems(catalog: Catalog) -> list[str]:
    assert catalog.understood is not None
    return [each.code for each in catalog.understood.problems]


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
        _copy(shop, tmp_path / "crashed")  # Copied while open: as a crash leaves it.

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


# --- categories


def test_categories_come_from_their_file(opened: Open, shop: Path) -> None:
    tree = [
        {"id": "desk", "name": "Desk", "parent_id": "lamps"},
        {"id": "lamps", "name": "Lamps"},
    ]
    (shop / "categories.json").write_text(json.dumps(tree))
    with opened() as catalog:
        assert catalog.view.categories().path("desk") == ("Lamps", "Desk")
    assert json.loads((shop / "categories.json").read_text()) == tree


def test_categories_of_the_api_are_written(opened: Open, shop: Path) -> None:
    with opened() as catalog:
        categories.put_category(catalog.unit_of_work(), "lamps", {"name": "Lamps"})
        put(catalog, "LAMP-1", category_id="lamps")
    assert json.loads((shop / "categories.json").read_text()) == [
        {"id": "lamps", "name": "Lamps", "parent_id": None}
    ]
    (shop / "categories.json").write_text(
        '[{"id": "lamps", "name": "Lights"}, {"id": "rugs", "name": "Rugs"}]'
    )
    with opened() as catalog:
        assert catalog.view.categories().path("lamps") == ("Lights",)
        assert len(catalog.view.categories()) == 2
        categories.put_category(catalog.unit_of_work(), "rugs", {"name": "Carpets"})
        (shop / "categories.json").unlink()
    assert [each["name"] for each in json.loads((shop / "categories.json").read_text())] == [
        "Carpets",
        "Lights",
    ]
    (shop / "categories.json").write_text('[{"id": "lamps", "name": "Lights"}]')
    with opened() as catalog:
        assert [each.id for each in catalog.view.categories()] == ["lamps"]


def test_a_category_in_use_is_not_taken_away(opened: Open, shop: Path) -> None:
    rug = '{"id": "rugs", "name": "Rugs"}'
    (shop / "categories.json").write_text(f'[{{"id": "lamps", "name": "Lamps"}}, {rug}]')
    with opened() as catalog:
        put(catalog, "LAMP-1", category_id="lamps")
    (shop / "categories.json").write_text(f"[{rug}]")

    with opened() as catalog:
        assert [each.id for each in catalog.view.categories()] == ["lamps", "rugs"]
        assert "lamps" in next(each.detail for each in catalog.checks() if each.detail)


def test_categories_changed_on_both_sides(opened: Open, shop: Path) -> None:
    (shop / "categories.json").write_text('[{"id": "a", "name": "A"}, {"id": "b", "name": "B"}]')
    with opened() as catalog:
        categories.put_category(catalog.unit_of_work(), "a", {"name": "A of the API"})
        categories.put_category(catalog.unit_of_work(), "b", {"name": "B of the API"})
        (shop / "categories.json").write_text('[{"id": "a", "name": "A of the file"}]')

    assert [each["name"] for each in json.loads((shop / "categories.json").read_text())] == [
        "A of the API",
        "B of the API",
    ]


def test_a_broken_categories_file(opened: Open, shop: Path) -> None:
    (shop / "categories.json").write_text('[\n{"id": "a", "name": "A"},\n{"id": "a"}]')
    with pytest.raises(CannotOpen, match=r"categories.json cannot be read: line 3"), opened():
        pass
    (shop / "categories.json").unlink()
    with opened():
        pass
    (shop / "categories.json").write_text("{}")
    with opened() as catalog:
        put(catalog, "LAMP-1", quantity=1)
        assert "categories.json" in next(each.detail for each in catalog.checks() if each.detail)
    assert (shop / "categories.json").read_text() == "{}"


def test_a_renamed_category_is_renamed_in_the_paths_of_rows(opened: Open, shop: Path) -> None:
    (shop / "products.csv").write_text(
        "id,title,category\nL-1,Lamp,Home > Lamps\nR-1,Rug,Home > Rugs\n"
    )
    with opened() as catalog:
        lamps = str(get(catalog, "L-1")["category_id"])
        assert catalog.view.categories().path(lamps) == ("Home", "Lamps")
        document: Json = {
            "name": "Lights",
            "parent_id": catalog.view.categories().get(lamps).parent_id,
        }
        categories.put_category(catalog.unit_of_work(), lamps, document)
    assert (shop / "products.csv").read_text() == (
        "id,title,category\nL-1,Lamp,Home > Lights\nR-1,Rug,Home > Rugs\n"
    )
    with opened() as catalog:
        assert get(catalog, "L-1")["category_id"] == lamps
        assert len(catalog.view.categories()) == 3


def test_a_crash_after_renaming_a_category(opened: Open, shop: Path, tmp_path: Path) -> None:
    (shop / "products.csv").write_text("id,title,category\nL-1,Lamp,Lamps\n")
    with opened() as catalog:
        categories.put_category(catalog.unit_of_work(), "lamps", {"name": "Lights"})
        _copy(shop, tmp_path / "crashed")

    with open_catalog(tmp_path / "crashed", Settings.load()) as catalog:
        assert [each.name for each in catalog.view.categories()] == ["Lights"]
    assert "L-1,Lamp,Lights" in (tmp_path / "crashed" / "products.csv").read_text()


def test_new_paths_in_an_edited_file_make_categories(opened: Open, shop: Path) -> None:
    (shop / "products.csv").write_text("id,title,category\nL-1,Lamp,Lamps\n")
    with opened():
        pass
    edit(shop, "L-1,Lamp,Lamps", "L-1,Lamp,Lamps > Desk")

    with opened() as catalog:
        category = str(get(catalog, "L-1")["category_id"])
        assert catalog.view.categories().path(category) == ("Lamps", "Desk")


# --- when the system refuses


def test_a_file_that_cannot_be_written_is_tried_again(shop: Path) -> None:
    disk = FailingDisk()
    with open_catalog(shop, Settings.load(file_delay_s=0.0), disk=disk) as catalog:
        disk.fail("rename", errno.EACCES)
        put(catalog, "LAMP-1", quantity=1)
        for _ in range(600):
            if any(each.status == "warn" for each in catalog.checks()):
                break
            catalog.log.wait(99, timeout_s=0.05)
        (check,) = [each for each in catalog.checks() if each.name == "product_file"]
        assert "Nothing is lost" in check.detail
        disk.mend()

    assert "EUR;1;brown" in (shop / "products.csv").read_text()


class EditedMeanwhile:
    """A view during whose first look somebody edits the file."""

    def __init__(self, view: CatalogView, edit: Callable[[], None]) -> None:
        self._view = view
        self._edit: Callable[[], None] | None = edit

    def products(self, product_ids: Sequence[str]) -> list[Stored | None]:
        if self._edit and len(product_ids) == 1:
            self._edit()
            self._edit = None
        return self._view.products(product_ids)

    def __getattr__(self, name: str) -> object:
        return getattr(self._view, name)


def test_the_file_is_edited_just_before_it_is_replaced(
    opened: Open, shop: Path, tmp_path: Path
) -> None:
    """An edit that comes between reading and writing is seen, and nothing is overwritten."""
    with opened() as catalog:
        seq = catalog.log.seq
        put(catalog, "LAMP-1", quantity=1)
        view = EditedMeanwhile(catalog.view, lambda: edit(shop, "Floor lamp", "Tall lamp"))
        disk = Disk()
        sync = ProductsSync(
            disk,
            shop / "products.csv",
            BaseKeeper(disk, shop / ".vitrina" / "base", "products.csv"),
            TakingIn(disk, shop / ".vitrina" / "base", "products.csv", catalog.log),
            view=view,  # type: ignore[arg-type]
            unit_of_work=catalog.unit_of_work,
            conflicts=book(shop, tmp_path),
            rules=FileRules(currency="EUR"),
        )
        assert not sync.write_out(["LAMP-1"], seq + 1, new_paths=False)
        assert (shop / "products.csv").read_text() == CSV.replace("Floor lamp", "Tall lamp")

    text = (shop / "products.csv").read_text()
    assert "EUR;1;brown" in text
    assert "Tall lamp" in text


class NoSyncOfTheFolder(Disk):
    """A disk that refuses to sync a folder, so that a file is replaced and it says it failed."""

    def __init__(self, folder: Path) -> None:
        self.refuses = False
        self._folder = folder

    def fsync_folder(self, path: Path) -> None:
        if self.refuses and path == self._folder:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        super().fsync_folder(path)


def test_a_rewrite_that_fails_at_its_end_is_no_edit(shop: Path) -> None:
    """The file was replaced, and only the sync of its folder failed; then the API goes on."""
    disk = NoSyncOfTheFolder(shop)
    settings = Settings.load(file_delay_s=0.01, file_rest_s=0, watch="off")
    with open_catalog(shop, settings, disk=disk) as catalog:
        before = get(catalog, "LAMP-1")["quantity"]
        disk.refuses = True
        put(catalog, "LAMP-1", quantity=41)
        until(lambda: "41" in (shop / "products.csv").read_text())
        until(lambda: "warn" in [each.status for each in catalog.checks()])
        put(catalog, "LAMP-1", quantity=before)
        disk.refuses = False
        seq = catalog.log.seq

    with open_catalog(shop, settings) as catalog:
        assert get(catalog, "LAMP-1")["quantity"] == before
        assert catalog.log.seq == seq
    assert "41" not in (shop / "products.csv").read_text()


@pytest.mark.parametrize("watch", ["auto", "poll"])
def test_a_file_that_the_system_will_not_open_is_not_taken_for_gone(shop: Path, watch: str) -> None:
    path, aside = shop / "products.csv", shop / "aside.csv"
    settings = Settings.load(file_delay_s=0.01, file_rest_s=0, watch=watch)
    with open_catalog(shop, settings) as catalog:
        seq = catalog.log.seq
        path.rename(aside)
        path.symlink_to(path.name)  # A link to itself: it is there, and cannot be opened.
        until(lambda: "Too many levels" in "".join(each.detail for each in catalog.checks()))
        assert catalog.file.status().state == "blocked"
        put(catalog, "LAMP-1", quantity=41)
        assert (catalog.log.seq, path.is_symlink()) == (seq + 1, True)

        path.unlink()
        aside.rename(path)
        until(lambda: "41" in path.read_text())
        until(lambda: catalog.file.status().state == "in_sync")
        assert catalog.log.seq == seq + 1


def test_what_was_kept_that_the_system_will_not_show_is_not_taken_for_gone(
    opened: Open, shop: Path, tmp_path: Path
) -> None:
    with opened():
        pass
    base = shop / ".vitrina" / "base"
    base.rename(tmp_path / "base")
    base.symlink_to(base.name)
    with pytest.raises(CannotOpen, match="Too many levels"), opened():
        pass


def test_a_read_only_folder_is_refused(shop: Path) -> None:
    disk = FailingDisk()
    disk.failures["mkdir"] = _read_only
    with (
        pytest.raises(CannotOpen, match=rf"Read-only file system.*{shop}"),
        open_catalog(shop, Settings.load(), disk=disk),
    ):
        pass


def _read_only() -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_a_disk_that_is_full_at_the_first_start(shop: Path) -> None:
    disk = FailingDisk()
    disk.fail("write", errno.ENOSPC)
    with pytest.raises(CannotOpen, match="ENOSPC"), open_catalog(shop, Settings.load(), disk=disk):
        pass
    with open_catalog(shop, Settings.load()) as catalog:
        assert catalog.log.seq == 3


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


def _copy(shop: Path, target: Path) -> None:
    for path in sorted(shop.rglob("*")):
        copy = target / path.relative_to(shop)
        if path.is_dir():
            copy.mkdir(parents=True, exist_ok=True)
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())


class Interfering:
    """Makes units of work; before the first, the API changes what the file is compared with."""

    def __init__(self, catalog: Catalog, change: Callable[[], None]) -> None:
        self._catalog = catalog
        self._change: Callable[[], None] | None = change

    def __call__(self) -> UnitOfWork:
        if self._change:
            self._change()
            self._change = None
        return self._catalog.unit_of_work()


def test_the_api_changes_a_product_while_its_edit_is_carried_out(
    opened: Open, shop: Path, tmp_path: Path
) -> None:
    """The comparison is made anew, so neither side's change is lost."""
    with opened() as catalog:
        edit(shop, "LAMP-2;Floor lamp;249.00 EUR;3", "LAMP-2;Tall lamp;249.00 EUR;4")
        edit(shop, "Wool rug", "Silk rug")

        def interfere() -> None:
            put(catalog, "LAMP-2", quantity=9, brand="Lumen")
            products.remove_product(catalog.unit_of_work(), "RUG-1")

        disk = Disk()
        sync = ProductsSync(
            disk,
            shop / "products.csv",
            BaseKeeper(disk, shop / ".vitrina" / "base", "products.csv"),
            TakingIn(disk, shop / ".vitrina" / "base", "products.csv", catalog.log),
            view=catalog.view,
            unit_of_work=Interfering(catalog, interfere),
            conflicts=book(shop, tmp_path),
            rules=FileRules(currency="EUR"),
        )
        sync.take_in(catalog.log.seq)

        found = get(catalog, "LAMP-2")
        assert (found["title"], found["quantity"], found["brand"]) == ("Tall lamp", 9, "Lumen")
        assert catalog.view.products(["RUG-1"]) == [None]
        found_conflicts = [
            (each.product_id, each.field, each.reason) for each in Desk(disk, tmp_path).conflicts()
        ]
        assert found_conflicts == [
            ("RUG-1", "", "deleted_in_catalog"),
            ("LAMP-2", "quantity", "both_changed"),
        ]


def test_when_the_changes_are_gone_the_whole_file_is_written(shop: Path) -> None:
    limits = StoreLimits(segment_bytes=1, retain_bytes=1)
    with open_catalog(shop, Settings.load(file_delay_s=3600.0)) as catalog:
        put(catalog, "LAMP-2", quantity=2)
        products.remove_product(catalog.unit_of_work(), "RUG-1")
        _copy(shop, shop.parent / "crashed")
    state = shop.parent / "crashed" / ".vitrina"
    for number in range(3):  # Two snapshots, and no segment from before them.
        with open_store(state, limits=limits) as opened, opened.store.unit_of_work() as uow:
            lamp = uow.products.get("LAMP-1")
            uow.products.save(lamp.become(replace(lamp, quantity=number)))
            uow.commit()

    with (
        open_catalog(shop.parent / "crashed", Settings.load()) as catalog,
        pytest.raises(ChangesGone),
    ):
        catalog.log.changes(3, limit=1)
    assert (shop.parent / "crashed" / "products.csv").read_text() == (
        CSV.replace("EUR;12;brown", "EUR;2;brown")
        .replace("EUR;3;", "EUR;2;")
        .replace("RUG-1;Wool rug;89.00 EUR;5;red\n", "")
    )


def test_a_file_that_is_newer_than_the_journal_gives_back_what_was_lost(
    opened: Open, shop: Path
) -> None:
    with opened():
        pass
    journal = next((shop / ".vitrina" / "journal").iterdir())
    before = journal.read_bytes()
    with opened() as catalog:
        put(catalog, "LAMP-2", quantity=2)
    journal.write_bytes(before)
    (shop / ".vitrina" / "snapshot-0000000000000004.jsonl").unlink()

    for _ in range(2):
        with opened() as catalog:
            assert get(catalog, "LAMP-2")["quantity"] == 2
            assert catalog.log.seq == 4
            assert catalog.log.changes(3, limit=1)[0].source is Source.FILE
