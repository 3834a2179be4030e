"""Backups, and what is restored from them."""

import gzip
import io
import json
import shutil
import tarfile
import threading
from pathlib import Path

import pytest

from tests.integration.catalogs import Past, journal, new_catalog, served
from tests.integration.stores import lamp, save
from vitrina.adapters.catalog_folder import Location
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.journal.folder import OpenStore, open_store
from vitrina.adapters.journal.store import StoreLimits
from vitrina.adapters.upkeep.backup import back_up
from vitrina.adapters.upkeep.restore import restore
from vitrina.adapters.upkeep.verify import verify
from vitrina.service_layer.opening import CannotOpen

KINDS = ["copy", "copy.tar.gz"]


@pytest.fixture
def past(tmp_path: Path) -> Past:
    """A catalog whose file knows three products, and whose journal one more."""
    past = Past(new_catalog(tmp_path / "shop"))
    past.with_files([(1, "One"), (2, "Two"), (3, "Three"), (1, "Uno")])
    past.without_files([(4, "Four"), (2, None)], segment_bytes=1)
    (past.location.folder / "vitrina.toml").write_text('currency = "BRL"\n')
    return past


def everything(location: Location) -> tuple[list[object], list[object]]:
    """Return the products with their tags, and the whole past."""
    with open_store(location.state) as opened:
        store = opened.store
        return list(store.view.snapshot()[1]), list(store.changes(store.oldest - 1, limit=999))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_restored_is_what_was_backed_up(past: Past, tmp_path: Path, kind: str) -> None:
    file = past.location.file.read_bytes()

    made = back_up(past.location, tmp_path / kind)
    restored = restore(tmp_path / kind, tmp_path / "new")

    assert (made.seq, made.oldest, made.products) == (past.last, 1, 3)
    assert (restored.seq, restored.products, restored.aside) == (made.seq, 3, None)
    new = Location(tmp_path / "new", tmp_path / "new" / "products.csv")
    assert verify(new, currency="USD").whole
    assert new.file.read_bytes() == file
    assert (new.folder / "vitrina.toml").read_text() == 'currency = "BRL"\n'
    assert everything(new) == everything(past.location)
    assert served(new) == served(past.location)
    assert new.file.read_bytes() == past.location.file.read_bytes() != file


def test_a_backup_shares_nothing_with_the_original(past: Past, tmp_path: Path) -> None:
    back_up(past.location, tmp_path / "copy")

    originals = {each.stat().st_ino for each in past.location.folder.rglob("*")}
    assert not originals & {each.stat().st_ino for each in (tmp_path / "copy").rglob("*")}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["copy", "shop"]


def test_a_folder_can_be_served_as_it_is(past: Past, tmp_path: Path) -> None:
    back_up(past.location, tmp_path / "copy")

    assert served(Location(tmp_path / "copy", tmp_path / "copy" / "products.csv")) == served(
        past.location
    )


