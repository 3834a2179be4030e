"""Snapshots that are looked up in place: what is changed over them, folded into them, and damaged."""

import errno
import os
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Final

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.builders import LAMP
from tests.integration.disks import FailingDisk, Gate
from tests.integration.stores import contents, lamp, save
from tests.waiting import until
from vitrina.adapters import codec, remembered as remembered_module
from vitrina.adapters.catalog_folder import Location
from vitrina.adapters.journal import fold as fold_module, mapped as mapped_module
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.journal.fold import write_snapshot
from vitrina.adapters.journal.folder import open_store
from vitrina.adapters.journal.keys import keys_parts
from vitrina.adapters.journal.pace import at_full_speed
from vitrina.adapters.journal.snapshot import open_base, read_snapshot
from vitrina.adapters.journal.store import StoreLimits
from vitrina.adapters.memory import MemoryCatalog
from vitrina.adapters.remembered import Remembered
from vitrina.adapters.tables import Tables
from vitrina.adapters.upkeep.repair import repair
from vitrina.adapters.upkeep.verify import verify
from vitrina.domain.errors import (
    ChangesGone,
    ProductNotFound,
    SkuTaken,
    SlugTaken,
    StoreReadOnly,
    StoreUnreadable,
)
from vitrina.domain.product import Product, Status
from vitrina.service_layer.ports import Answered, Stored

IDS: Final = [f"lamp-{number}" for number in range(12)]
SKUS: Final = [None, *(f"S-{number}" for number in range(6))]
SLUGS: Final = [None, *(f"slug-{number}" for number in range(6))]
STATUSES: Final = [Status.ACTIVE, Status.DRAFT]


@dataclass(frozen=True)
class Now:
    """A clock that stands still."""

    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


class Folding(RuleBasedStateMachine):
    """Writes, snapshots that work, fail or are left out, and starts, against a plain dictionary.

    The tables must answer as one that holds everything in memory does, before, during and after each
    snapshot; and so must those of a process that followed, and moved to the snapshot later.
    """

    @initialize()
    def begin(self) -> None:
        self.stack = ExitStack()
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.tables = Tables()
        self.follower = Tables()
        self.products: dict[str, Product] = {}
        self.snapshot: Path | None = None

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.stack.close()

    @rule(
        key=st.sampled_from(IDS),
        sku=st.sampled_from(SKUS),
        slug=st.sampled_from(SLUGS),
        status=st.sampled_from(STATUSES),
        title=st.sampled_from(["One", "Läsk 🛋"]),
    )
    def save(self, key: str, sku: str | None, slug: str | None, status: Status, title: str) -> None:
        wanted = replace(LAMP, id=key, sku=sku, slug=slug, status=status, title=title)
        catalog = MemoryCatalog(self.tables, clock=Now())
        try:
            with catalog.unit_of_work() as uow:
                if key in self.products:
                    uow.products.save(uow.products.get(key).become(wanted))
                else:
                    uow.products.save(wanted.created())
                uow.commit()
        except (SkuTaken, SlugTaken):
            assert any(
                other != key and (each.sku == sku is not None or each.slug == slug is not None)
                for other, each in self.products.items()
            )
        else:
            self.products[key] = wanted
        self._let_follow(catalog)

    @rule(key=st.sampled_from(IDS))
    def remove(self, key: str) -> None:
        catalog = MemoryCatalog(self.tables, clock=Now())
        with catalog.unit_of_work() as uow:
            if key in self.products:
                uow.products.remove(uow.products.get(key).removed())
                uow.commit()
                del self.products[key]
        self._let_follow(catalog)

    @rule(succeeds=st.booleans(), later=st.sampled_from(IDS))
    def fold(self, *, succeeds: bool, later: str) -> None:
        """Make a snapshot, during which another product is changed."""
        image = self.tables.freeze()
        self.remove(later)
        if not succeeds:
            return
        self.snapshot = write_snapshot(Disk(), self.folder, image)
        base = open_base(Disk(), self.snapshot)
        assert base is not None
        assert base.flaw() is None
        self.tables.rest_on(base)

    @rule()
    def follow(self) -> None:
        """Let the other process move to the newest snapshot."""
        if self.snapshot is not None and (base := open_base(Disk(), self.snapshot)):
            image = self.follower.freeze()
            self.follower.rest_on(base, base.left_of(image.level, at_full_speed))

    @rule(keep_keys=st.booleans())
    def start_again(self, *, keep_keys: bool) -> None:
        path = write_snapshot(Disk(), self.folder, self.tables.freeze())
        if not keep_keys:
            path.with_suffix(".keys").unlink()
        self.tables = read_snapshot(Disk(), path, keep=True)
        self.snapshot = path
        assert path.with_suffix(".keys").exists()

    @invariant()
    def it_answers_as_a_dictionary_does(self) -> None:
        if not hasattr(self, "tables"):
            return
        for tables in (self.tables, self.follower):
            seq, everything = tables.everything()
            assert seq == self.tables.seq
            there = {each.id: each for each in everything}
            assert len(everything) == len(there) == len(self.products)
            assert there.keys() == self.products.keys()
            assert all(each in everything for each in there.values())
            for key in IDS:
                stored = tables.product(key)
                assert stored == there.get(key)
                wanted = self.products.get(key)
                assert (stored is None) == (wanted is None)
                if stored is not None and wanted is not None:
                    found = codec.load_product(stored.body)
                    assert replace(found, version=0, created_at=None, updated_at=None) == wanted
            assert tables.products(IDS) == [there.get(key) for key in IDS]
            owners = {each.sku: key for key, each in self.products.items() if each.sku}
            assert {sku: tables.owner_of_sku(sku) for sku in SKUS if sku} == {
                sku: owners.get(sku) for sku in SKUS if sku
            }
            owners = {each.slug: key for key, each in self.products.items() if each.slug}
            assert {slug: tables.owner_of_slug(slug) for slug in SLUGS if slug} == {
                slug: owners.get(slug) for slug in SLUGS if slug
            }

    def _let_follow(self, catalog: MemoryCatalog) -> None:
        self.follower.apply(catalog.changes(self.follower.seq, limit=10))


