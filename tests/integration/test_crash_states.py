"""Whatever state a crash leaves, the catalog opens to all that was acknowledged, nothing half done.

A workload of hundreds of units of work runs on a disk that keeps a trace: commits alone and in
groups that share a sync, changes of segments, checkpoints and rewrites of the product file with
commits going on meanwhile, old segments and snapshots deleted, clean stops, and deaths of the
process after which another one goes on. Then the folder is made anew as each crash may leave it
(:mod:`tests.crash_states`) and opened.

``VITRINA_TEST_CRASH_STATES`` is how many states are made by chance at each step of the trace
(default 1); some hundred of them take an hour and find what thousands do not.
"""

import csv
import os
import shutil
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
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
from tests.integration.crash_workload import (
    POOR,
    PRODUCT_FILE,
    RICH,
    Commit,
    Draft,
    Image,
    Subject,
    Variety,
    Workload,
    open_bare,
    open_whole,
)
from vitrina.adapters import codec
from vitrina.adapters.journal import lock
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.journal.store import JournalStore
from vitrina.service_layer.documents import Document
from vitrina.service_layer.opening import CannotOpen

SEED: Final = 20_260_131
BY_CHANCE: Final = int(os.environ.get("VITRINA_TEST_CRASH_STATES", "1"))
AGAIN_EVERY: Final = 150


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

    def __init__(
        self, subject: Subject, folder: Path, commits: list[Commit], *, again_every: int = 0
    ) -> None:
        """Judge by what was committed.

        Args:
            subject: Opens what a crash left.
            folder: Where the states are made.
            commits: All units of work, in order.
            again_every: The recovery from each state that is so far from the last one may crash,
                too; 0 for none.
        """
        self.opened = 0
        self._subject = subject
        self._folder = folder
        self._commits = commits
        self._again_every = again_every
        self._by_seq = {each.image.seq: number for number, each in enumerate(commits)}
        told = ((each.acknowledged, number) for number, each in enumerate(commits))
        known = sorted((moment, number) for moment, number in told if moment is not None)
        latest = accumulate((number for _, number in known), max)
        self._told = [(moment, number) for (moment, _), number in zip(known, latest, strict=True)]
        self._found: dict[int, int] = {}
        folder.mkdir(exist_ok=True)

    def check(self, state: CrashState) -> None:
        """Fail unless all that was acknowledged is there, and nothing that was not begun."""
        least = self._least(state.moment)
        key = hash(frozenset(state.tree.items()))
        if key not in self._found:
            self._found[key] = self._open(state, least)
        number = self._found[key]
        assert number >= least, (
            f"{state}: unit of work {least} was acknowledged, {number} is the last there"
        )
        assert number == 0 or self._commits[number].begun < state.moment, (
            f"{state}: unit of work {number} is there and was not begun"
        )

    def _least(self, moment: int) -> int:
        """Return the last unit of work that was acknowledged before a moment."""
        return self._told[bisect_right(self._told, (moment, len(self._commits))) - 1][1]

    def _open(self, state: CrashState, least: int) -> int:
        """Open the state and return the number of the last unit of work that is there."""
        self.opened += 1
        materialize(state.tree, self._folder)
        if self._again_every and self.opened % self._again_every == 0:
            return self._crash_again(state, least)
        with self._reopened(state, NoWait()) as store:
            number, image = self._look(state, store)
        self._check_file(state, image)
        return number

    def _crash_again(self, state: CrashState, least: int) -> int:
        """Let the recovery itself, and the first write after it, crash at each step."""
        disk = RecordingDisk(self._folder)
        with self._reopened(state, disk) as store:
            opened = len(disk.trace)
            number, image = self._look(state, store)
            served = len(disk.trace)
        self._check_file(state, image)
        commits = [
            Commit(each.image, -1, 0 if place <= least else opened)
            for place, each in enumerate(self._commits[: number + 1])
        ]
        commits.append(Commit(image, opened, served))
        place = self._folder.with_name(f"{self._folder.name}, again")
        again = Judge(self._subject, place, commits)
        for each in crash_states(disk.origin, disk.trace, seed=SEED, by_chance=BY_CHANCE):
            again.check(replace(each, kind=f"{each.kind}, having begun {state}"))
        self.opened += again.opened
        return number

    @contextmanager
    def _reopened(self, state: CrashState, disk: Disk) -> Iterator[JournalStore]:
        try:
            with self._subject(self._folder, disk) as opened:
                yield opened.store
        except CannotOpen as error:
            raise AssertionError(f"{state}: {error}") from error

    def _look(self, state: CrashState, store: JournalStore) -> tuple[int, Image]:
        """Return the number of the last unit of work, and the catalog after one more."""
        number = self._by_seq.get(store.seq)
        assert number is not None, f"{state}: change {store.seq} ends no unit of work"
        image = self._commits[number].image
        there = {each.id: each.body for each in store.view.snapshot()[1]}
        assert _timeless(there) == _timeless(image.products), (
            f"{state}: not what unit of work {number} left"
        )
        assert [each.id for each in store.view.categories()] == sorted(image.categories)
        for category, body in image.categories.items():
            assert store.view.category(category).body == body
        with store.unit_of_work() as uow:
            answers = {key: uow.answered(key) for key in image.answers}
            told = {key: each and each.fingerprint for key, each in answers.items()}
            assert told == image.answers, state
            draft = Draft(uow, image)
            draft.save(13, title=f"It serves after {image.seq}")
            assert uow.commit() == draft.seq == image.seq + 1
        assert store.view.product("lamp-13").body == draft.products["lamp-13"]
        changes = store.changes(image.seq - min(image.seq, 5), limit=10)
        assert changes[-1].body == draft.products["lamp-13"]
        return number, draft.image()

    def _check_file(self, state: CrashState, image: Image) -> None:
        """Fail unless the product file agrees with the catalog after a clean stop."""
        if self._subject is not open_whole:
            return
        text = (self._folder / PRODUCT_FILE).read_text("utf-8")
        in_file = {
            row["id"]: (row["title"], row["brand"]) for row in csv.DictReader(text.splitlines())
        }
        served = {
            key: (each["title"], each["brand"] or "")
            for key, each in _timeless(image.products).items()
        }
        assert in_file == served, f"{state}: the product file disagrees"