def test_a_backup_replaces_nothing(past: Past, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    with pytest.raises(CannotOpen, match="exists"):
        back_up(past.location, tmp_path / "copy")
    with pytest.raises(CannotOpen, match="not made"):
        back_up(past.location, tmp_path / "nowhere" / "copy")


@pytest.mark.parametrize("place", [0, -2])
def test_a_damaged_catalog_is_not_backed_up(past: Past, tmp_path: Path, place: int) -> None:
    segment = journal(past.location)[place]
    data = segment.read_bytes()
    segment.write_bytes(data[:20] + b"\0" + data[21:] + data[-300:])

    with pytest.raises(CannotOpen, match=f"vitrina verify {past.location.folder}"):
        back_up(past.location, tmp_path / "copy")
    assert [each.name for each in tmp_path.iterdir()] == ["shop"]


def test_a_damaged_snapshot_is_not_taken(past: Past, tmp_path: Path) -> None:
    for path in past.location.state.glob("snapshot-*"):
        path.write_bytes(b"nonsense")

    assert back_up(past.location, tmp_path / "copy").seq == past.last
    assert list((tmp_path / "copy" / ".vitrina").glob("snapshot-*")) == []


def test_an_unfinished_write_is_left_out(past: Past, tmp_path: Path) -> None:
    live = journal(past.location)[-1]
    live.write_bytes(live.read_bytes() + b'{"crc":"0000')

    back_up(past.location, tmp_path / "copy")

    copy = Location(tmp_path / "copy", tmp_path / "copy" / "products.csv")
    assert verify(copy, currency=None).notes == ()


def test_under_load_it_is_a_state_that_was(tmp_path: Path) -> None:
    """Each writer raises two products by one in one unit of work, then is told.

    Method: back up while four do so, with new segments, snapshots and dropped ones all the time.
    What is restored has of each writer all that was told before the backup began, both products
    alike, and a past without gaps.
    """
    location = new_catalog(tmp_path / "shop")
    limits = StoreLimits(segment_bytes=2_000, checkpoint_bytes=1, retain_bytes=20_000)
    told = [0] * 4
    stop = threading.Event()

    def write(opened: OpenStore, writer: int) -> None:
        while not stop.is_set():
            count = told[writer] + 1
            with opened.store.unit_of_work() as uow:
                for half in (0, 1):
                    key = writer * 2 + half
                    product = lamp(key, quantity=count)
                    known = uow.products.stored(product.id)
                    uow.products.save(
                        uow.products.get(product.id).become(product) if known else product.created()
                    )
                uow.commit()
            told[writer] = count

    def fold(opened: OpenStore) -> None:
        while not stop.is_set():
            opened.checkpoint()

    with open_store(location.state, limits=limits) as opened:
        threads = [threading.Thread(target=write, args=(opened, each)) for each in range(4)]
        threads.append(threading.Thread(target=fold, args=(opened,)))
        for each in threads:
            each.start()
        try:
            for number in range(8):
                before = list(told)
                made = back_up(location, tmp_path / f"copy{number}")
                assert verify(location, currency=None).damages == ()
                check(restore(tmp_path / f"copy{number}", tmp_path / f"new{number}").path, before)
                assert made.seq >= sum(before) * 2
        finally:
            stop.set()
            for each in threads:
                each.join()


def check(folder: str, told: list[int]) -> None:
    with open_store(Path(folder) / ".vitrina") as opened:
        store = opened.store
        for writer, count in enumerate(told):
            found = store.view.products([f"lamp-{writer * 2}", f"lamp-{writer * 2 + 1}"])
            versions = {each.version if each else 0 for each in found}
            assert len(versions) == 1
            assert versions.pop() >= count
        changes = store.changes(store.oldest - 1, limit=1_000_000)
        assert [each.seq for each in changes] == list(range(store.oldest, store.seq + 1))


def test_segments_that_go_meanwhile_shorten_the_past(
    past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Method: the oldest segment goes just when it is to be read, as a checkpoint lets it."""
    oldest = journal(past.location)[0]
    original = Path.open

    def vanish(self: Path, *args: object, **kwargs: object) -> object:
        if self == oldest:
            oldest.unlink(missing_ok=True)
        return original(self, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", vanish)
    made = back_up(past.location, tmp_path / "copy")

    assert (made.seq, made.oldest) == (past.last, 5)


def test_only_into_an_empty_folder(past: Past, tmp_path: Path) -> None:
    back_up(past.location, tmp_path / "copy")
    new = tmp_path / "new"
    (new / "lost+found").mkdir(parents=True)
    restore(tmp_path / "copy", new)
    with pytest.raises(CannotOpen, match="--force"):
        restore(tmp_path / "copy", new)
    with pytest.raises(CannotOpen, match="is a file"):
        restore(tmp_path / "copy", new / "products.csv")
    with pytest.raises(CannotOpen, match="There is no backup"):
        restore(tmp_path / "nothing", tmp_path / "other")


def test_what_was_there_is_set_aside(past: Past, tmp_path: Path) -> None:
    back_up(past.location, tmp_path / "copy")
    then = served(past.location)
    past.with_files([(9, "Nine")])
    folder = past.location.folder
    old = past.location.file.read_bytes()

    with open_store(past.location.state), pytest.raises(CannotOpen, match="another process"):
        restore(tmp_path / "copy", folder, replace=True)
    for number in (1, 2):
        done = restore(tmp_path / "copy", folder, replace=True)
        assert done.aside == str(folder / f"before-restore-{number}")
        assert served(past.location) == then
    assert (folder / "before-restore-1" / "products.csv").read_bytes() == old
    assert not (folder / ".restoring").exists()


def test_what_an_interrupted_restore_left_is_no_hindrance(past: Past, tmp_path: Path) -> None:
    back_up(past.location, tmp_path / "copy")
    (tmp_path / "new" / ".restoring" / "x").mkdir(parents=True)

    restore(tmp_path / "copy", tmp_path / "new")

    assert not (tmp_path / "new" / ".restoring").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_backup_is_not_restored(past: Past, tmp_path: Path, kind: str) -> None:
    back_up(past.location, tmp_path / "whole")
    for number, name in enumerate(
        [*json.loads((tmp_path / "whole" / "backup.json").read_text())["files"]]
    ):
        for how in ("changed", "missing"):
            copy = tmp_path / f"{number}-{how}"
            shutil.copytree(tmp_path / "whole", copy)
            if how == "changed":
                (copy / name).write_bytes((copy / name).read_bytes() + b" ")
            else:
                (copy / name).unlink()
            source = copy if kind == "copy" else packed(copy)
            with pytest.raises(CannotOpen, match="is damaged"):
                restore(source, tmp_path / "new")
            assert not (tmp_path / "new").exists()


def packed(folder: Path) -> Path:
    target = folder.with_suffix(".tar.gz")
    with tarfile.open(target, "w:gz") as archive:
        archive.add(folder / "backup.json", "backup.json")
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name != "backup.json":
                archive.add(path, path.relative_to(folder).as_posix())
    return target


def test_what_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.tar.gz").write_text("Hello")
    (tmp_path / "cut.tar.gz").write_bytes(gzip.compress(b"x" * 100_000)[:60])
    with tarfile.open(tmp_path / "other.tar.gz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("other"), io.BytesIO())
    for name in ("empty", "text.tar.gz", "cut.tar.gz", "other.tar.gz"):
        with pytest.raises(CannotOpen, match="is no backup"):
            restore(tmp_path / name, tmp_path / "new")


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"version": 2},
        {"product_file": "../products.csv"},
        {"files": {"/etc/passwd": {"bytes": 1, "sha256": ""}}},
        {"files": {"a/../../b": {"bytes": 1, "sha256": ""}}},
        {"files": []},
        {"seq": None},
    ],
)
def test_a_list_that_cannot_be_trusted(
    past: Past, tmp_path: Path, change: dict[str, object]
) -> None:
    back_up(past.location, tmp_path / "copy")
    manifest = tmp_path / "copy" / "backup.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))

    with pytest.raises(CannotOpen, match="is no backup"):
        restore(tmp_path / "copy", tmp_path / "new")


def test_a_backup_of_nothing(tmp_path: Path) -> None:
    location = new_catalog(tmp_path / "shop")
    served(location)

    assert back_up(location, tmp_path / "copy").products == 0
    restore(tmp_path / "copy", tmp_path / "new")
    assert served(Location(tmp_path / "new", tmp_path / "new" / "products.csv")) == {}


def test_a_catalog_that_is_one_file(tmp_path: Path) -> None:
    file = tmp_path / "lamps.csv"
    file.write_text("id,title\nL,Lamp\n")
    location = Location(tmp_path, file)
    with open_store(location.state) as opened:
        save(opened.store, lamp(1))

    back_up(location, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "new")
    assert (tmp_path / "new" / "lamps.csv").read_bytes() == file.read_bytes()


def test_an_edit_that_is_not_taken_in_is_copied_as_it_is(past: Past, tmp_path: Path) -> None:
    file = past.location.file
    file.write_text(file.read_text().replace("Three", "Drei"))
    (past.location.base / "products.csv.taking").write_bytes(b"%016d\n" % 4 + file.read_bytes())

    back_up(past.location, tmp_path / "copy")

    new = Location(tmp_path / "copy", tmp_path / "copy" / "products.csv")
    assert new.file.read_bytes() == file.read_bytes()
    assert (new.base / "products.csv.taking").is_file()
    assert served(new)["lamp-3"]["title"] == "Drei"


def test_an_edit_of_the_categories_is_copied_with_how_far_it_is_taken_in(
    past: Past, tmp_path: Path
) -> None:
    file = past.location.folder / "categories.json"
    file.write_text('[{"id": "rugs", "name": "Rugs"}]')
    note = b"%016d\n" % 4 + file.read_bytes()
    (past.location.base / "categories.json.taking").write_bytes(note)

    back_up(past.location, tmp_path / "copy")

    new = Location(tmp_path / "copy", tmp_path / "copy" / "products.csv")
    assert (new.folder / "categories.json").read_bytes() == file.read_bytes()
    assert (new.base / "categories.json.taking").read_bytes() == note


def test_conflicts_and_synonyms_belong_to_the_catalog(past: Past, tmp_path: Path) -> None:
    names = ("synonyms.csv", "products.conflicts.csv", ".vitrina/file/conflicts.json")
    for name in names:
        (past.location.folder / name).parent.mkdir(exist_ok=True)
        (past.location.folder / name).write_text("[]")

    back_up(past.location, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "new")

    assert all((tmp_path / "new" / name).read_text() == "[]" for name in names)


def test_needed_segments_that_go_are_waited_for_in_vain(past: Past, tmp_path: Path) -> None:
    for path in past.location.state.glob("snapshot-*"):
        path.unlink()
    journal(past.location)[0].unlink()

    with pytest.raises(CannotOpen, match=r"changes 1 to \d are not there.*vitrina verify"):
        back_up(past.location, tmp_path / "copy")
    shutil.rmtree(past.location.state / "journal")
    with pytest.raises(CannotOpen, match="not made"):
        back_up(past.location, tmp_path / "copy")


def test_a_write_that_is_taken_back_is_not_in_the_copy(
    past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Method: the live segment loses its last record once after it was read."""
    past.without_files([(7, "Seven"), (8, "Eight")])
    live = journal(past.location)[-1]
    whole = live.read_bytes()
    original = Disk.read
    reads: list[Path] = []

    def read(self: Disk, path: Path, *, start: int = 0, size: int = -1) -> bytes:
        data = original(self, path, start=start, size=size)
        if path == live and not reads:
            reads.append(path)
            live.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
        return data

    monkeypatch.setattr(Disk, "read", read)
    made = back_up(past.location, tmp_path / "copy")

    assert made.seq == past.last - 1


def test_what_the_system_refuses_is_said(past: Past, tmp_path: Path) -> None:
    back_up(past.location, tmp_path / "copy")

    with pytest.raises(CannotOpen, match="Not restored"):
        restore(tmp_path / "copy", tmp_path / "nowhere" / "new")
