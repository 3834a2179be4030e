"""Full disks, failing syncs, checkpoints under load, and the lock."""

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.disks import FailingDisk, Gate
from tests.integration.stores import contents, lamp, save, segments
from tests.waiting import until
from vitrina.adapters.journal import (
    lock,
    recent,
    segments as segments_module,
    store as store_module,
)
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.journal.folder import OpenStore, open_store
from vitrina.adapters.journal.store import JournalStore, StoreLimits
from vitrina.domain.errors import ChangesGone, IdTaken, StoreBusy, StoreReadOnly
from vitrina.service_layer.opening import CannotOpen
from vitrina.service_layer.ports import CheckStatus


@pytest.fixture
def disk() -> FailingDisk:
    return FailingDisk()


@pytest.fixture
def opened(tmp_path: Path, disk: FailingDisk) -> Iterator[OpenStore]:
    limits = StoreLimits(lock_wait_s=5.0)
    with open_store(tmp_path / ".vitrina", disk=disk, limits=limits) as opened:
        save(opened.store, lamp(0))
        yield opened


def statuses(opened: OpenStore) -> list[CheckStatus]:
    return [each.status for each in opened.checks() if each.name == "store"]


def test_a_full_disk_refuses_writes_until_there_is_room(
    opened: OpenStore, disk: FailingDisk, tmp_path: Path
) -> None:
    before = segments(tmp_path / ".vitrina")[0].read_bytes()
    disk.fail("write", errno.ENOSPC)
    for _ in range(2):
        with pytest.raises(StoreReadOnly, match="ENOSPC"):
            save(opened.store, lamp(1))
    assert statuses(opened) == ["warn"]
    assert list(contents(opened.store)) == ["lamp-0"]
    assert segments(tmp_path / ".vitrina")[0].read_bytes() == before

    disk.mend()
    save(opened.store, lamp(1))
    assert statuses(opened) == ["pass"]
    assert list(contents(opened.store)) == ["lamp-0", "lamp-1"]


def test_another_write_error_is_for_a_person_to_mend(opened: OpenStore, disk: FailingDisk) -> None:
    disk.fail("write", errno.EIO, times=1)
    for _ in range(2):
        with pytest.raises(StoreReadOnly, match="EIO"):
            save(opened.store, lamp(1))
    assert list(contents(opened.store)) == ["lamp-0"]


def test_a_failed_sync_is_final_and_leaves_no_trace(tmp_path: Path, disk: FailingDisk) -> None:
    with open_store(tmp_path / ".vitrina", disk=disk) as opened:
        save(opened.store, lamp(0))
        disk.fail("fsync", errno.EIO, times=1)
        for _ in range(2):  # The second sync would work, which proves nothing.
            with pytest.raises(StoreReadOnly, match=r"fsync failed.*start the service again"):
                save(opened.store, lamp(1))
        assert list(contents(opened.store)) == ["lamp-0"]
        assert opened.store.seq == 1
        assert statuses(opened) == ["warn"]

    with open_store(tmp_path / ".vitrina") as opened:
        assert list(contents(opened.store)) == ["lamp-0"]
        save(opened.store, lamp(1))


def test_a_torn_write_that_cannot_be_taken_back_is_cut_at_the_next_start(
    tmp_path: Path, disk: FailingDisk
) -> None:
    with open_store(tmp_path / ".vitrina", disk=disk) as opened:
        save(opened.store, lamp(0))
        disk.fail("write", errno.ENOSPC)
        disk.fail("truncate", errno.EIO)
        for _ in range(2):
            with pytest.raises(StoreReadOnly, match="could not be taken back"):
                save(opened.store, lamp(1))
        disk.mend()

    with open_store(tmp_path / ".vitrina") as opened:
        assert list(contents(opened.store)) == ["lamp-0"]
        assert "journal" in [each.name for each in opened.checks()]


