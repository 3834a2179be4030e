"""``kill -9`` at any moment: nothing acknowledged is lost, and nobody sees a version go back.

Eight clients write and eight read while the service is killed and started again, round after round.
Checkpoints, new segments and rewrites of the product file go on as often as the settings allow. The
history of all rounds together must be linearizable: an acknowledged write is there after the next
start, one that was cut off is there or is not, for every reader alike and for good. After the last
round the product file says what the API says.

With several workers one of them is killed at a time, and now and then all of them.

``VITRINA_TEST_KILL_ROUNDS`` is how many rounds (default 50), ``VITRINA_TEST_SEED`` chooses other
moments and plans.
"""

import contextlib
import csv
import os
import signal
import time
from pathlib import Path
from random import Random
from typing import Final

import httpx2
import pytest

from tests.e2e.test_histories import arguments_for, check_history
from tests.histories import Client, Clients, can_search
from tests.linearizability import FIELDS, Operation, Shown
from tests.running import START_S_MAX, RunningService

ROUNDS: Final = int(os.environ.get("VITRINA_TEST_KILL_ROUNDS", "50"))
SEED: Final = int(os.environ.get("VITRINA_TEST_SEED", "20260131"))
ALL_EVERY: Final = 5
WRITERS: Final = 8
READERS: Final = 8
CHILD_LOOKS_MAX: Final = 1_200
BUSY: Final = {
    "VITRINA_FILE_DELAY_S": "0.05",
    "VITRINA_CHECKPOINT_BYTES": str(64 * 2**10),
    "VITRINA_SEGMENT_BYTES": str(64 * 2**10),
    "VITRINA_RETAIN_BYTES": str(2**20),
}
"""Everything that goes on in the background happens as often as it can."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A product file without products."""
    path = tmp_path / "products.csv"
    path.write_text(",".join(("id", *FIELDS)) + "\n")
    return path


def test_all_is_there_after_every_kill(file: Path) -> None:
    random = Random(SEED)  # noqa: S311 - reproducible
    history: list[Operation] = []
    with RunningService(file.parent, settings=BUSY) as service:
        for number in range(ROUNDS):
            with Clients(clients(service, f"r{number}")) as at_work:
                time.sleep(random.uniform(0.1, 0.7))
                service.kill()
            history += at_work.history
            read_file(file)
            service.start()
            history += Client(f"after{number}", service.port, random).look()
        check_history([*history, *stop_and_compare(service, file)])


@pytest.mark.parametrize("workers", [4])
def test_all_is_there_after_workers_are_killed(file: Path, workers: int) -> None:
    random = Random(SEED)  # noqa: S311 - reproducible
    with RunningService(file.parent, *arguments_for(workers), settings=BUSY) as service:
        with Clients(clients(service, "w", goes_on=True)) as at_work:
            for number in range(1, ROUNDS + 1):
                time.sleep(random.uniform(0.1, 0.6))
                wait_for_an_answer(service)
                alive = wait_for_children(service.pid)
                for pid in alive if number % ALL_EVERY == 0 else random.sample(alive, 1):
                    with contextlib.suppress(ProcessLookupError):  # It died of the round before.
                        os.kill(pid, signal.SIGKILL)
            wait_for_an_answer(service)  # Else nobody is there to write the file at the end.
        check_history([*at_work.history, *stop_and_compare(service, file)])


def clients(service: RunningService, name: str, *, goes_on: bool = False) -> list[Client]:
    """Return eight who write and eight who read."""
    searches = can_search(service.port)
    return [
        Client(
            each,
            service.port,
            Random(f"{SEED}-{each}"),  # noqa: S311 - reproducible
            writes=writes,
            reads=not writes,
            searches=searches,
            goes_on=goes_on,
        )
        for writes, count in ((True, WRITERS), (False, READERS))
        for each in (f"{name}{'w' if writes else 'r'}{number}" for number in range(count))
    ]


def stop_and_compare(service: RunningService, file: Path) -> list[Operation]:
    """Stop in good order; fail unless the file then says what the next start serves."""
    assert service.stop() == 0, service.output
    in_file = read_file(file)
    service.start()
    seen = Client("last", service.port, Random(0)).look()  # noqa: S311 - it makes no choice
    served = {
        each.product: {
            name: "" if value is None else str(value) for name, value in each.outcome.fields.items()
        }
        for each in seen
        if isinstance(each.outcome, Shown)
    }
    assert in_file == served
    return seen


def read_file(file: Path) -> dict[str, dict[str, str]]:
    """Return the product file by id; fail unless it is whole."""
    text = file.read_text("utf-8")
    assert text.endswith("\n"), text
    header, *rows = csv.reader(text.splitlines(), strict=True)
    assert header[: len(FIELDS) + 1] == ["id", *FIELDS]
    assert all(len(row) == len(header) for row in rows), text
    return {row[0]: dict(zip(FIELDS, row[1:], strict=False)) for row in rows}


def wait_for_children(pid: int) -> list[int]:
    """Return the processes that a process has started; wait while all of them are dead."""
    for _ in range(CHILD_LOOKS_MAX):
        if found := children(pid):
            return found
        time.sleep(0.05)
    raise AssertionError("no worker was started again")


def wait_for_an_answer(service: RunningService) -> None:
    """Wait until somebody is at work again."""
    for _ in range(CHILD_LOOKS_MAX):
        with (
            contextlib.suppress(httpx2.TransportError),  # It was just killed.
            httpx2.Client(base_url=service.url, timeout=START_S_MAX) as client,
        ):
            assert client.get("/livez").is_success
            return
        time.sleep(0.05)
    raise AssertionError("nobody answers")


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
