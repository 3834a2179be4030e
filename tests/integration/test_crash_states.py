"""Whatever state a crash leaves, the store opens to all that was acknowledged and nothing half done.

One workload of some 500 units of work runs on a disk that keeps a trace: commits alone and in
groups that share a sync, changes of segments, checkpoints with commits going on meanwhile, old
segments and snapshots deleted, clean stops, and deaths of the process after which another one goes
on. Then the folder is made anew as each crash may leave it (:mod:`tests.crash_states`) and opened.

``VITRINA_TEST_CRASH_STATES`` is how many states are made by chance at each step of the trace
(default 2); some hundred of them take an hour and find what thousands do not.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from time import sleep
from typing import Final

import pytest
import structlog

from tests.crash_states import (
    CrashState,
    RecordingDisk,
    crash_states,
    fast_folder,
    materialize,
)
from tests.integration.stores import lamp
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.journal.folder import OpenStore, open_store
from vitrina.adapters.journal.store import JournalStore, StoreLimits
from vitrina.domain.category import Category
from vitrina.domain.errors import ProductNotFound, StoreReadOnly
from vitrina.service_layer.opening import CannotOpen
from vitrina.service_layer.ports import Answered, Stored, UnitOfWork

SEED: Final = 20_260_131
STEPS: Final = 320
BY_CHANCE: Final = int(os.environ.get("VITRINA_TEST_CRASH_STATES", "2"))
AGAIN_EVERY: Final = 100
NOON: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
LIMITS: Final = StoreLimits(
    segment_bytes=6_000, checkpoint_bytes=2**30, retain_bytes=14_000, lock_wait_s=5.0
)


@dataclass(frozen=True, slots=True)
class Image:
    """The whole catalog after one unit of work."""

    seq: int = 0
    products: dict[str, bytes] = field(default_factory=dict)
    categories: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Commit:
    """One unit of work.

    Attributes:
        image: The catalog with it.
        begun: How long the trace was before its first write; no earlier state can have it.
        acknowledged: How long the trace was when someone was told; every later state has it.
    """

    image: Image
    begun: int
    acknowledged: int | None = None


class Draft:
    """What one unit of work does, and what the catalog is after it."""

    def __init__(self, uow: UnitOfWork, before: Image) -> None:
        self._uow = uow
        self.seq = before.seq
        self.products = dict(before.products)
        self.categories = dict(before.categories)
        self.answers = dict(before.answers)

    def save(self, number: int, **values: object) -> None:
        product = lamp(number, **values)
        try:
            saved = self._uow.products.get(product.id).become(product)
        except ProductNotFound:
            saved = product.created()
        stored = self._uow.products.save(saved)
        self.seq += stored.body != self.products.get(stored.id)
        self.products[stored.id] = stored.body

    def remove(self, number: int) -> None:
        product_id = f"lamp-{number}"
        if product_id in self.products:
            self._uow.products.remove(self._uow.products.get(product_id).removed())
            del self.products[product_id]
            self.seq += 1

    def file(self, name: str) -> None:
        stored = self._uow.categories.save(Category(id="home", name=name))
        self.seq += stored.body != self.categories.get("home")
        self.categories["home"] = stored.body

    def answer(self, key: str, fingerprint: str, product: Stored) -> None:
        self._uow.remember(key, Answered(fingerprint, product))
        self.answers[key] = fingerprint

    def image(self) -> Image:
        return Image(self.seq, self.products, self.categories, self.answers)


def edit(uow: UnitOfWork, draft: Draft, random: Random) -> None:
    """Change one to four things."""
    for _ in range(random.choice([1, 1, 1, 2, 4])):
        number, salt = random.randrange(12), random.getrandbits(40)
        match random.choice(["save", "save", "save", "remove", "file", "answer"]):
            case "save":
                long = "x" * random.choice([0, 0, 40, 900])
                draft.save(number, title=f"Lamp {salt}", description=long)
            case "remove":
                draft.remove(number)
            case "file":
                draft.file(f"Home {salt}")
            case _:
                draft.save(number, title=f"Lamp {salt}")
                stored = uow.products.stored(f"lamp-{number}")
                assert stored is not None
                draft.answer(f"key-{number}", f"{salt}", stored)


class Workload:
    """Plays everything that a store does on a recording disk, the same way each time."""

    def __init__(self, folder: Path, disk: RecordingDisk, *, seed: int) -> None:
        self.disk = disk
        self.commits = [Commit(Image(), 0, 0)]
        self._state = folder / ".vitrina"
        self._random = Random(seed)  # noqa: S311 - the same workload each time
        self._pool = ThreadPoolExecutor(4)

    def run(self, steps: int) -> None:
        """Open, work, stop or die, and again, until so many steps are done."""
        self.disk.die_at = 1  # The very first thing that the first process does is its last.
        with self._pool:
            while steps > 0:
                some = min(steps, self._random.randrange(10, 30))
                dies = self._random.random() < 0.4
                steps -= some
                try:
                    self._one_life(some, dies=dies)
                except (StoreReadOnly, CannotOpen, OSError):
                    assert self.disk.dead
                self.disk.revive()

    def _one_life(self, steps: int, *, dies: bool) -> None:
        if dies and self._random.random() < 0.3:
            self.disk.die_at = len(self.disk.trace) + self._random.randrange(1, 12)
        with open_store(self._state, limits=LIMITS, disk=self.disk, clock=lambda: NOON) as opened:
            self._acknowledge(opened.store.seq)
            for number in range(steps):
                if dies and number == steps - 1:
                    self.disk.die_at = len(self.disk.trace) + self._random.randrange(1, 25)
                self._step(opened)
            while dies:
                self._alone(opened.store)

    def _step(self, opened: OpenStore) -> None:
        match self._random.choice(["alone"] * 4 + ["together"] * 6 + ["checkpoint"]):
            case "alone":
                self._alone(opened.store)
            case "together":
                self._together(opened.store, self._random.randrange(2, 5))
            case _:
                self._checkpoint(opened)

    def _acknowledge(self, seq: int) -> None:
        """What readers see at a start is never taken back; what they do not see never happened."""
        now = len(self.disk.trace)
        self.commits = [each for each in self.commits if each.image.seq <= seq]
        assert self.commits[-1].image.seq == seq
        for each in self.commits:
            if each.acknowledged is None:
                each.acknowledged = now

    def _commit(self, store: JournalStore, random: Random) -> Commit:
        with store.unit_of_work() as uow:
            draft = Draft(uow, self.commits[-1].image)
            edit(uow, draft, random)
            if draft.seq == self.commits[-1].image.seq:
                draft.save(12, title=f"Lamp {random.getrandbits(40)}")
            commit = Commit(draft.image(), len(self.disk.trace))
            self.commits.append(commit)
            assert uow.commit() >= commit.image.seq
        return commit

    def _alone(self, store: JournalStore) -> None:
        commit = self._commit(store, self._fresh())
        commit.acknowledged = len(self.disk.trace)

    def _fresh(self) -> Random:
        return Random(self._random.getrandbits(64))  # noqa: S311 - the same workload each time

    def _together(self, store: JournalStore, count: int) -> None:
        """Let the others append while the first one syncs; then one of them syncs for all."""
        randoms = [self._fresh() for _ in range(count)]
        others: list[Future[Commit]] = []

        def come(step: str, path: Path) -> None:
            if step != "fsync" or others:
                return
            for random in randoms[1:]:
                if path.stat().st_size >= LIMITS.segment_bytes:
                    return  # The next one changes the segment, and that waits for this very sync.
                appended = store.appended_records
                others.append(self._pool.submit(self._commit, store, random))
                while store.appended_records == appended and not others[-1].done():
                    sleep(0)

        self.disk.meanwhile = come
        try:
            first = self._commit(store, randoms[0])
        finally:
            self.disk.meanwhile = None
            done = [each.exception() for each in others]
        now = len(self.disk.trace)
        for each, error in zip(others, done, strict=True):
            if error:
                raise error
            each.result().acknowledged = now
        first.acknowledged = now

    def _checkpoint(self, opened: OpenStore) -> None:
        """Make a snapshot; a few units of work come in between its steps."""
        left = self._random.randrange(4)

        def come(step: str, path: Path) -> None:
            nonlocal left
            if left and path.parent == self._state and self._random.random() < 0.4:
                left -= 1
                self.disk.meanwhile = None
                self._alone(opened.store)
                self.disk.meanwhile = come

        self.disk.meanwhile = come
        try:
            opened.checkpoint()
        finally:
            self.disk.meanwhile = None


class NoWait(Disk):
    """The real disk of a folder in memory, where a sync is a waste of time."""

    def fsync(self, fd: int) -> None:
        pass

    def fsync_folder(self, path: Path) -> None:
        pass


class Judge:
    """Opens what a crash left, and says what is wrong with it.

    Attributes:
        opened: How many different states were opened.
    """

    def __init__(self, folder: Path, commits: list[Commit], *, again_every: int = 0) -> None:
        """Judge by what was committed.

        Args:
            folder: Where the states are made.
            commits: All units of work, in order.
            again_every: The recovery from each state that is so far from the last one may crash,
                too; 0 for none.
        """
        self.opened = 0
        self._folder = folder
        self._commits = commits
        self._again_every = again_every
        self._by_seq = {each.image.seq: number for number, each in enumerate(commits)}
        self._found: dict[int, int] = {}
        folder.mkdir(exist_ok=True)

    def check(self, state: CrashState) -> None:
        """Fail unless all that was acknowledged is there, and nothing that was not begun."""
        least = max(
            place
            for place, each in enumerate(self._commits)
            if each.acknowledged is not None and each.acknowledged <= state.moment
        )
        key = hash(frozenset(state.tree.items()))
        if key not in self._found:
            self._found[key] = self._open(state, least)
        number = self._found[key]
        assert number >= least, (
            f"{_name(state)}: unit of work {least} was acknowledged, {number} is the last there"
        )
        assert number == 0 or self._commits[number].begun < state.moment, (
            f"{_name(state)}: unit of work {number} is there and was not begun"
        )

    def _open(self, state: CrashState, least: int) -> int:
        """Open the state and return the number of the last unit of work that is there."""
        self.opened += 1
        materialize(state.tree, self._folder)
        if self._again_every and self.opened % self._again_every == 0:
            return self._crash_again(state, least)
        with self._reopened(state, NoWait()) as store:
            return self._look(state, store)[0]

    def _crash_again(self, state: CrashState, least: int) -> int:
        """Let the recovery itself, and the first write after it, crash at each step."""
        disk = RecordingDisk(self._folder)
        with self._reopened(state, disk) as store:
            opened = len(disk.trace)
            number, image = self._look(state, store)
            served = len(disk.trace)
        commits = [
            Commit(each.image, -1, 0 if place <= least else opened)
            for place, each in enumerate(self._commits[: number + 1])
        ]
        commits.append(Commit(image, opened, served))
        again = Judge(self._folder.with_name(f"{self._folder.name}, again"), commits)
        for each in crash_states(disk.origin, disk.trace, seed=SEED, by_chance=BY_CHANCE):
            again.check(replace(each, kind=f"{each.kind}, having begun {_name(state)}"))
        self.opened += again.opened
        return number

    @contextmanager
    def _reopened(self, state: CrashState, disk: Disk) -> Iterator[JournalStore]:
        try:
            with open_store(
                self._folder / ".vitrina", limits=LIMITS, disk=disk, clock=lambda: NOON
            ) as opened:
                yield opened.store
        except CannotOpen as error:
            raise AssertionError(f"{_name(state)}: {error}") from error

    def _look(self, state: CrashState, store: JournalStore) -> tuple[int, Image]:
        """Return the number of the last unit of work, and the catalog after one more."""
        number = self._by_seq.get(store.seq)
        assert number is not None, f"{_name(state)}: change {store.seq} ends no unit of work"
        image = self._commits[number].image
        there = {each.id: each.body for each in store.view.snapshot()[1]}
        assert there == image.products, f"{_name(state)}: not what unit of work {number} left"
        assert [each.id for each in store.view.categories()] == sorted(image.categories)
        for category, body in image.categories.items():
            assert store.view.category(category).body == body
        with store.unit_of_work() as uow:
            answers = {key: uow.answered(key) for key in image.answers}
            told = {key: each and each.fingerprint for key, each in answers.items()}
            assert told == image.answers, _name(state)
            draft = Draft(uow, image)
            draft.save(13, title=f"It serves after {image.seq}")
            assert uow.commit() == draft.seq == image.seq + 1
        assert store.view.product("lamp-13").body == draft.products["lamp-13"]
        changes = store.changes(image.seq - min(image.seq, 5), limit=10)
        assert changes[-1].body == draft.products["lamp-13"]
        return number, draft.image()


def _name(state: CrashState) -> str:
    return f"after step {state.moment}, {state.kind}"


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder, in memory where the system has such a place."""
    path = Path(tempfile.mkdtemp(prefix="vitrina-crash-", dir=fast_folder()))
    yield path
    shutil.rmtree(path)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of starts after a crash warn thousands of times."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    yield
    structlog.reset_defaults()