def test_units_of_work_that_wait_share_one_sync(opened: OpenStore, disk: FailingDisk) -> None:
    """The first sync is held up; all that come meanwhile are durable with the second."""
    gate = Gate()
    disk.failures["fsync"] = gate
    with ThreadPoolExecutor(16) as threads:
        waiting = [threads.submit(save, opened.store, lamp(1))]
        gate.came.wait(30)
        waiting += [threads.submit(save, opened.store, lamp(n)) for n in range(2, 16)]
        _wait_for_line(opened.store, 15)
        # What is not durable is not seen by readers, but by the units of work that follow.
        assert list(contents(opened.store)) == ["lamp-0"]
        looked = threading.Event()
        waiting.append(threads.submit(_look_at_others, opened.store, looked))
        assert looked.wait(30)
        syncs = disk.syncs
        del disk.failures["fsync"]
        gate.open()
        for each in waiting:
            each.result()

    assert disk.syncs - syncs == 2
    assert len(contents(opened.store)) == 16
    assert [each.seq for each in opened.store.changes(0, limit=99)] == list(range(1, 17))


def _look_at_others(store: JournalStore, looked: threading.Event) -> None:
    with store.unit_of_work() as uow:
        assert uow.products.get("lamp-1").version == 1
        assert uow.products.owner_of_sku("L-9") == "lamp-9"
        looked.set()


def _wait_for_line(store: JournalStore, records: int) -> None:
    """Wait until so many units of work have appended."""
    deadline = time.monotonic() + 30
    while store.appended_records <= records:
        assert time.monotonic() < deadline, "the units of work did not come"
        time.sleep(0.001)


def test_a_refusal_is_told_when_its_reason_can_be_seen(
    opened: OpenStore, disk: FailingDisk
) -> None:
    """The id is taken by a product that is not durable yet: nobody may hear of that one so early."""
    gate = Gate()
    disk.failures["fsync"] = gate
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(save, opened.store, lamp(1))
        gate.came.wait(30)
        _wait_for_line(opened.store, 1)
        refused = threading.Event()
        second = threads.submit(_take_id_of_lamp_1, opened.store, refused)
        assert refused.wait(30)
        assert not second.done()
        gate.open()
        with pytest.raises(IdTaken):
            second.result()
        assert list(contents(opened.store)) == ["lamp-0", "lamp-1"]
        first.result()


def _take_id_of_lamp_1(store: JournalStore, refused: threading.Event) -> None:
    with store.unit_of_work() as uow:
        try:
            uow.products.save(lamp(1).created())
        finally:
            refused.set()


def test_a_failed_sync_fails_all_who_wait_for_it(opened: OpenStore, disk: FailingDisk) -> None:
    gate = Gate(OSError(errno.EIO, "EIO"))
    disk.failures["fsync"] = gate
    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(save, opened.store, lamp(1))]
        gate.came.wait(30)
        waiting += [threads.submit(save, opened.store, lamp(n)) for n in range(2, 8)]
        _wait_for_line(opened.store, 7)
        gate.open()
        for each in waiting:
            with pytest.raises(StoreReadOnly):
                each.result()
    disk.mend()

    assert list(contents(opened.store)) == ["lamp-0"]


def test_a_segment_that_cannot_be_begun(tmp_path: Path, disk: FailingDisk) -> None:
    limits = StoreLimits(segment_bytes=1)
    with open_store(tmp_path / ".vitrina", disk=disk, limits=limits) as opened:
        save(opened.store, lamp(0))
        disk.fail("open", errno.ENOSPC)
        with pytest.raises(StoreReadOnly, match="ENOSPC"):
            save(opened.store, lamp(1))
        disk.mend()
        save(opened.store, lamp(1))
        disk.fail("fsync_folder", errno.EIO, times=1)
        with pytest.raises(StoreReadOnly, match="fsync failed"):
            save(opened.store, lamp(2))
        with pytest.raises(StoreReadOnly, match="fsync failed"):
            save(opened.store, lamp(2))

    with open_store(tmp_path / ".vitrina") as opened:
        assert list(contents(opened.store)) == ["lamp-0", "lamp-1"]


@pytest.mark.parametrize("whole_folder", [True, False])
def test_a_journal_that_was_deleted_acknowledges_nothing(
    tmp_path: Path, opened: OpenStore, *, whole_folder: bool
) -> None:
    state = tmp_path / ".vitrina"
    if whole_folder:
        shutil.rmtree(state)
    else:
        segments(state)[0].rename(tmp_path / "moved away")
    for _ in range(2):
        with pytest.raises(StoreReadOnly, match="was deleted or moved away"):
            save(opened.store, lamp(1))
    assert list(contents(opened.store)) == ["lamp-0"]
    assert statuses(opened) == ["warn"]