TestFolding = Folding.TestCase
TestFolding.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def store_with(state: Path, count: int) -> dict[str, Product]:
    with open_store(state) as opened:
        for number in range(count):
            save(opened.store, lamp(number))
        return contents(opened.store)


def newest(state: Path, suffix: str) -> Path:
    return max(state.glob(f"snapshot-*{suffix}"))


@pytest.mark.parametrize("damage", ["delete", "empty", "cut", "flip", "of another snapshot"])
def test_keys_that_are_of_no_use_are_made_anew(tmp_path: Path, damage: str) -> None:
    state = tmp_path / ".vitrina"
    store_with(state, 3)
    expected = store_with(state, 5)
    keys = newest(state, ".keys")
    good = keys.read_bytes()
    match damage:
        case "delete":
            keys.unlink()
        case "empty":
            keys.write_bytes(b"")
        case "cut":
            keys.write_bytes(good[:-9])
        case "flip":
            keys.write_bytes(good[:300] + bytes([good[300] ^ 1]) + good[301:])
        case _:
            keys.write_bytes(min(state.glob("snapshot-*.keys")).read_bytes())

    with open_store(state) as opened:
        assert contents(opened.store) == expected
        assert [each.status for each in opened.checks()] == ["pass"]
        assert len(newest(state, ".keys").read_bytes()) == len(good)


def test_keys_without_their_snapshot_are_swept_away(tmp_path: Path) -> None:
    state = tmp_path / ".vitrina"
    store_with(state, 1)
    lonely = state / "snapshot-0000000000000099.keys"
    lonely.write_bytes(b"half")
    with open_store(state):
        assert not lonely.exists()


def test_a_snapshot_of_an_older_version_has_no_keys_yet(tmp_path: Path) -> None:
    """The format of the snapshot itself has not changed; whoever joins makes do with memory."""
    state = tmp_path / ".vitrina"
    expected = store_with(state, 3)
    with open_store(state, join=True) as one:
        newest(state, ".keys").unlink()
        with open_store(state, join=True) as two:
            assert contents(two.store) == contents(one.store) == expected
            assert not newest(state, ".jsonl").with_suffix(".keys").exists()


