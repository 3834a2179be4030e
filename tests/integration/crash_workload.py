"""A workload that plays everything the store does, on a disk that keeps a trace of it.

It plays the same each time: what comes in while the disk is at work (a unit of work during the sync
of another one, or between the steps of a checkpoint or of a rewrite of the product file) comes in at
a step that was chosen in advance.
"""

import csv
import io
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from time import sleep
from typing import Final

from tests.crash_states import RecordingDisk
from tests.integration.stores import lamp
from vitrina.adapters.journal.disk import Disk, replace_file
from vitrina.adapters.journal.folder import STATE_FOLDER, open_store
from vitrina.adapters.journal.store import JournalStore, StoreLimits
from vitrina.bootstrap import open_catalog
from vitrina.domain.category import Category
from vitrina.domain.errors import ProductNotFound, StoreReadOnly
from vitrina.service_layer.opening import CannotOpen
from vitrina.service_layer.ports import Answered, Stored, UnitOfWork
from vitrina.settings import Settings

PRODUCT_FILE: Final = "products.csv"
LIMITS: Final = StoreLimits(
    segment_bytes=6_000, checkpoint_bytes=2**30, retain_bytes=14_000, lock_wait_s=5.0
)
SETTINGS: Final = Settings.load(
    file_delay_s=3_600, file_rest_s=0, watch="off", lock_wait_s=5.0
).model_copy(
    # Smaller than anybody may set it, so that everything happens often in a short run.
    update={
        "segment_bytes": LIMITS.segment_bytes,
        "checkpoint_bytes": LIMITS.checkpoint_bytes,
        "retain_bytes": LIMITS.retain_bytes,
    }
)


@dataclass(frozen=True, slots=True)
class Opened:
    """What the workload works on."""

    store: JournalStore
    checkpoint: Callable[[], object] | None = None


type Subject = Callable[[Path, Disk], AbstractContextManager[Opened]]


@contextmanager
def open_bare(place: Path, disk: Disk) -> Iterator[Opened]:
    """Open the store alone."""
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    with open_store(place / STATE_FOLDER, limits=LIMITS, disk=disk, clock=lambda: noon) as opened:
        yield Opened(opened.store, opened.checkpoint)


@contextmanager
def open_whole(place: Path, disk: Disk) -> Iterator[Opened]:
    """Open the catalog with its product file, which is rewritten when it is closed."""
    with open_catalog(place, SETTINGS, disk=disk) as catalog:
        assert isinstance(catalog.log, JournalStore)
        yield Opened(catalog.log)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Variety:
    """How much there is of everything. With little, what was comes again.

    Attributes:
        life: How many steps go by between a start and a stop, at most.
        products: How many products there are, at most.
        titles: How many titles they may have.
    """

    life: int
    products: int
    titles: int


RICH: Final = Variety(life=40, products=12, titles=2**40)
POOR: Final = Variety(life=2, products=4, titles=2)


