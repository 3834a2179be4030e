"""Workers that neither work nor die: stopped by a signal, which looks like being stuck."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx2
import pytest

from tests.e2e.test_kill import children
from tests.e2e.test_workers import alive
from tests.running import RunningService
from tests.waiting import until

WORKERS = 3
HANG_S = 2


@pytest.fixture
def service(tmp_path: Path) -> Iterator[RunningService]:
    (tmp_path / "products.csv").write_text("id,title,quantity\nLAMP-1,Lamp,5\n")
    settings = {"VITRINA_WORKER_HANG_S": str(HANG_S)}
    with RunningService(tmp_path, "--workers", str(WORKERS), settings=settings) as running:
        yield running


def put(service: RunningService, key: str) -> int:
    """Write over a connection of its own; 0 when that broke."""
    with httpx2.Client(base_url=service.url, timeout=60) as client:
        try:
            return client.put(f"/v1/products/{key}", json={"title": "New"}).status_code
        except httpx2.TransportError:
            return 0


def stop(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    until(lambda: "State:\tT" in Path(f"/proc/{pid}/status").read_text())


def replaced(service: RunningService, *hung: int) -> bool:
    now = children(service.pid)
    return len(now) == WORKERS and not set(hung) & set(now)


def holds_the_write_lock(pid: int, folder: Path) -> bool:
    """Ask the system, which lists who holds which lock by inode (proc_locks(5))."""
    inode = (folder / ".vitrina" / "run" / "write").stat().st_ino
    locks = (line.split() for line in Path("/proc/locks").read_text().splitlines())
    return any(
        each[1] == "FLOCK" and each[4] == str(pid) and each[5].endswith(f":{inode}")
        for each in locks
    )


def test_a_worker_that_stands_still_is_replaced(service: RunningService) -> None:
    until(lambda: len(children(service.pid)) == WORKERS)
    hung = children(service.pid)[0]
    stop(hung)
    until(lambda: replaced(service, hung))

    assert "a worker hangs, and is killed" in service.output
    for number in range(2 * WORKERS):
        assert put(service, f"NEW-{number}") == 201


def test_requests_go_on_meanwhile(service: RunningService) -> None:
    hung = children(service.pid)[-1]
    stop(hung)
    answers = [put(service, f"NEW-{number}") for number in range(20)]
    until(lambda: replaced(service, hung))

    # Those whose connection it had are told by the end of it; the others notice nothing.
    assert answers.count(201) >= 20 - WORKERS
    assert set(answers) <= {0, 201}


def test_the_write_lock_of_one_that_stands_still_is_freed(service: RunningService) -> None:
    enough = Event()

    def write(writer: int) -> int:
        done = 0
        while not enough.is_set():
            put(service, f"NEW-{writer}-{done}")
            done += 1
        return done

    with ThreadPoolExecutor(4) as writers:
        writing = [writers.submit(write, each) for each in range(4)]

        def caught() -> int:
            """Stop one just while it holds the lock; let go of it, and return 0, if it does not."""
            for pid in children(service.pid):
                os.kill(pid, signal.SIGSTOP)
                if holds_the_write_lock(pid, service.folder):
                    return pid
                os.kill(pid, signal.SIGCONT)
            time.sleep(0.001)
            return 0

        holder = until(caught)
        until(lambda: replaced(service, holder))
        enough.set()
        assert all(each.result() for each in writing)

    assert put(service, "AFTER-1") == 201


def test_one_that_stands_still_as_it_opens_the_catalog(service: RunningService) -> None:
    """It may hold a lock that the others need to come in."""
    service.restart()
    until(lambda: len(children(service.pid)) == WORKERS)
    hung = children(service.pid)[-1]
    stop(hung)
    until(lambda: replaced(service, hung))

    assert put(service, "NEW-1") == 201


def test_one_that_stands_still_before_it_has_done_anything(
    service: RunningService, tmp_path: Path
) -> None:
    """Nothing of it ever ran, so it cannot have told that it is there."""
    settings = tmp_path / "settings"
    settings.mkdir()
    # Python imports this as it starts; of the processes that are then forked the second one stops.
    (settings / "sitecustomize.py").write_text(
        "import itertools, os, signal\n"
        "forks = itertools.count(1)\n"
        "number = 0\n"
        "def before():\n"
        "    global number\n"
        "    number = next(forks)\n"
        "def child():\n"
        "    if number == 2:\n"
        "        os.kill(os.getpid(), signal.SIGSTOP)\n"
        "os.register_at_fork(before=before, after_in_child=child)\n"
    )
    service.settings["PYTHONPATH"] = str(settings)
    service.restart()
    until(lambda: "a worker hangs, and is killed" in service.output)
    until(lambda: len(children(service.pid)) == WORKERS)

    assert put(service, "NEW-1") == 201


def test_all_stand_still(service: RunningService) -> None:
    hung = children(service.pid)
    for each in hung:
        stop(each)
    until(lambda: replaced(service, *hung))

    assert put(service, "NEW-1") == 201


def test_a_stop_does_not_wait_for_one_that_stands_still(service: RunningService) -> None:
    hung = children(service.pid)[0]
    stop(hung)

    assert service.stop() == 0
    assert not alive(hung)
    service.start()


def test_nobody_is_killed_because_all_were_asleep(service: RunningService) -> None:
    """As when a machine is suspended, or a container paused."""
    workers = children(service.pid)
    os.killpg(service.pid, signal.SIGSTOP)
    time.sleep(HANG_S + 2)
    os.killpg(service.pid, signal.SIGCONT)

    assert put(service, "NEW-1") == 201
    assert children(service.pid) == workers
    assert "hangs" not in service.output


def test_one_that_takes_its_time_to_stop_is_left_alone(tmp_path: Path) -> None:
    """It finishes a request whose body is on its way, for longer than one may stand still."""
    (tmp_path / "products.csv").write_text("id,title\nLAMP-1,Lamp\n")
    settings = {"VITRINA_WORKER_HANG_S": str(HANG_S), "VITRINA_BODY_WAIT_S": "6"}
    with RunningService(tmp_path, "--workers", "2", settings=settings) as running:
        with socket.create_connection(("127.0.0.1", running.port)) as slow:
            slow.sendall(
                b"POST /v1/products HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Content-Length: 100\r\n\r\n{"
            )
            time.sleep(0.5)  # Until a worker has it.
            assert running.stop() == 0
        assert "hangs" not in running.output
        running.start()