def test_what_the_disk_has_changed_is_told_and_not_served(tmp_path: Path) -> None:
    state = tmp_path / ".vitrina"
    store_with(state, 3)
    with open_store(state) as opened:
        path = newest(state, ".jsonl")
        there = path.read_bytes()
        path.write_bytes(there.replace(b'"sku":"L-1","title":"Desk', b'"sku":"L-1","title":"Dusk'))

        assert opened.store.view.product("lamp-0").version == 1
        with pytest.raises(StoreUnreadable, match=r"not what was written.*vitrina verify"):
            opened.store.view.product("lamp-1")
        with pytest.raises(StoreUnreadable, match="not what was written"):
            contents(opened.store)
        save(opened.store, lamp(4))
        with pytest.raises(StoreUnreadable, match="checksum"):
            opened.checkpoint()  # It would say that this is whole.

        path.write_bytes(there[:-200])
        with pytest.raises(StoreUnreadable, match="ends early"):
            contents(opened.store)
        path.write_bytes(there)
        assert opened.checkpoint()
        assert sorted(contents(opened.store)) == ["lamp-0", "lamp-1", "lamp-2", "lamp-4"]


def test_a_disk_that_fails_to_read_is_told(tmp_path: Path) -> None:
    state, disk = tmp_path / ".vitrina", FailingDisk()
    store_with(state, 2)
    with open_store(state, disk=disk) as opened:
        disk.fail("read_at", errno.EIO)
        with pytest.raises(StoreUnreadable, match="EIO"):
            opened.store.view.product("lamp-1")
        with pytest.raises(StoreUnreadable, match="EIO"):
            contents(opened.store)
        with pytest.raises(StoreUnreadable, match="EIO"):
            save(opened.store, lamp(1, title="Another"))
        disk.mend()
        save(opened.store, lamp(1, title="Another"))
        assert opened.store.seq == 3


def test_what_others_wrote_is_taken_in_when_the_disk_gives_what_was_there(tmp_path: Path) -> None:
    state, disk = tmp_path / ".vitrina", FailingDisk()
    store_with(state, 2)
    with open_store(state, join=True) as one, open_store(state, disk=disk, join=True) as two:
        disk.fail("read_at", errno.EIO)
        save(one.store, lamp(0, title="Newer"))
        save(one.store, lamp(2))
        for _ in range(2):
            with pytest.raises(StoreUnreadable, match="EIO"):
                two.store.view.product("lamp-2")
        disk.mend()
        assert contents(two.store) == contents(one.store)


def test_nothing_is_built_on_what_cannot_be_taken_in(tmp_path: Path) -> None:
    state, disk, sync = tmp_path / ".vitrina", FailingDisk(), FailingDisk()
    store_with(state, 2)
    with ExitStack() as stack:
        one = stack.enter_context(open_store(state, disk=sync, join=True))
        two = stack.enter_context(open_store(state, disk=disk, join=True))
        with one.store.unit_of_work() as uow:
            uow.products.save(uow.products.get("lamp-0").become(lamp(0, title="Newer")))
            # Appended, and not synced: the other one must build on it.
            disk.fail("read_at", errno.EIO)
            gate = Gate()
            sync.failures["fsync"] = gate
            thread = threading.Thread(target=uow.commit)
            thread.start()
        gate.came.wait(30)
        with pytest.raises(StoreReadOnly, match="EIO"):
            save(two.store, lamp(3))
        gate.open()
        thread.join()
        disk.mend()
        save(two.store, lamp(3))
        assert contents(two.store) == contents(one.store)


def test_another_process_moves_to_the_new_snapshot(tmp_path: Path) -> None:
    state = tmp_path / ".vitrina"
    limits = StoreLimits(checkpoint_bytes=2**30)
    with (
        open_store(state, limits=limits, join=True) as one,
        open_store(state, limits=limits, join=True) as two,
    ):
        for number in range(20):
            save(two.store, lamp(number))
        assert one.checkpoint() or two.checkpoint()
        save(one.store, lamp(3, title="Newer"))
        old = one.store.view.product("lamp-4").body
        path = newest(state, ".jsonl")
        until(lambda: open_files(path) == 2)
        assert contents(one.store) == contents(two.store)
        assert two.store.view.product("lamp-4").body == old


