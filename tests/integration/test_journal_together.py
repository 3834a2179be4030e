"""Several units of work in one turn: one sync for all of them, and each is told its own outcome."""

import errno
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.integration.disks import FailingDisk, Gate
from tests.integration.stores import contents, lamp, save
from vitrina.adapters.journal.folder import OpenStore, open_store
from vitrina.adapters.journal.store import JournalStore, StoreLimits
from vitrina.domain.errors import IdTaken, ProductNotFound, StoreBusy, StoreReadOnly


@pytest.fixture
def disk() -> FailingDisk:
    return FailingDisk()


@pytest.fixture
def opened(tmp_path: Path, disk: FailingDisk) -> Iterator[OpenStore]:
    with open_store(tmp_path / ".vitrina", disk=disk, join=True) as opened:
        yield opened


def saving(store: JournalStore, *numbers: int) -> list[Callable[[], None]]:
    return [partial(save, store, lamp(number)) for number in numbers]


def test_one_sync_does_for_all(opened: OpenStore, disk: FailingDisk) -> None:
    store, before = opened.store, disk.syncs
    assert store.run_together(saving(store, *range(9))) == [None] * 9
    assert disk.syncs - before == 1
    assert list(contents(store)) == [f"lamp-{number}" for number in range(9)]
    assert [each.seq for each in store.changes(0, limit=99)] == list(range(1, 10))


def test_each_sees_those_before_it_and_readers_see_none(opened: OpenStore) -> None:
    store = opened.store

    def look() -> str:
        assert contents(store) == {}
        with store.unit_of_work() as uow:
            return uow.products.get("lamp-1").title

    def create_again() -> None:
        with store.unit_of_work() as uow:
            uow.products.save(lamp(1).created())

    _, refused, seen = store.run_together([*saving(store, 1), create_again, look])
    assert isinstance(refused, IdTaken)
    assert seen == lamp(1).title
    assert list(contents(store)) == ["lamp-1"]


def test_a_commit_tells_its_number_before_readers_see_it(opened: OpenStore) -> None:
    store = opened.store

    def commit(*numbers: int) -> int:
        with store.unit_of_work() as uow:
            for number in numbers:
                uow.products.save(lamp(number).created())
            return uow.commit()

    jobs = [partial(commit, 1), partial(commit, 2, 3), partial(commit)]
    assert store.run_together(jobs) == [1, 3, 3]


def test_what_one_raises_is_its_own(opened: OpenStore) -> None:
    store = opened.store

    def leave() -> None:
        with store.unit_of_work() as uow:
            uow.products.save(lamp(7).created())
            uow.products.get("nobody")

    first, failed, last = store.run_together([*saving(store, 1), leave, *saving(store, 2)])
    assert (first, last) == (None, None)
    assert isinstance(failed, ProductNotFound)
    assert list(contents(store)) == ["lamp-1", "lamp-2"]


def test_a_full_disk_fails_those_that_found_no_room(opened: OpenStore, disk: FailingDisk) -> None:
    store = opened.store

    def fill() -> None:
        disk.fail("write", errno.ENOSPC, times=1)

    first, _, second, third = store.run_together(
        [*saving(store, 1), fill, *saving(store, 2), *saving(store, 3)]
    )
    assert (first, third) == (None, None)
    assert isinstance(second, StoreReadOnly)
    assert list(contents(store)) == ["lamp-1", "lamp-3"]


def test_a_failed_sync_fails_all_that_are_not_durable(tmp_path: Path, disk: FailingDisk) -> None:
    limits = StoreLimits(pending_bytes=1_000)
    with open_store(tmp_path / ".vitrina", disk=disk, limits=limits) as opened:
        store = opened.store
        syncs = disk.syncs

        def fail() -> None:
            assert disk.syncs > syncs  # There was no room for more on their way.
            disk.fail("fsync", errno.EIO)

        first, second, third, _, last = store.run_together(
            [*saving(store, 1, 2, 3), fail, *saving(store, 4)]
        )
        durable = list(contents(store))
        told = dict(
            zip(("lamp-1", "lamp-2", "lamp-3", "lamp-4"), (first, second, third, last), strict=True)
        )
        assert durable == [each for each, outcome in told.items() if outcome is None]
        assert "lamp-1" in durable
        assert isinstance(last, StoreReadOnly)
    disk.mend()
    with open_store(tmp_path / ".vitrina") as again:
        assert list(contents(again.store)) == durable


def test_a_sync_of_others_that_fails_during_the_turn_takes_back_what_it_did(
    opened: OpenStore, disk: FailingDisk
) -> None:
    """Nothing that was taken back is told as done, whoever found out that it is lost."""
    store = opened.store
    gate = Gate(OSError(errno.EIO, "EIO"))
    disk.failures["fsync"] = gate
    first: list[Exception] = []

    def save_first() -> None:
        try:
            save(store, lamp(0))
        except StoreReadOnly as error:
            first.append(error)

    thread = threading.Thread(target=save_first)
    thread.start()
    assert gate.came.wait(30)

    def see() -> str:
        with store.unit_of_work() as uow:
            title = uow.products.get("lamp-0").title
            gate.open()
            thread.join()
            return title

    told = store.run_together([*saving(store, 1), see, *saving(store, 2)])
    assert len(first) == 1
    assert [type(each) for each in told] == [StoreReadOnly] * 3
    assert contents(store) == {}


def test_what_was_seen_while_it_was_lost_is_not_told(opened: OpenStore, disk: FailingDisk) -> None:
    """As above, for a unit of work that has a turn for itself."""
    store = opened.store
    gate = Gate(OSError(errno.EIO, "EIO"))
    disk.failures["fsync"] = gate

    def save_first() -> None:
        with pytest.raises(StoreReadOnly):
            save(store, lamp(0))

    thread = threading.Thread(target=save_first)
    thread.start()
    assert gate.came.wait(30)

    def see() -> None:
        with store.unit_of_work() as uow:
            assert uow.products.stored("lamp-0") is not None
            gate.open()
            thread.join()

    with pytest.raises(StoreReadOnly):
        see()


def test_others_take_their_turn_before_and_after(opened: OpenStore, tmp_path: Path) -> None:
    """Also those of other processes, whose writes are taken in."""
    store = opened.store
    with open_store(tmp_path / ".vitrina", join=True) as other:
        save(other.store, lamp(0))
        threads: list[threading.Thread] = []

        def wait_in_line() -> None:
            for each in saving(other.store, 8) + saving(store, 9):
                threads.append(threading.Thread(target=each))
                threads[-1].start()

        store.run_together([wait_in_line, *saving(store, 1, 2)])
        for each in threads:
            each.join()
        assert [c.id for c in store.changes(0, limit=3)] == ["lamp-0", "lamp-1", "lamp-2"]
        assert set(contents(store)) == {f"lamp-{number}" for number in (0, 1, 2, 8, 9)}


def test_a_turn_that_does_not_come_is_told_and_runs_nothing(tmp_path: Path) -> None:
    limits = StoreLimits(lock_wait_s=0.05)
    with (
        open_store(tmp_path / ".vitrina", join=True, limits=limits) as one,
        open_store(tmp_path / ".vitrina", join=True) as two,
        two.store.unit_of_work(),
        pytest.raises(StoreBusy),
    ):
        one.store.run_together([pytest.fail])
