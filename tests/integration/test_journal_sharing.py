"""Several processes with one store open: what one commits, the others see; what dies harms nobody."""

import errno
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration import store_dies
from tests.integration.disks import FailingDisk, Gate
from tests.integration.stores import contents, drop_snapshots, lamp, save, segments
from tests.shared_data import ROOT
from vitrina.adapters.catalog_folder import Location
from vitrina.adapters.journal.folder import OpenStore, open_store
from vitrina.adapters.journal.marks import APPENDED, DURABLE, Marks
from vitrina.adapters.journal.store import StoreLimits
from vitrina.adapters.upkeep.repair import repair
from vitrina.domain.errors import ChangesGone, StoreBusy, StoreReadOnly, StoreUnreadable
from vitrina.service_layer.opening import CannotOpen
from vitrina.service_layer.ports import CheckStatus

type Join = Callable[..., OpenStore]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / ".vitrina"


@pytest.fixture
def join(state: Path) -> Iterator[Join]:
    """Return a function that opens the store once more, as another process would."""
    with ExitStack() as stack:

        def opened(disk: FailingDisk | None = None, **limits: float) -> OpenStore:
            made = StoreLimits(**limits)  # type: ignore[arg-type]
            return stack.enter_context(open_store(state, limits=made, disk=disk, join=True))

        yield opened