def open_files(path: Path) -> int:
    """Return how often this process has a file open."""
    found = (each.readlink() for each in Path("/proc/self/fd").iterdir() if each.is_symlink())
    return sum(each == path for each in found)


def test_rows_of_deleted_products_do_not_gather(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_module, "GONE_MAX", 4)
    with open_store(tmp_path / ".vitrina") as opened:
        for number in range(30):
            save(opened.store, lamp(number % 3))
            with opened.store.unit_of_work() as uow:
                uow.products.remove(uow.products.get(f"lamp-{number % 3}").removed())
                uow.commit()
            save(opened.store, lamp(number + 100))
            if number > 2:
                with opened.store.unit_of_work() as uow:
                    uow.products.remove(uow.products.get(f"lamp-{number + 97}").removed())
                    uow.commit()
            assert opened.checkpoint()
            base = open_base(Disk(), newest(tmp_path / ".vitrina", ".jsonl"))
            assert base is not None
            assert base.flaw() is None
            assert len(base.keys.lengths) <= 2 * base.keys.extent.products + 4
        assert len(contents(opened.store)) == 3


def test_what_was_read_lately_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped_module, "KEPT_BYTES_MAX", 2_000)
    expected = store_with(tmp_path / ".vitrina", 9)
    with open_store(tmp_path / ".vitrina") as opened:
        for _ in range(3):
            for key in expected:
                assert opened.store.view.product(key).id == key
        with pytest.raises(ProductNotFound):
            opened.store.view.product("lamp-99")


def test_verify_finds_keys_that_lead_nowhere(tmp_path: Path) -> None:
    """The file is whole and of this snapshot, and what it says is not so."""
    shop = tmp_path / "shop"
    shop.mkdir()
    location = Location(shop, shop / "products.csv")
    store_with(location.state, 4)
    path = newest(location.state, ".jsonl")
    base = open_base(Disk(), path)
    assert base is not None
    wrong = replace(base.keys, ids=replace(base.keys.ids, live=3))
    path.with_suffix(".keys").write_bytes(b"".join(keys_parts(wrong)))

    (damage,) = verify(location, currency=None).damages
    assert damage.code == "damaged_keys"
    assert "products that are not there" in damage.meaning
    assert verify(location, currency=None).products == 4
    repair(location, currency="EUR")
    assert not [each for each in verify(location, currency=None).damages if "keys" in each.code]


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO])
def test_a_past_that_cannot_be_read_now_is_not_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr("vitrina.adapters.journal.recent.RECENT_CHANGES_MAX", 1)
    with open_store(tmp_path / ".vitrina") as opened:
        for each in range(3):
            save(opened.store, lamp(each))
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", _refusing(number))
            with pytest.raises(StoreUnreadable):
                opened.store.changes(0, limit=5)
            with pytest.raises(StoreUnreadable):
                list(opened.store.history("lamp-1"))
            patch.setattr(Path, "open", _refusing(errno.ENOENT))
            with pytest.raises(ChangesGone):
                opened.store.changes(0, limit=5)
            assert list(opened.store.history("lamp-1")) == []
        assert len(opened.store.changes(0, limit=5)) == 3


def _refusing(number: int) -> Callable[..., IO[bytes]]:
    def refuse(path: Path, *_: object) -> IO[bytes]:
        raise OSError(number, os.strerror(number), str(path))

    return refuse


def remembered(number: int, at: datetime) -> Remembered:
    product = Stored.of(f"lamp-{number}", 1, b"{}" * 50)
    return Remembered(f"key-{number}", at, Answered("print", product))


@pytest.mark.parametrize(("name", "most"), [("ANSWERS_MAX", 10), ("ANSWERS_BYTES_MAX", 1_000)])
def test_of_very_many_answers_the_oldest_are_forgotten(
    monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    monkeypatch.setattr(remembered_module, name, most)
    tables, now = Tables(), datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(25):
        tables.remember([remembered(number, now)], now)
        tables.remember([remembered(number, now)], now)  # The same one again counts once.
    kept = [number for number in range(25) if tables.answered(f"key-{number}", now)]
    assert kept == list(range(15, 25))
    later = now + timedelta(hours=25)
    tables.remember([], later)
    assert tables.freeze().answers == []