def _timeless(products: Mapping[str, bytes]) -> dict[str, Document]:
    """Return products without times: what is taken in from a file again is so at another time."""
    documents = {key: codec.load(body) for key, body in products.items()}
    for each in documents.values():
        del each["created_at"], each["updated_at"]
    return documents


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder, in memory where the system has such a place."""
    path = Path(tempfile.mkdtemp(prefix="vitrina-crash-", dir=fast_folder()))
    yield path
    shutil.rmtree(path)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Thousands of starts neither warn of the crash nor ask what file system this is."""
    monkeypatch.setattr(lock, "_MOUNTS", Path("/nowhere"))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    yield
    structlog.reset_defaults()


@dataclass
class Run:
    """A workload that was recorded, and a place to rebuild what crashes leave of it."""

    subject: Subject
    disk: RecordingDisk
    commits: list[Commit]
    place: Path

    def states(self, *, by_chance: int = BY_CHANCE) -> Iterator[CrashState]:
        return crash_states(self.disk.origin, self.disk.trace, seed=SEED, by_chance=by_chance)

    def judge(self, *, again_every: int = 0) -> Judge:
        """Check every crash state."""
        judge = Judge(self.subject, self.place, self.commits, again_every=again_every)
        for state in self.states():
            judge.check(state)
        return judge


def play(
    subject: Subject,
    folder: Path,
    *,
    steps: int,
    disk: type[RecordingDisk] = RecordingDisk,
    variety: Variety = RICH,
    seed: int = SEED,
) -> Run:
    """Run the workload on a disk of this kind."""
    place = folder / "work"
    place.mkdir()
    (place / PRODUCT_FILE).write_text("id,title,description,brand\n")
    recording = disk(place)
    work = Workload(subject, recording, seed=seed, variety=variety)
    work.run(steps)
    return Run(subject, recording, work.commits, folder / "as left")


def test_every_crash_state_of_the_store(folder: Path) -> None:
    run = play(open_bare, folder, steps=400)
    judge = run.judge(again_every=AGAIN_EVERY)
    assert len(run.commits) > 500
    assert judge.opened > 3_000


def test_every_crash_state_of_a_catalog_with_its_file(folder: Path) -> None:
    run = play(open_whole, folder, steps=30, variety=POOR, seed=4)
    versions = {each.tree[PRODUCT_FILE] for each in run.states(by_chance=0) if each.is_killed}
    assert len(versions) > 8

    for state in run.states():
        assert state.tree[PRODUCT_FILE] in versions, f"{state}: the product file is not whole"
    run.judge(again_every=AGAIN_EVERY)


def test_the_trace_tells_what_is_in_the_folder(folder: Path) -> None:
    run = play(open_whole, folder, steps=40)
    *_, last = (each for each in run.states(by_chance=0) if each.is_killed)
    real = {
        str(path.relative_to(run.disk.root)): None if path.is_dir() else path.read_bytes()
        for path in run.disk.root.rglob("*")
        # What is no state of the catalog: it may be deleted at any time.
        if path.name not in {"lock", "status.json"} and not {"index", "run"} & set(path.parts)
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
    run = play(open_bare, folder, steps=60, disk=disk)
    with pytest.raises(AssertionError, match="after step"):
        run.judge()
