"""Changes of the index: committed in memory, saved to the disk now and then."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.builders import LAMP
from tests.contract.product_index import put, remove, things
from vitrina.adapters.index import following, home, overlay
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.memory import MemoryCatalog
from vitrina.domain.product import Product
from vitrina.service_layer.ports import CheckStatus
from vitrina.service_layer.queries import ProductQuery

EVERYTHING = ProductQuery(limit=200)
READ_WHOLE = "the whole catalog was read"


@pytest.fixture
def catalog() -> MemoryCatalog:
    return things(5)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    return tmp_path / "disk"


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """What stands for a folder in memory."""
    folder = tmp_path / "memory"
    folder.mkdir()
    return folder


def opened(catalog: MemoryCatalog, disk: Path, memory: Path | None) -> TantivyIndex:
    return TantivyIndex(catalog.view, catalog, disk, memory=memory)


def ids(index: TantivyIndex) -> tuple[str, ...]:
    return index.search(EVERYTHING).ids


def save(index: TantivyIndex) -> None:
    index._home.save()  # noqa: SLF001 - what happens every few seconds


def in_use(memory: Path) -> Path:
    return memory / f"vitrina-{os.getuid()}" / "0"


def files(folder: Path) -> dict[str, int]:
    """Return the times at which the files of a folder were written last."""
    return {each.name: each.stat().st_mtime_ns for each in folder.iterdir()}


def _copied(disk: Path) -> Path:
    copy = disk.with_name("copy")
    shutil.rmtree(copy, ignore_errors=True)
    return shutil.copytree(disk, copy)


def after_a_crash(catalog: MemoryCatalog, disk: Path) -> tuple[str, ...]:
    """Return what an index finds that goes on with what is on the disk at this moment."""
    with opened(catalog, _copied(disk), None) as index:
        found = ids(index)
        assert index._opening.progress.now == (0, 0), READ_WHOLE  # noqa: SLF001 - whether it was built
    return found


def test_a_commit_leaves_the_disk_alone(catalog: MemoryCatalog, disk: Path, memory: Path) -> None:
    with opened(catalog, disk, memory) as index:
        before = files(disk / "0"), (disk / "0.json").read_bytes()
        put(catalog, LAMP)
        remove(catalog, "product-3")
        assert ids(index) == ("lamp", "product-0", "product-1", "product-2", "product-4")
        assert (files(disk / "0"), (disk / "0.json").read_bytes()) == before
        assert after_a_crash(catalog, disk) == ids(index)


def test_what_is_saved_is_on_the_disk_and_no_longer_in_memory(
    catalog: MemoryCatalog, disk: Path, memory: Path
) -> None:
    with opened(catalog, disk, memory) as index:
        for number in range(20):
            put(catalog, replace(LAMP, id=f"lamp-{number}", sku=None, slug=None))
            if number < 3:
                remove(catalog, f"product-{number}")
            ids(index)
            if number % 3 == 0:
                save(index)
        save(index)

        again = files(disk / "0")
        save(index)  # There is nothing to be saved.
        assert files(disk / "0") == again
        held = {each.name for each in in_use(memory).iterdir() if not each.is_symlink()}
        assert {each for each in held if "lock" not in each} == {"meta.json", ".managed.json"}
        assert after_a_crash(catalog, disk) == ids(index)
        # Nothing is left over of segments that were merged.
        assert {each.partition(".")[0] for each in again if each[0] != "."} - {"meta"} == {
            each.name.partition(".")[0]
            for each in in_use(memory).iterdir()
            if each.is_symlink() and each.exists()
        }


def test_it_is_saved_in_the_end(catalog: MemoryCatalog, disk: Path, memory: Path) -> None:
    with opened(catalog, disk, memory) as index:
        put(catalog, LAMP)
        found = ids(index)
    assert not in_use(memory).exists()
    note = (disk / "0.json").read_bytes()
    assert b'"seq":%d,' % catalog.seq in note
    with opened(catalog, disk, memory) as index:
        assert ids(index) == found
        assert (disk / "0.json").read_bytes() == note


def test_it_is_saved_regularly(
    catalog: MemoryCatalog, disk: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "SAVE_AFTER_S", 0.01)
    with opened(catalog, disk, memory) as index:
        put(catalog, LAMP)
        ids(index)
        waiting = Event()
        while b'"seq":%d,' % catalog.seq not in (disk / "0.json").read_bytes():
            waiting.wait(0.01)


def test_it_may_be_saved_while_changes_are_committed_and_files_merged(
    catalog: MemoryCatalog, disk: Path, memory: Path
) -> None:
    done = Event()
    with opened(catalog, disk, memory) as index:

        def write() -> None:
            for number in range(20):
                put(catalog, Product(id=f"other-{number}", title=f"Other {number}"))
                ids(index)
            done.set()

        writer = Thread(target=write)
        writer.start()
        while not done.is_set():
            save(index)
            assert after_a_crash(catalog, disk)
        writer.join()
        assert index.checks()[0].status is CheckStatus.PASS
        save(index)
        assert after_a_crash(catalog, disk) == ids(index)
    assert len(after_a_crash(catalog, disk)) == 25


def test_files_that_are_merged_away_while_they_are_copied_are_no_trouble(
    catalog: MemoryCatalog, disk: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, refusals = shutil.copyfile, [FileNotFoundError("merged"), FileNotFoundError("merged")]

    def copy_late(source: Path, target: Path) -> object:
        if refusals:
            raise refusals.pop()
        return copy(source, target)

    with opened(catalog, disk, memory) as index:
        put(catalog, LAMP)
        found = ids(index)
        monkeypatch.setattr(shutil, "copyfile", copy_late)
        save(index)
        monkeypatch.undo()
        assert not refusals
        assert index.checks()[0].status is CheckStatus.PASS
        assert after_a_crash(catalog, disk) == found


def test_many_changes_are_committed_on_the_disk(
    catalog: MemoryCatalog, disk: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "IN_MEMORY_MAX", 3)
    with opened(catalog, disk, memory) as index:
        put(catalog, LAMP)
        ids(index)
        put(catalog, *(Product(id=f"other-{n}", title=f"Other {n}") for n in range(4)))
        assert len(ids(index)) == 10
        assert b'"seq":%d,' % catalog.seq in (disk / "0.json").read_bytes()
        remove(catalog, "lamp")
        assert len(ids(index)) == 9
        assert b'"seq":%d,' % catalog.seq not in (disk / "0.json").read_bytes()
        assert in_use(memory).exists()


def test_memory_that_is_gone_leaves_it_on_the_disk(
    catalog: MemoryCatalog, disk: Path, memory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(catalog, disk, memory) as index:
        put(catalog, LAMP)
        ids(index)
        shutil.rmtree(in_use(memory))
        remove(catalog, "product-3")
        assert ids(index) == ("lamp", "product-0", "product-1", "product-2", "product-4")
        assert "the index goes on on the disk" in caplog.text
        assert b'"seq":%d,' % catalog.seq in (disk / "0.json").read_bytes()
        assert index.checks()[0].status is CheckStatus.PASS


def test_memory_that_is_gone_when_it_is_opened_anew_leaves_it_on_the_disk(
    catalog: MemoryCatalog, disk: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "COMMITS_MAX", 1)
    with opened(catalog, disk, memory) as index:
        put(catalog, LAMP)
        assert "lamp" in ids(index)

        shutil.rmtree(in_use(memory))
        remove(catalog, "product-4")
        assert ids(index) == ("lamp", "product-0", "product-1", "product-2", "product-3")
        assert index.checks()[0].status is CheckStatus.PASS


def test_a_save_that_is_not_finished_leaves_nothing_in_the_way(
    catalog: MemoryCatalog, disk: Path, memory: Path
) -> None:
    """What was copied already has the very names that the engine gives its files on the disk."""
    with opened(catalog, disk, memory) as index:
        remove(catalog, "product-3")
        put(catalog, LAMP)
        ids(index)
        kept = index._home._overlay  # noqa: SLF001 - to stop in the middle
        assert kept is not None
        kept._copy()  # noqa: SLF001 - to stop in the middle
        assert list((disk / "0").glob("*.del"))
        assert after_a_crash(catalog, disk) == ids(index)

        shutil.rmtree(in_use(memory))
        remove(catalog, "product-4")
        assert ids(index) == ("lamp", "product-0", "product-1", "product-2")
        assert index.checks()[0].status is CheckStatus.PASS
    assert after_a_crash(catalog, disk)


def test_memory_and_disk_that_are_gone_leave_it_in_memory(
    catalog: MemoryCatalog, disk: Path, memory: Path
) -> None:
    with opened(catalog, disk, memory) as index:
        shutil.rmtree(in_use(memory))
        shutil.rmtree(disk)
        put(catalog, LAMP)
        assert "lamp" in ids(index)
        assert index.checks()[0].status is CheckStatus.WARN


def test_a_disk_that_refuses_is_told(catalog: MemoryCatalog, disk: Path, memory: Path) -> None:
    with opened(catalog, disk, memory) as index:
        away = disk.with_name("away")
        (disk / "0").rename(away)
        put(catalog, LAMP)
        assert "lamp" in ids(index)
        save(index)
        save(index)
        (check,) = index.checks()
        assert check.status is CheckStatus.WARN
        assert "cannot be saved" in check.detail

        away.rename(disk / "0")
        save(index)
        assert index.checks()[0].status is CheckStatus.PASS
        assert after_a_crash(catalog, disk) == ids(index)


def _no_memory(memory: Path, _: pytest.MonkeyPatch) -> None:
    memory.rmdir()


def _little_memory(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "ROOM_MIN", 2**60)


def _open_to_others(memory: Path, _: pytest.MonkeyPatch) -> None:
    in_use(memory).parent.mkdir()
    in_use(memory).parent.chmod(0o777)


def _a_trap(memory: Path, _: pytest.MonkeyPatch) -> None:
    elsewhere = memory.with_name("elsewhere")
    elsewhere.mkdir()
    in_use(memory).parent.symlink_to(elsewhere)


@pytest.mark.parametrize("hindrance", [_no_memory, _little_memory, _open_to_others, _a_trap])
def test_without_memory_of_its_own_it_commits_on_the_disk(
    catalog: MemoryCatalog,
    disk: Path,
    memory: Path,
    monkeypatch: pytest.MonkeyPatch,
    hindrance: object,
) -> None:
    assert callable(hindrance)
    hindrance(memory, monkeypatch)
    with opened(catalog, disk, memory) as index:
        put(catalog, LAMP)
        assert "lamp" in ids(index)
        assert b'"seq":%d,' % catalog.seq in (disk / "0.json").read_bytes()
        assert index.checks()[0].status is CheckStatus.PASS


def test_what_a_process_left_that_died_is_cleared_away(
    catalog: MemoryCatalog, disk: Path, memory: Path
) -> None:
    with opened(catalog, disk, memory) as index:
        assert ids(index)
    left = in_use(memory)
    left.mkdir()
    (left / "meta.json").write_text("of the dead")
    with opened(catalog, disk, memory) as index:
        put(catalog, LAMP)
        assert "lamp" in ids(index)
