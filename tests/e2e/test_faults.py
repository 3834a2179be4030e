"""When the system refuses, answers are right or a clear 503, and nothing acknowledged is lost.

Each test lets clients work before, while and after something fails under the service, starts the
service again, and checks the history of every product: a write that was answered 503 did not happen,
one that was acknowledged is there, and reads go on all the while.
"""

import errno
import resource
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.e2e.test_kill import BUSY, read_file
from tests.faults import Faults, Refuse
from tests.histories import Client, Clients
from tests.linearizability import FIELDS, Find, Operation, Read, Shown, Told, check
from tests.running import RunningService

PHASE_S: Final = 0.5
JOURNAL: Final = ".vitrina/journal/"


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """A catalog without products."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "products.csv").write_text(",".join(("id", *FIELDS)) + "\n")
    return folder


@dataclass
class Trial:
    """What clients see while something goes wrong.

    Attributes:
        service: Under test.
        history: What was done so far.
    """

    service: RunningService
    history: list[Operation] = field(default_factory=list)

    @contextmanager
    def clients(self) -> Iterator[None]:
        """Let clients work for the duration of the block."""
        began = len(self.history)
        clients = [
            Client(f"c{began}-{number}", self.service.port, Random(f"{began}-{number}"))  # noqa: S311 - reproducible
            for number in range(6)
        ]
        with Clients(clients) as at_work:
            yield
        self.history += at_work.history

    def work(self, seconds: float = PHASE_S) -> list[Operation]:
        """Let clients work for a while, and return what they did."""
        began = len(self.history)
        with self.clients():
            time.sleep(seconds)
        return self.history[began:]

    def changes(self, operations: list[Operation]) -> list[Operation]:
        """Return the writes that changed something: who writes what is there, always may."""
        since = min(each.called for each in operations)
        before = (each.outcome for each in self.history if each.called < since)
        known = {each.tag for each in before if isinstance(each, Shown)}
        return [
            each
            for each in operations
            if not isinstance(each.action, Read | Find)
            and (
                each.outcome == Told(204)
                or (isinstance(each.outcome, Shown) and each.outcome.tag not in known)
            )
        ]

    def write(self) -> int:
        """Write once and return the status."""
        return self.service.client.put("/v1/products/extra", json=_fresh("A title")).status_code

    def warnings(self) -> set[str]:
        """Return the parts of the service that somebody should look at; it is ready all the same."""
        ready = self.service.client.get("/readyz")
        assert ready.status_code == 200, ready.text
        return {each["name"] for each in ready.json()["checks"]}

    def finish(self) -> None:
        """Start the service anew, and check everything."""
        self.service.restart()
        last = Client("last", self.service.port, Random(0)).look()  # noqa: S311 - it makes no choice
        violations = check([*self.history, *last])
        assert not violations, "\n\n".join(map(str, violations))
        assert self.write() in {200, 201}
        self.service.restart()
        served = {
            each["id"]: each["title"]
            for each in self.service.client.get("/v1/products?limit=200").json()["items"]
        }
        in_file = read_file(self.service.catalog / "products.csv")
        assert {key: row["title"] for key, row in in_file.items()} == served


def _fresh(title: str) -> dict[str, str]:
    """Return a product that differs from what was there."""
    return {"title": title, "mpn": str(time.monotonic_ns())}


def reads(operations: list[Operation]) -> list[Operation]:
    return [each for each in operations if isinstance(each.action, Read) and each.outcome]


def refused(operations: list[Operation]) -> list[Operation]:
    return [each for each in operations if each.outcome == Told(503)]


@pytest.mark.parametrize(
    ("what", "number"),
    [
        pytest.param(Refuse.WRITE, errno.ENOSPC, id="no room"),
        pytest.param(Refuse.HALF_WRITE, errno.ENOSPC, id="room for half a record"),
        pytest.param(Refuse.OPEN, errno.EMFILE, id="no descriptor for a new segment"),
        pytest.param(Refuse.OPEN, errno.EACCES, id="no permission for a new segment"),
    ],
)
def test_a_fault_that_passes_is_over_when_it_has_passed(
    tmp_path: Path, catalog: Path, what: Refuse, number: int
) -> None:
    faults = Faults(tmp_path, path=JOURNAL)
    with RunningService(catalog, settings=BUSY | faults.environment) as service:
        trial = Trial(service)
        trial.work()
        with trial.clients():
            faults.refuse(what, number)
            _wait_for(lambda: faults.refused > 0)
            time.sleep(PHASE_S / 2)
        assert trial.warnings() >= {"store"}
        during = trial.work()
        assert refused(during)
        assert reads(during)
        assert not trial.changes(during)

        faults.mend()
        assert trial.changes(trial.work())
        assert "store" not in trial.warnings()
        trial.finish()


@pytest.mark.parametrize(
    ("what", "number"),
    [
        pytest.param(Refuse.SYNC, errno.EIO, id="a sync fails"),
        pytest.param(Refuse.SYNC, errno.ENOSPC, id="a sync finds no room"),
        pytest.param(Refuse.WRITE, errno.EIO, id="a write fails"),
        pytest.param(
            Refuse.HALF_WRITE | Refuse.TRUNCATE, errno.EIO, id="a torn write cannot be taken back"
        ),
    ],
)
def test_after_a_fault_that_may_cost_data_only_a_start_helps(
    tmp_path: Path, catalog: Path, what: Refuse, number: int
) -> None:
    faults = Faults(tmp_path, path=JOURNAL)
    with RunningService(catalog, settings=BUSY | faults.environment) as service:
        trial = Trial(service)
        trial.work()
        with trial.clients():
            faults.refuse(what, number, skip=40, times=2)
            _wait_for(lambda: faults.refused > 0)
        faults.mend()  # The next one would go well, which proves nothing.
        during = trial.work()
        assert refused(during)
        assert reads(during)
        assert not trial.changes(during)
        assert trial.warnings() >= {"store"}

        trial.finish()


@pytest.mark.parametrize(
    ("part", "what", "number"),
    [
        pytest.param("products.csv", Refuse.RENAME, errno.EACCES, id="the file is not replaced"),
        pytest.param("base/", Refuse.WRITE | Refuse.SYNC, errno.EIO, id="the base is not kept"),
        pytest.param("snapshot", Refuse.WRITE | Refuse.OPEN, errno.ENOSPC, id="no snapshot"),
    ],
)
def test_what_goes_wrong_in_the_background_disturbs_nobody(
    tmp_path: Path, catalog: Path, part: str, what: Refuse, number: int
) -> None:
    faults = Faults(tmp_path, path=part)
    with RunningService(catalog, settings=BUSY | faults.environment) as service:
        trial = Trial(service)
        faults.refuse(what, number)
        with trial.clients():
            _wait_for(lambda: faults.refused > 0)
        _wait_for(lambda: bool(trial.warnings()))
        during = trial.work()
        assert trial.changes(during)
        assert not refused(during)

        faults.mend()
        trial.finish()


def test_a_full_disk() -> None:
    """A real one: a small file system in memory, and a file that fills it."""
    with _small_disk() as disk:
        (disk / "products.csv").write_text(",".join(("id", *FIELDS)) + "\n")
        ballast = disk / "ballast"
        with RunningService(disk, settings=BUSY) as service:
            trial = Trial(service)
            trial.work()
            with _kept_full(ballast):
                with trial.clients():
                    _wait_for(lambda: trial.write() == 503)
                problem = service.client.put("/v1/products/extra", json=_fresh("Too much"))
                assert problem.json()["code"] == "store_read_only"
                assert int(problem.headers["Retry-After"]) > 0
                during = trial.work()
                assert reads(during)
                assert trial.warnings() >= {"store"}

            ballast.unlink()
            assert trial.write() in {200, 201}
            assert trial.changes(trial.work())
            trial.finish()


def test_the_folder_is_deleted_under_it(catalog: Path) -> None:
    """What is written to a deleted journal is lost: it must not be acknowledged."""
    with RunningService(catalog, settings=BUSY) as service:
        trial = Trial(service)
        trial.work()
        with trial.clients():
            shutil.rmtree(catalog / ".vitrina", ignore_errors=True)
            gone = time.monotonic_ns()
            time.sleep(PHASE_S)
        late = [each for each in trial.history if each.called > gone]
        assert not trial.changes(late)
        assert refused(late)
        assert reads(late)
        assert trial.warnings() >= {"store"}
        problem = service.client.put("/v1/products/extra", json=_fresh("Late"))
        assert (problem.status_code, problem.json()["code"]) == (503, "store_read_only")
        service.stop()


def test_the_clock_is_set_back(tmp_path: Path, catalog: Path) -> None:
    day = 24 * 60 * 60
    faults = Faults(tmp_path)
    with RunningService(catalog, settings=faults.environment) as service:
        trial = Trial(service)
        times: list[str] = []
        for number, shift in enumerate([0, -day, -2 * day, day, 0]):
            faults.move_clock(shift)
            if number == 2:
                service.restart()
            answer = service.client.put("/v1/products/clock", json=_fresh("Clock"))
            times.append(answer.json()["updated_at"])
            assert answer.json()["created_at"] == times[0]
            trial.work(0.2)
        assert times == sorted(times)
        items = service.client.get("/v1/changes?after=0&limit=200").json()["items"]
        assert [each["seq"] for each in items] == list(range(1, len(items) + 1))
        moments = [each["at"] for each in items]
        assert moments == sorted(moments)
        trial.finish()


def test_it_runs_out_of_descriptors(catalog: Path) -> None:
    with RunningService(catalog, settings=BUSY) as service:
        trial = Trial(service)
        trial.work()
        used = len(list(Path(f"/proc/{service.pid}/fd").iterdir()))
        before = resource.prlimit(service.pid, resource.RLIMIT_NOFILE)
        with trial.clients():
            time.sleep(PHASE_S / 2)
            resource.prlimit(service.pid, resource.RLIMIT_NOFILE, (used, before[1]))
            time.sleep(2 * PHASE_S)
            resource.prlimit(service.pid, resource.RLIMIT_NOFILE, before)
        _wait_for(lambda: trial.write() in {200, 201})
        assert trial.changes(trial.work())
        trial.finish()


@contextmanager
def _small_disk() -> Iterator[Path]:
    """Mount a file system of 4 MB; skip the test where that is not permitted.

    It is not among the temporary folders of the tests: if the tests are killed it stays, and is in
    the way of nobody who deletes those.
    """
    folder = Path(tempfile.mkdtemp(prefix="vitrina-small-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "vitrina-test", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        folder.rmdir()
        pytest.skip("a small file system cannot be mounted here (that takes root)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S607 - the system's own
        folder.rmdir()


@contextmanager
def _kept_full(ballast: Path) -> Iterator[None]:
    """Fill the file system of a file, and fill it again whenever the service frees a part of it."""
    done = threading.Event()

    def fill() -> None:
        with ballast.open("wb", buffering=0) as file:
            while not done.is_set():
                try:
                    file.write(bytes(4096))
                except OSError:
                    done.wait(0.001)

    filler = threading.Thread(target=fill)
    filler.start()
    try:
        _wait_for(lambda: not shutil.disk_usage(ballast.parent).free)
        yield
    finally:
        done.set()
        filler.join()


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