def test_a_file_whose_folder_may_not_be_entered_is_taken_to_be_in_place(tmp_path: Path) -> None:
    disk = Disk()
    fd = disk.open(tmp_path / "file", create=True)
    assert disk.is_in_place(fd, tmp_path / "file")
    assert disk.is_in_place(fd, tmp_path / ("x" * 300))  # It cannot be asked for: ENAMETOOLONG.
    assert not disk.is_in_place(fd, tmp_path / "file" / "below")
    disk.close(fd)


def test_writers_do_not_wait_for_ever(tmp_path: Path, disk: FailingDisk) -> None:
    limits = StoreLimits(lock_wait_s=0.01, pending_bytes=1)
    with open_store(tmp_path / ".vitrina", disk=disk, limits=limits) as opened:
        with opened.store.unit_of_work(), pytest.raises(StoreBusy):
            save(opened.store, lamp(0))
        gate = Gate()
        disk.failures["fsync"] = gate
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(save, opened.store, lamp(0))
            gate.came.wait(30)
            with pytest.raises(StoreBusy):  # Too much is on its way to the disk.
                save(opened.store, lamp(1))
            gate.open()
            waiting.result()
        save(opened.store, lamp(1))


def test_a_checkpoint_while_others_write(tmp_path: Path) -> None:
    limits = StoreLimits(segment_bytes=2_000, checkpoint_bytes=1, retain_bytes=4_000)
    state = tmp_path / ".vitrina"
    with open_store(state, limits=limits) as opened:
        stop = threading.Event()

        def write(first: int) -> int:
            count = 0
            while not stop.is_set():
                save(opened.store, lamp(first * 10 + count % 10, title=f"Lamp {count}"))
                count += 1
            return count

        with ThreadPoolExecutor(4) as threads:
            writers = [threads.submit(write, number) for number in range(3)]
            made = 0
            while made < 8:
                made += opened.checkpoint()
            stop.set()
            written = sum(each.result() for each in writers)
        expected = contents(opened.store)
        assert opened.store.seq == written

    assert len(list(state.glob("snapshot-*.jsonl"))) == 2
    assert len(list(state.glob("snapshot-*"))) == 4
    with open_store(state, limits=limits) as opened:
        assert contents(opened.store) == expected
        assert opened.store.seq == written
        with pytest.raises(ChangesGone) as gone:
            opened.store.changes(0, limit=10)
        oldest = gone.value.oldest
        assert opened.store.changes(oldest - 1, limit=1)[0].seq == oldest


def test_a_checkpoint_that_fails_costs_nothing(tmp_path: Path, disk: FailingDisk) -> None:
    state = tmp_path / ".vitrina"
    with open_store(state, disk=disk) as opened:
        save(opened.store, lamp(0))
        disk.fail("rename", errno.ENOSPC)
        with pytest.raises(OSError, match="ENOSPC"):
            opened.checkpoint()
        save(opened.store, lamp(1))

    assert sorted(each.name for each in state.iterdir()) == ["journal", "lock", "run"]
    with open_store(state) as opened:
        assert len(contents(opened.store)) == 2


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from vitrina.adapters.journal.folder import open_store\n"
        "with open_store(pathlib.Path(sys.argv[1])):\n"
        "    print('open', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    state = tmp_path / ".vitrina"
    with subprocess.Popen(
        [sys.executable, "-c", program, state], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == b"open\n"
        with (
            pytest.raises(CannotOpen, match=rf"{tmp_path} is open .*pid {holder.pid}"),
            open_store(state),
        ):
            pass
        holder.kill()
        holder.wait()
    with open_store(state):
        assert (state / "lock").read_text() == f"{os.getpid()}\n"


def test_a_folder_where_nothing_can_be_made(tmp_path: Path) -> None:
    state = tmp_path / ".vitrina"
    state.write_text("a file")

    with pytest.raises(CannotOpen, match=str(state)), open_store(state):
        pass


def test_an_unreadable_journal(tmp_path: Path, disk: FailingDisk) -> None:
    disk.fail("fsync_folder", errno.EROFS)

    with (
        pytest.raises(CannotOpen, match="must be able to read and write there"),
        open_store(tmp_path / ".vitrina", disk=disk),
    ):
        pass


MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:40 / /srv rw - nfs4 server:/export rw
31 30 0:41 / /srv/local\\040disk rw shared:1 - xfs /dev/vdb rw
32 22 0:42 / /mnt rw - ext4 /dev/a rw
33 22 0:43 / /mnt rw - cifs //server/share rw
damaged line
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/home/a", "ext4"),
        ("/srv", "nfs4"),
        ("/srv/shop/.vitrina", "nfs4"),
        ("/srvs", "ext4"),
        ("/srv/local disk/shop", "xfs"),
        ("/mnt/x", "cifs"),
    ],
)
def test_which_file_system_a_folder_is_on(folder: str, kind: str) -> None:
    assert lock.file_system_of(Path(folder), MOUNTS) == kind


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("22 1 254:0 / / rw,relatime - nfs4 server:/ rw\n")
    monkeypatch.setattr(lock, "_MOUNTS", mounts)

    with (
        pytest.raises(CannotOpen, match=r"network file system \(nfs4\)"),
        open_store(tmp_path / ".vitrina"),
    ):
        pass