def die(state: Path, moment: str) -> None:
    """Let a process that shares the store die at this moment."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.store_dies", state, moment], cwd=ROOT, check=False
    )
    assert done.returncode == store_dies.DIED


def test_what_is_not_durable_is_seen_by_no_reader_and_by_the_next_writer(
    join: Join, state: Path
) -> None:
    disk = FailingDisk()
    one, two, three = join(disk), join(), join()
    save(one.store, lamp(0))
    gate = Gate()
    disk.failures["fsync"] = gate
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(save, one.store, lamp(1))
        assert gate.came.wait(30)
        # It holds the lock of those who sync, so nobody else can tell either.
        assert all(list(contents(each.store)) == ["lamp-0"] for each in (one, two, three))
        seen = threading.Event()

        def look() -> None:
            with two.store.unit_of_work() as uow:
                assert uow.products.get("lamp-1").version == 1
                assert uow.products.owner_of_sku("L-1") == "lamp-1"
                seen.set()

        with ThreadPoolExecutor(1) as others:
            looking = others.submit(look)
            assert seen.wait(30)
            gate.open()
            looking.result()
        first.result()
    assert all(list(contents(each.store)) == ["lamp-0", "lamp-1"] for each in (one, two, three))


def test_processes_share_a_sync(join: Join) -> None:
    """While one syncs, others append; then one sync does for all of them."""
    disks = [FailingDisk() for _ in range(3)]
    stores = [join(disk).store for disk in disks]
    save(stores[0], lamp(0))
    gate = Gate()
    disks[0].failures["fsync"] = gate
    before = sum(each.syncs for each in disks)
    with ThreadPoolExecutor(9) as threads:
        waiting = [threads.submit(save, stores[0], lamp(1))]
        assert gate.came.wait(30)
        waiting += [threads.submit(save, stores[n % 3], lamp(n)) for n in range(2, 10)]
        deadline = time.monotonic() + 30
        while sum(each.appended_records for each in stores) < 10:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        gate.open()
        for each in waiting:
            each.result()
    assert sum(each.syncs for each in disks) - before == 2
    assert all(len(contents(each)) == 10 for each in stores)
    assert all([c.seq for c in each.changes(0, limit=99)] == list(range(1, 11)) for each in stores)


def test_a_waiting_follower_is_woken(join: Join) -> None:
    one, two = join(), join()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(two.store.wait, 0, timeout_s=30)
        save(one.store, lamp(0))
        assert waiting.result()
    assert not two.store.wait(1, timeout_s=0)
    assert [each.id for each in two.store.history("lamp-0")] == ["lamp-0"]


def test_segments_that_others_begin_and_drop(join: Join) -> None:
    small = {"segment_bytes": 1, "retain_bytes": 1_500, "retain_changes": 1_000}
    one, two = join(**small), join(**small)
    for number in range(12):
        save((one, two)[number % 2].store, lamp(number % 3, title=f"Title {number}"))
        assert contents(one.store) == contents(two.store)
        one.checkpoint()
    late = join(**small)
    assert contents(late.store) == contents(one.store)
    for each in (one, two, late):
        assert each.store.oldest == one.store.oldest > 1
        assert next(iter(each.store.changes(each.store.oldest - 1, limit=2))).seq > 1
        assert next(each.store.history("lamp-2")).body is not None
    with pytest.raises(ChangesGone):  # The others know it still.
        late.store.changes(0, limit=1)
    save(late.store, lamp(50))
    assert "lamp-50" in contents(one.store)


def test_joining_while_others_write_and_checkpoint(join: Join, state: Path) -> None:
    limits = {"segment_bytes": 2_000, "retain_bytes": 60_000, "retain_changes": 1_000}
    one = join(**limits)
    stop = threading.Event()

    def write() -> int:
        count = 0
        while not stop.is_set():
            save(one.store, lamp(count % 10, title=f"Lamp {count}"))
            one.checkpoint()
            count += 1
        return count

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(write)
        try:
            for _ in range(30):
                with open_store(state, join=True) as late:
                    seen = late.store.seq
                    assert seen <= one.store.seq
                    save(late.store, lamp(20, quantity=seen))
        finally:
            stop.set()
        written = writing.result()
        assert one.store.seq == written + 30


@pytest.mark.parametrize(
    ("moment", "survives"),
    [
        ("unit of work", False),
        ("torn", False),
        ("written", False),
        ("appended", True),
        ("synced", True),
        ("new segment", False),
        ("checkpoint", False),
    ],
)
def test_a_process_that_dies(join: Join, state: Path, moment: str, survives: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """What it appended is made durable by the next; what it was writing never happened."""
    one, two = join(), join()
    save(one.store, lamp(0))
    with ThreadPoolExecutor(1) as threads:
        dying = threads.submit(die, state, moment)
        while not dying.done():
            if moment == "checkpoint":  # The one that dies is to lead.
                one.presence.follow()
                two.presence.follow()
            time.sleep(0.01)
        dying.result()

    assert "lamp-99" not in contents(one.store)
    save(two.store, lamp(1))
    expected = ["lamp-0", *(["lamp-99"] if survives else []), "lamp-1"]
    save(one.store, lamp(1, title="Again"))
    for each in (one, two, join()):
        assert sorted(contents(each.store)) == sorted(expected)
        assert each.store.seq == len(expected) + 1
    assert (state / "aside").exists() == (moment in {"torn", "written"})


def test_what_a_dead_process_appended_becomes_durable_by_itself(join: Join, state: Path) -> None:
    one = join()
    die(state, "appended")
    assert one.store.wait(0, timeout_s=30)
    assert list(contents(one.store)) == ["lamp-99"]


def test_after_all_have_died(state: Path) -> None:
    for moment in ("appended", "torn", "new segment", "unit of work"):
        die(state, moment)
    with open_store(state) as opened:
        assert list(contents(opened.store)) == ["lamp-99"]


def test_a_failed_sync_makes_every_process_read_only(join: Join, state: Path) -> None:
    disk = FailingDisk()
    one, two = join(disk), join()
    save(two.store, lamp(0))
    disk.fail("fsync", errno.EIO, times=1)
    with pytest.raises(StoreReadOnly, match="fsync failed: EIO"):
        save(one.store, lamp(1))
    for each in (one, two, join()):
        with pytest.raises(StoreReadOnly, match=r"fsync failed: EIO.*start the service again"):
            save(each.store, lamp(2))
        assert list(contents(each.store)) == ["lamp-0"]
        assert [c.status for c in each.checks() if c.name == "store"] == [CheckStatus.WARN]
    assert segments(state)[0].read_bytes().count(b"\n") == 1


def test_a_sync_that_fails_in_one_process_fails_those_who_wait_in_others(join: Join) -> None:
    disk = FailingDisk()
    one, two = join(disk), join()
    gate = Gate(OSError(errno.EIO, "EIO"))
    disk.failures["fsync"] = gate
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(save, one.store, lamp(1))
        assert gate.came.wait(30)
        second = threads.submit(save, two.store, lamp(2))
        while not two.store.appended_records and not second.done():
            time.sleep(0.001)
        gate.open()
        for each in (first, second):
            with pytest.raises(StoreReadOnly):
                each.result()
    assert contents(one.store) == contents(two.store) == {}


def test_a_writer_waits_for_another_process_and_not_for_ever(join: Join) -> None:
    one, two = join(), join(lock_wait_s=0.05)
    with one.store.unit_of_work(), pytest.raises(StoreBusy):
        save(two.store, lamp(0))
    save(two.store, lamp(0))


def test_one_process_leads_and_another_takes_over(state: Path) -> None:
    with open_store(state, join=True) as two:
        with open_store(state, join=True) as one:
            assert one.presence.lead()
            assert not two.presence.lead()
            assert not two.presence.wait_until_alone(0.03)
            save(two.store, lamp(0))
            assert not two.checkpoint()
            assert one.checkpoint()
        assert two.presence.lead()
        assert two.presence.wait_until_alone(0)
        save(two.store, lamp(1))
        assert two.checkpoint()


def test_a_journal_that_cannot_be_followed_is_told(join: Join, state: Path) -> None:
    disk = FailingDisk()
    one, two = join(), join(disk)
    disk.fail("read", errno.EIO)
    save(one.store, lamp(0))
    with pytest.raises(StoreUnreadable, match="EIO"):
        _ = two.store.seq
    assert [each.status for each in two.checks()] == [CheckStatus.FAIL]
    with pytest.raises(StoreReadOnly, match="EIO"):
        save(two.store, lamp(1))
    disk.mend()
    assert list(contents(two.store)) == ["lamp-0"]
    assert [each.status for each in two.checks()] == [CheckStatus.PASS]


def test_a_journal_that_was_cut_by_somebody(join: Join, state: Path) -> None:
    one, two = join(), join()
    save(one.store, lamp(0))
    with segments(state)[0].open("r+b") as file:
        file.truncate(10)
    with pytest.raises(StoreReadOnly, match="was cut by somebody"):
        save(one.store, lamp(1))
    with pytest.raises(StoreUnreadable, match="ends"):
        _ = two.store.seq


def test_a_repair_needs_the_folder_for_itself(join: Join, state: Path) -> None:
    join()
    with pytest.raises(CannotOpen, match="open in another process"):
        repair(Location(state.parent, state.parent / "products.csv"), currency="USD")


def test_the_marks_survive_their_close(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "marks")
    marks.begin(first=7, size=100, oldest=3)
    other = Marks(tmp_path / "marks")
    marks.go_on_in(9, 500)
    marks.go_on_in(12, 900)
    marks.fail("the disk is gone 🛋")
    marks.fail("something else")
    assert other.live == (12, 900)
    assert other.words[DURABLE] == other.words[APPENDED] == 100
    other.close()
    marks.close()
    assert other.failure == "the disk is gone 🛋"
    assert other.live == (12, 900)


def test_all_processes_tell_the_same_of_the_store(join: Join, state: Path) -> None:
    """Whichever of them it was that the disk refused something."""
    disk = FailingDisk()
    one, two, three = join(), join(disk), join()

    def told() -> list[tuple[str, str]]:
        each, *others = [
            [(check.name, check.detail) for check in opened.checks()]
            for opened in (one, two, three)
        ]
        assert others == [each, each]
        return each

    save(one.store, lamp(0))
    assert told() == [("store", "")]

    disk.fail("write", errno.ENOSPC)
    with pytest.raises(StoreReadOnly):
        save(two.store, lamp(1))
    ((name, detail),) = told()
    assert name == "store"
    assert "ENOSPC" in detail
    disk.mend()
    save(three.store, lamp(1))
    assert told() == [("store", "")]

    disk.fail("fsync", errno.EIO)
    with pytest.raises(StoreReadOnly):
        save(two.store, lamp(2))
    ((name, detail),) = told()
    assert "fsync failed" in detail
    for opened in (one, two, three):
        with pytest.raises(StoreReadOnly, match="fsync failed"):
            save(opened.store, lamp(3))
        assert list(contents(opened.store)) == ["lamp-0", "lamp-1"]


def test_all_processes_tell_what_the_recovery_found(join: Join, state: Path) -> None:
    with open_store(state) as opened:
        save(opened.store, lamp(0))
        save(opened.store, lamp(1))
    drop_snapshots(state)
    (live,) = segments(state)
    live.write_bytes(live.read_bytes()[:-5])
    for opened in (join(), join()):
        (torn,) = [check for check in opened.checks() if check.name == "journal"]
        assert torn.status is CheckStatus.WARN
        assert "cut off" in torn.detail