def edit(uow: UnitOfWork, draft: Draft, random: Random, variety: Variety) -> None:
    """Change one to four things."""
    for _ in range(random.choice([1, 1, 1, 2, 4])):
        number, salt = random.randrange(variety.products), random.randrange(variety.titles)
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
    """Plays everything that a store does on a recording disk, the same way each time.

    Attributes:
        commits: All units of work, in order; the first one stands for the empty catalog.
    """

    def __init__(
        self, subject: Subject, disk: RecordingDisk, *, seed: int, variety: Variety
    ) -> None:
        """Prepare to work on a subject in the disk's folder.

        Args:
            subject: Opens what is to be tried.
            disk: Its disk.
            seed: Chooses another course of things.
            variety: How much there is of everything.
        """
        self.disk = disk
        self.commits = [Commit(Image(), 0, 0)]
        self._subject = subject
        self._variety = variety
        self._state = disk.root / STATE_FOLDER
        self._random = Random(seed)  # noqa: S311 - the same workload each time
        self._pool = ThreadPoolExecutor(4)
        self._is_edited = False
        self._edited = 0

    def run(self, steps: int) -> None:
        """Open, work, stop or die, and again, until so many steps are done."""
        self.disk.die_at = 1  # The very first thing that the first process does is its last.
        with self._pool:
            while steps > 0:
                some = min(steps, self._random.randint(1, self._variety.life))
                dies = self._random.random() < 0.4
                steps -= some
                try:
                    self._one_life(some, dies=dies)
                except (StoreReadOnly, CannotOpen, OSError):
                    assert self.disk.dead
                self.disk.meanwhile = None
                self.disk.revive()
            # The last process may have died before it took in what a person had edited.
            with self._subject(self.disk.root, self.disk) as opened:
                self._acknowledge(opened.store)

    def _one_life(self, steps: int, *, dies: bool) -> None:
        if dies and self._random.random() < 0.3:
            self.disk.die_at = len(self.disk.trace) + self._random.randrange(1, 12)
        with self._subject(self.disk.root, self.disk) as opened:
            self._acknowledge(opened.store)
            for number in range(steps):
                if dies and number == steps - 1:
                    self.disk.die_at = len(self.disk.trace) + self._random.randrange(1, 25)
                self._step(opened)
            if dies and self._random.random() < 0.5:
                while True:
                    self._alone(opened.store)
            if opened.checkpoint is None:
                self._edit_file()
            # The product file is read and written now, and writers may still come.
            self._let_others_come(opened.store, self.disk.root, self._state / "base")

    def _step(self, opened: Opened) -> None:
        together = ["together"] * 4 + ["in one turn"] * 2
        match self._random.choice(["alone"] * 4 + together + ["checkpoint"]):
            case "alone":
                self._alone(opened.store)
            case "together":
                self._together(opened.store, self._random.randrange(2, 5))
            case "in one turn":
                self._in_one_turn(opened.store, self._random.randrange(2, 5))
            case _ if opened.checkpoint:
                self._let_others_come(opened.store, self._state)
                opened.checkpoint()
                self.disk.meanwhile = None
            case _:
                self._alone(opened.store)

    def _acknowledge(self, store: JournalStore) -> None:
        """What readers see at a start is never taken back; what they do not see never happened."""
        now = len(self.disk.trace)
        self.commits = [each for each in self.commits if each.image.seq <= store.seq]
        for each in self.commits:
            if each.acknowledged is None:
                each.acknowledged = now
        self._notice(store)
        self._is_edited = False
        assert self.commits[-1].image.seq == store.seq

    def _edit_file(self) -> None:
        """Set a brand in the product file, as a person might; the API's writers know no brands."""
        path = self.disk.root / PRODUCT_FILE
        header, *rows = csv.reader(path.read_text("utf-8").splitlines())
        if rows and "brand" in header:
            self._is_edited, self._edited = True, len(self.disk.trace)
            self._random.choice(rows)[header.index("brand")] = f"Brand {self._edited}"
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows([header, *rows])
            replace_file(self.disk, path, [text.getvalue().encode()])

    def _notice(self, store: JournalStore) -> None:
        """Note the unit of work, if there was one, that took in what was edited in the file."""
        before = self.commits[-1].image
        if self._is_edited and store.seq > before.seq:
            self._is_edited = False
            products = {each.id: each.body for each in store.view.snapshot()[1]}
            image = Image(store.seq, products, before.categories, before.answers)
            self.commits.append(Commit(image, self._edited, len(self.disk.trace)))

    def _commit(self, store: JournalStore, random: Random) -> Commit:
        with store.unit_of_work() as uow:
            draft = Draft(uow, self.commits[-1].image)
            edit(uow, draft, random, self._variety)
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

    def _in_one_turn(self, store: JournalStore, count: int) -> None:
        """Let several units of work take one turn, as the service does with short writes."""
        jobs = [partial(self._commit, store, self._fresh()) for _ in range(count)]
        outcomes = store.run_together(jobs)
        now = len(self.disk.trace)
        for each in outcomes:
            if isinstance(each, Exception):
                raise each
            each.acknowledged = now

    def _let_others_come(self, store: JournalStore, *places: Path) -> None:
        """Let units of work come in between the next steps in these places.

        They wait until what a person edited is taken in: else it would be a matter of chance which
        of them comes first.
        """
        left = self._random.randrange(5)

        def come(_: str, path: Path) -> None:
            nonlocal left
            self._notice(store)
            here = path in places or (path.parent in places and path != self._state)
            if left and here and not self._is_edited and self._random.random() < 0.4:
                left -= 1
                self.disk.meanwhile = None
                self._alone(store)
                self.disk.meanwhile = come

        self.disk.meanwhile = come