def test_checkpoints_are_made_in_the_background(tmp_path: Path, disk: FailingDisk) -> None:
    state = tmp_path / ".vitrina"
    with open_store(state, limits=StoreLimits(checkpoint_bytes=1), disk=disk) as opened:
        disk.fail("rename", errno.ENOSPC)
        save(opened.store, lamp(0))
        for _ in range(600):
            if [each.name for each in opened.checks()] == ["store", "checkpoint"]:
                break
            opened.store.wait(99, timeout_s=0.05)
        (check,) = [each for each in opened.checks() if each.name == "checkpoint"]
        assert "nothing is lost" in check.detail
        disk.mend()
        assert opened.checkpoint()
        assert [each.name for each in opened.checks()] == ["store"]

    with open_store(state, limits=StoreLimits(checkpoint_bytes=1)) as opened:
        save(opened.store, lamp(1))
        for _ in range(600):
            if len(list(state.glob("snapshot-*2.jsonl"))) == 1:
                break
            opened.store.wait(99, timeout_s=0.05)
        assert not opened.checkpoint()


def test_checkpoints_outlive_a_bug(tmp_path: Path, disk: FailingDisk) -> None:
    def bug() -> None:
        raise LookupError("a bug")

    with open_store(
        tmp_path / ".vitrina", limits=StoreLimits(checkpoint_bytes=1), disk=disk
    ) as opened:
        disk.failures["rename"] = bug
        save(opened.store, lamp(0))
        until(lambda: [each.name for each in opened.checks()] == ["store", "checkpoint"])
        assert "LookupError('a bug')" in opened.checks()[1].detail
        # The next try comes after a while, by the same thread.
        assert "vitrina-checkpoint" in {each.name for each in threading.enumerate()}
        disk.mend()
        assert opened.checkpoint()
        assert [each.name for each in opened.checks()] == ["store"]


def test_a_past_that_cannot_be_read_is_gone(tmp_path: Path) -> None:
    state = tmp_path / ".vitrina"
    with open_store(state) as opened:
        save(opened.store, lamp(0))
        save(opened.store, lamp(1))
    with open_store(state) as opened:
        assert [each.id for each in opened.store.changes(0, limit=9)] == ["lamp-0", "lamp-1"]
        segments(state)[0].unlink()
        with pytest.raises(ChangesGone):
            opened.store.changes(0, limit=9)
        assert list(opened.store.changes(2, limit=9)) == []


def test_old_changes_come_from_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "RECENT_CHANGES_MAX", 4)
    monkeypatch.setattr(segments_module, "MARK_BYTES", 1_000)
    with open_store(tmp_path / ".vitrina", limits=StoreLimits(segment_bytes=5_000)) as opened:
        for number in range(40):
            save(opened.store, lamp(number))
        for after in (0, 1, 17, 35, 38, 39, 40):
            found = opened.store.changes(after, limit=10)
            expected = range(after + 1, min(after + 10, 40) + 1)
            assert [each.seq for each in found] == list(expected)
            assert [each.id for each in found] == [f"lamp-{seq - 1}" for seq in expected]


def test_a_unit_of_work_that_is_too_long_for_a_record(
    opened: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "RECORD_BYTES_MAX", 2_000)
    with pytest.raises(StoreReadOnly, match="more than the 2000 allowed"):
        save(opened.store, lamp(1, description="x" * 2_000))
    save(opened.store, lamp(1))
