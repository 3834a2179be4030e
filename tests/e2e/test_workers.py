"""``vitrina serve --workers``: one catalog, whoever answers; and processes that come and go."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.e2e.test_kill import children
from tests.running import START_S_MAX, RunningService, run_vitrina

WORKERS = 3


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A catalog of one product."""
    (tmp_path / "products.csv").write_text("id,title,quantity\nLAMP-1,Lamp,5\n")
    return tmp_path


def serve(shop: Path, workers: int = WORKERS) -> RunningService:
    return RunningService(shop, "--workers", str(workers))


def everywhere(service: RunningService, path: str, times: int = 12) -> list[httpx2.Response]:
    """Ask many times, each time over a new connection, so that each worker answers some."""
    answers = []
    for _ in range(times):
        with httpx2.Client(base_url=service.url, timeout=30) as client:
            answers.append(client.get(path))
    return answers


def wait_until(said: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_S_MAX
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_every_worker_answers_with_every_write(shop: Path) -> None:
    with serve(shop) as service:
        assert len(children(service.pid)) == WORKERS
        with ThreadPoolExecutor(8) as threads:

            def post(number: int) -> str:
                with httpx2.Client(base_url=service.url, timeout=30) as client:
                    answer = client.post(
                        "/v1/products",
                        json={"title": f"New {number}"},
                        headers={"Idempotency-Key": f"key-{number}"},
                    )
                    assert answer.status_code == 201, answer.text
                    return str(answer.json()["id"])

            ids = list(threads.map(post, range(40)))
            assert len(set(ids)) == 40
            # Whoever is asked again knows the first answer.
            assert list(threads.map(post, range(40))) == ids
        for answer in everywhere(service, "/v1/products?limit=1"):
            assert answer.json()["total"] == 41
        for answer in everywhere(service, "/v1/products?q=new&limit=1"):
            assert answer.json()["total"] == 40
        for answer in everywhere(service, "/v1/changes?after=1&limit=100"):
            assert [each["product_id"] for each in answer.json()["items"]] == [
                each["product_id"]
                for each in everywhere(service, "/v1/changes?after=1&limit=100", 1)[0].json()[
                    "items"
                ]
            ]
            assert [each["seq"] for each in answer.json()["items"]] == list(range(2, 42))
        for answer in everywhere(service, f"/v1/products/{ids[0]}/history"):
            assert len(answer.json()["items"]) == 1
    assert (shop / "products.csv").read_text().count("\n") == 42


def test_all_workers_killed_at_once(shop: Path) -> None:
    with serve(shop) as service:
        before = children(service.pid)
        for number in range(5):
            answer = service.client.put(f"/v1/products/NEW-{number}", json={"title": "New"})
            assert answer.status_code == 201
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: (
                len(children(service.pid)) == WORKERS
                and not set(before) & set(children(service.pid))
            )
        )
        for answer in everywhere(service, "/v1/products"):
            assert answer.json()["total"] == 6
        assert service.client.put("/v1/products/NEW-9", json={"title": "New"}).status_code == 201
    assert (shop / "products.csv").read_text().count("NEW-") == 6


def test_a_killed_supervisor_leaves_nobody_behind(shop: Path) -> None:
    service = serve(shop)
    with service:
        assert service.client.put("/v1/products/NEW-1", json={"title": "New"}).status_code == 201
        workers = children(service.pid)
        os.kill(service.pid, signal.SIGKILL)
        assert service.wait() == -signal.SIGKILL
        wait_until(lambda: not any(map(alive, workers)))
        # They stopped in good order, so all is in the file.
        assert "NEW-1" in (shop / "products.csv").read_text()
        service.start()
        assert service.client.get("/v1/products/NEW-1").status_code == 200


def test_a_second_service_is_refused(shop: Path) -> None:
    with serve(shop) as service:
        for workers in ("1", "2"):
            done = run_vitrina("serve", shop, "--port", "0", "--workers", workers)
            assert done.returncode == 1
            assert f"is open in another process (pid {service.pid})" in done.stderr
            assert done.stderr.count("\n") == 1


def test_ctrl_c_stops_all_in_good_order(shop: Path) -> None:
    with serve(shop) as service:
        assert service.client.put("/v1/products/NEW-1", json={"title": "New"}).status_code == 201
        os.killpg(service.pid, signal.SIGINT)
        assert service.wait() == 0
        assert "Traceback" not in service.output
        assert "NEW-1" in (shop / "products.csv").read_text()


def test_a_stop_that_comes_while_workers_start(shop: Path) -> None:
    """Nobody misses the word, whether it was about to serve, to open the catalog, or to begin."""
    service = serve(shop, workers=8)
    with service:
        for number in range(6):
            time.sleep(number / 40)
            assert service.stop() == 0
            service.start()


def test_a_start_that_fails_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "products.json").write_text('[{"id": ')
    done = run_vitrina("serve", tmp_path, "--port", "0", "--workers", "2")
    assert done.returncode == 1
    assert done.stderr.count("vitrina: ") == 1
    assert "products.json cannot be read: line 1" in done.stderr


def test_workers_that_cannot_start_again_end_the_service(shop: Path) -> None:
    with serve(shop) as service:
        assert service.client.put("/v1/products/NEW-1", json={"title": "New"}).status_code == 201
        (journal,) = (shop / ".vitrina" / "journal").iterdir()
        journal.write_bytes(b"x" * 10 + journal.read_bytes()[10:])
        for each in (shop / ".vitrina").glob("snapshot-*"):
            each.unlink()
        for pid in children(service.pid):
            os.kill(pid, signal.SIGKILL)
        assert service.wait() == 1
        assert "vitrina repair" in service.output