@dataclass
class Run:
    """A workload that was recorded, and a place to rebuild what crashes leave of it."""

    disk: RecordingDisk
    commits: list[Commit]
    place: Path

    def judge(self, *, again_every: int = 0) -> Judge:
        """Check every crash state."""
        judge = Judge(self.place, self.commits, again_every=again_every)
        states = crash_states(self.disk.origin, self.disk.trace, seed=SEED, by_chance=BY_CHANCE)
        for state in states:
            judge.check(state)
        return judge


def play(folder: Path, disk: type[RecordingDisk] = RecordingDisk, *, steps: int) -> Run:
    """Run the workload on a disk of this kind."""
    place = folder / "work"
    place.mkdir()
    recording = disk(place)
    work = Workload(place, recording, seed=SEED)
    work.run(steps)
    return Run(recording, work.commits, folder / "as left")


def test_every_crash_state(folder: Path) -> None:
    run = play(folder, steps=STEPS)
    judge = run.judge(again_every=AGAIN_EVERY)
    assert len(run.commits) > 500
    assert judge.opened > 3_000


def test_the_trace_tells_what_is_in_the_folder(folder: Path) -> None:
    run = play(folder, steps=40)
    *_, last = (
        each
        for each in crash_states(run.disk.origin, run.disk.trace, seed=SEED, by_chance=0)
        if each.kind == "killed"
    )
    real = {
        str(path.relative_to(run.disk.root)): None if path.is_dir() else path.read_bytes()
        for path in run.disk.root.rglob("*")
        if path.name != "lock"
    }
    assert last.tree == real


class NoSyncOfTheJournal(RecordingDisk):
    def fsync(self, fd: int) -> None:
        if self.path_of(fd).parent.name != "journal":
            super().fsync(fd)


class NoSyncOfSnapshots(RecordingDisk):
    def fsync(self, fd: int) -> None:
        if not self.path_of(fd).name.startswith("snapshot"):
            super().fsync(fd)


class NoSyncOfTheJournalsFolder(RecordingDisk):
    def fsync_folder(self, path: Path) -> None:
        if path.name != "journal":
            super().fsync_folder(path)


class NoSyncOfTheStatesFolder(RecordingDisk):
    def fsync_folder(self, path: Path) -> None:
        if path.name != ".vitrina":
            super().fsync_folder(path)


@pytest.mark.parametrize(
    "disk",
    [
        NoSyncOfTheJournal,
        NoSyncOfSnapshots,
        NoSyncOfTheJournalsFolder,
        NoSyncOfTheStatesFolder,
    ],
)
def test_a_store_that_forgets_a_sync_is_found_out(folder: Path, disk: type[RecordingDisk]) -> None:
    run = play(folder, disk, steps=60)
    with pytest.raises(AssertionError, match="after step"):
        run.judge()
