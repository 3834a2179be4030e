"""What an open catalog tells about itself in numbers."""

import errno
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.integration.disks import FailingDisk, Gate
from tests.integration.stores import lamp, save
from tests.waiting import until
from vitrina.adapters.journal.folder import open_store
from vitrina.adapters.meters import private_meters
from vitrina.bootstrap import Catalog, open_catalog
from vitrina.domain.errors import StoreReadOnly
from vitrina.service_layer import metrics
from vitrina.service_layer.metrics import Figure, Metric
from vitrina.service_layer.patches import MergePatch
from vitrina.service_layer.products import revise_product
from vitrina.settings import Settings

SETTINGS = Settings.load(file_delay_s=0.0, file_rest_s=0.0)
TEXT = "id,title,quantity\nLAMP-1,Lamp,5\nRUG-1,Rug,many\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "products.csv").write_text(TEXT)
    return tmp_path


def value(figures: Sequence[Figure], metric: Metric, *labels: str) -> float:
    (found,) = [each.value for each in figures if (each.metric, each.labels) == (metric, labels)]
    return float(found)


def told(catalog: Catalog, metric: Metric, *labels: str) -> float:
    catalog.tell()
    return value([*catalog.meters.figures(), *catalog.figures()], metric, *labels)


def test_a_catalog_that_is_well(shop: Path) -> None:
    with open_catalog(shop, SETTINGS) as catalog:
        assert told(catalog, metrics.PRODUCTS) == 1
        assert told(catalog, metrics.SEQ) == 1
        assert told(catalog, metrics.OLDEST_SEQ) == 1
        assert told(catalog, metrics.JOURNAL_BYTES) > 100
        assert told(catalog, metrics.SNAPSHOT_TIME) == 0
        assert told(catalog, metrics.COMMITS) == 1
        assert told(catalog, metrics.FILE_STATE, "held") == 1
        assert told(catalog, metrics.FILE_STATE, "in_sync") == 0
        assert told(catalog, metrics.FILE_PROBLEMS) == 1
        assert told(catalog, metrics.FILE_REFUSED) == 1
        assert told(catalog, metrics.STALE) == 0
        assert told(catalog, metrics.INDEX_BUILDING) == 0
        revise_product(catalog.unit_of_work(), "LAMP-1", MergePatch({"quantity": 4}))
        assert told(catalog, metrics.INDEX_LAG) == 1
    with open_catalog(shop, SETTINGS) as catalog:
        assert abs(told(catalog, metrics.SNAPSHOT_TIME) - time.time()) < 3_600


def test_numbers_are_told_while_the_journal_cannot_be_read(shop: Path) -> None:
    """Whoever serves tells them between two requests, and must not end by it."""
    disk = FailingDisk()
    with (
        open_catalog(shop, SETTINGS, disk=disk, join=True) as catalog,
        open_store(shop / ".vitrina", join=True) as other,
    ):
        until(lambda: told(catalog, metrics.INDEX_BUILDING) == 0)
        disk.fail("read", errno.EMFILE)
        save(other.store, lamp(1))
        assert told(catalog, metrics.SEQ) == 1
        assert told(catalog, metrics.PRODUCTS) == 1
        assert told(catalog, metrics.INDEX_LAG) == 0
        disk.mend()
        assert told(catalog, metrics.SEQ) == 2
        assert told(catalog, metrics.INDEX_LAG) == 1


def test_the_file_is_kept_in_step_again_when_the_journal_can_be_read_again(shop: Path) -> None:
    disk = FailingDisk()
    file = shop / "products.csv"
    file.write_text("id,title\nLAMP-1,Lamp\n")
    with (
        open_catalog(shop, SETTINGS, disk=disk, join=True),
        open_store(shop / ".vitrina", join=True) as other,
    ):
        gate = Gate()

        def refuse() -> None:
            gate.came.set()
            raise OSError(errno.EMFILE, "Too many open files")

        disk.failures["read"] = refuse
        save(other.store, lamp(1))
        assert gate.came.wait(30)
        time.sleep(0.3)  # Until whoever waits for changes has met it, too.
        disk.mend()
        until(lambda: b"lamp-1" in file.read_bytes())


def test_what_waits_for_a_file_that_is_broken(shop: Path) -> None:
    with open_catalog(shop, SETTINGS) as catalog:
        (shop / "products.csv").write_text('id,title,quantity\nLAMP-1,"La')
        until(lambda: told(catalog, metrics.STALE) == 1)
        assert told(catalog, metrics.FILE_LAG) == 0
        revise_product(catalog.unit_of_work(), "LAMP-1", MergePatch({"quantity": 4}))
        until(lambda: told(catalog, metrics.FILE_WAITING) == 1)
        until(lambda: told(catalog, metrics.FILE_LAG) > 0.1)

        (shop / "products.csv").write_text(TEXT)
        until(lambda: told(catalog, metrics.FILE_WAITING) == 0)
        assert told(catalog, metrics.FILE_LAG) == told(catalog, metrics.STALE) == 0
    assert "LAMP-1,Lamp,4" in (shop / "products.csv").read_text()


def test_what_goes_wrong_with_the_file_is_counted(shop: Path) -> None:
    disk = FailingDisk()
    with open_catalog(shop, SETTINGS, disk=disk) as catalog:
        assert told(catalog, metrics.FILE_FAILURES) == 0
        disk.fail("rename", errno.EACCES)
        revise_product(catalog.unit_of_work(), "LAMP-1", MergePatch({"quantity": 4}))
        until(lambda: told(catalog, metrics.FILE_FAILURES) >= 1)
        assert told(catalog, metrics.FILE_STATE, "blocked") == 1
        assert told(catalog, metrics.FILE_WAITING) == 1
        disk.mend()


def test_syncs_and_snapshots_are_counted(tmp_path: Path) -> None:
    disk, meters = FailingDisk(), private_meters()

    def counted(metric: Metric) -> float:
        return value(list(meters.figures()), metric)

    def times(metric: Metric) -> int:
        (found,) = [each for each in meters.tallies() if each.metric is metric]
        return sum(found.counts)

    with open_store(tmp_path / ".vitrina", disk=disk, meters=meters) as opened:
        for number in range(3):
            save(opened.store, lamp(number))
        opened.checkpoint()
        assert counted(metrics.COMMITS) == times(metrics.BATCH) == times(metrics.SYNC_SECONDS) == 3
        assert times(metrics.CHECKPOINT_SECONDS) == 1
        assert counted(metrics.SYNC_FAILURES) == 0

        disk.fail("write", errno.ENOSPC)
        with pytest.raises(StoreReadOnly):
            save(opened.store, lamp(4))
        assert value(opened.figures(), metrics.READ_ONLY, "refused") == 1
        disk.mend()
        save(opened.store, lamp(4))
        assert value(opened.figures(), metrics.READ_ONLY, "refused") == 0

        disk.fail("fsync", errno.EIO)
        with pytest.raises(StoreReadOnly):
            save(opened.store, lamp(5))
        assert counted(metrics.SYNC_FAILURES) == 1
        assert value(opened.figures(), metrics.READ_ONLY, "failed") == 1
        assert value(opened.figures(), metrics.READ_ONLY, "refused") == 0
        disk.mend()
