"""A product file and its catalog when the system refuses, or somebody comes in between."""

import errno
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.disks import FailingDisk
from tests.integration.projection.shop import CSV, Open, book, edit, get, put
from tests.waiting import until
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.journal.folder import open_store
from vitrina.adapters.journal.store import StoreLimits
from vitrina.adapters.projection.base import BaseKeeper
from vitrina.adapters.projection.desk import Desk
from vitrina.adapters.projection.products import FileRules, ProductsSync
from vitrina.adapters.projection.taking import TakingIn
from vitrina.bootstrap import Catalog, open_catalog
from vitrina.domain.errors import ChangesGone
from vitrina.service_layer import products
from vitrina.service_layer.changes import Source
from vitrina.service_layer.opening import CannotOpen
from vitrina.service_layer.ports import CatalogView, Stored, UnitOfWork
from vitrina.settings import Settings


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
        shutil.copytree(shop, shop.parent / "crashed")
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
