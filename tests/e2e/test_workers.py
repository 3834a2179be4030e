"""``vitrina serve --workers``: one catalog, whoever answers; and processes that come and go."""

import errno
import os
import resource
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from tests.e2e.test_kill import children
from tests.faults import Faults, Refuse
from tests.running import RunningService, run_vitrina
from tests.waiting import until

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
        found = everywhere(service, "/v1/products?limit=1")
        assert all(answer.json()["total"] == 41 for answer in found)
        assert len({answer.headers["X-Request-Id"] for answer in found}) == len(found)
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
        until(
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
        until(lambda: not any(map(alive, workers)))
        # They stopped in good order, so all is in the file.
        assert "NEW-1" in (shop / "products.csv").read_text()
        service.start()
        assert service.client.get("/v1/products/NEW-1").status_code == 200


def test_no_room_for_another_worker_ends_nothing(shop: Path) -> None:
    with serve(shop, workers=2) as service:
        limit = resource.prlimit(service.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, (3, limit[1]))
        first, second = children(service.pid)
        os.kill(first, signal.SIGKILL)
        until(lambda: "a worker cannot be started" in service.output)
        assert children(service.pid) == [second]
        assert {answer.status_code for answer in everywhere(service, "/readyz", 3)} == {200}
        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, limit)
        until(lambda: len(children(service.pid)) == 2)
        assert service.stop() == 0


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


def checks(answer: httpx2.Response) -> list[tuple[str, str]]:
    return [(each["name"], each["detail"]) for each in answer.json()["checks"]]


def agreed(service: RunningService, part: str) -> str:
    """Return what every worker says of a part, once they all say the same; "" when it is well."""
    told = {dict(checks(each)).get(part, "") for each in everywhere(service, "/readyz")}
    return told.pop() if len(told) == 1 else "they differ"


def test_every_worker_tells_how_the_file_is(shop: Path) -> None:
    with serve(shop) as service:
        assert agreed(service, "product_file") == ""
        (shop / "products.csv").write_text('id,title,quantity\nLAMP-1,"La')
        until(lambda: "line 2, column" in agreed(service, "product_file"))
        (shop / "products.csv").write_text("id,title,quantity\nLAMP-1,Lamp,5\nRUG-1,Rug,\n")
        until(lambda: agreed(service, "product_file") == "")
        for answer in everywhere(service, "/v1/file"):
            assert (answer.json()["state"], answer.json()["rows"]) == ("in_sync", 2)


def test_a_sync_that_fails_at_one_worker_stops_the_writes_of_all(
    shop: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    faults = Faults(tmp_path_factory.mktemp("faults"), path=".vitrina/journal/")
    settings = {"VITRINA_FILE_DELAY_S": "0.05", **faults.environment}
    with RunningService(shop, "--workers", str(WORKERS), settings=settings) as service:

        def put(key: str) -> int:
            with httpx2.Client(base_url=service.url, timeout=30) as client:
                return client.put(f"/v1/products/{key}", json={"title": "New"}).status_code

        assert put("NEW-1") == 201
        faults.refuse(Refuse.SYNC, errno.EIO, times=1)
        assert put("NEW-2") == 503
        assert faults.refused == 1

        # The disk is well again, and nobody believes it.
        assert {put(f"NEW-3-{number}") for number in range(12)} == {503}
        until(lambda: "fsync failed" in agreed(service, "store"))
        for answer in everywhere(service, "/v1/products"):
            assert answer.json()["total"] == 2
        # Nor does a worker that comes later, as long as one was there before it.
        for pid in children(service.pid):
            os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: pid not in children(service.pid))  # type: ignore[misc]
            until(lambda: len(children(service.pid)) == WORKERS)
            assert put("NEW-4") == 503
        service.restart()
        assert put("NEW-2") == 201


def test_a_backup_under_load_is_a_state_that_was(shop: Path, tmp_path: Path) -> None:
    """Each writer counts two products up, one after the other: they never differ by more than one."""
    stop = threading.Event()
    told = [0] * 4

    def write(writer: int) -> None:
        with httpx2.Client(base_url=service.url, timeout=60) as client:
            while not stop.is_set():
                for half in ("A", "B"):
                    answer = client.put(
                        f"/v1/products/PAIR-{writer}-{half}",
                        json={"title": "Pair", "quantity": told[writer] + 1},
                    )
                    assert answer.is_success, answer.text
                told[writer] += 1

    settings = {
        "VITRINA_CHECKPOINT_BYTES": str(64 * 2**10),
        "VITRINA_SEGMENT_BYTES": str(64 * 2**10),
        "VITRINA_RETAIN_BYTES": str(2**20),
    }
    with RunningService(shop, "--workers", "2", settings=settings) as service:
        with ThreadPoolExecutor(4) as threads:
            writing = [threads.submit(write, each) for each in range(4)]
            try:
                until(lambda: min(told) > 10)
                before = []
                for number in range(3):
                    before.append(list(told))
                    made = run_vitrina("backup", shop, tmp_path / f"copy{number}.tar.gz")
                    assert made.returncode == 0, made.stderr
            finally:
                stop.set()
            for each in writing:
                each.result()
        for number, counts in enumerate(before):
            check_restored(tmp_path / f"copy{number}.tar.gz", tmp_path / f"new{number}", counts)


def check_restored(copy: Path, folder: Path, told: list[int]) -> None:
    assert run_vitrina("restore", copy, folder).returncode == 0
    assert run_vitrina("verify", folder).returncode == 0
    with RunningService(folder) as restored:
        shown = {
            each["id"]: each["quantity"]
            for each in restored.client.get("/v1/products?limit=200").json()["items"]
        }
    for writer, count in enumerate(told):
        first, second = shown[f"PAIR-{writer}-A"], shown[f"PAIR-{writer}-B"]
        assert count <= second <= first <= second + 1


def number(service: RunningService, name: str) -> set[str]:
    """Return what the workers say of a number without labels."""
    lines = [
        line
        for answer in everywhere(service, "/metrics")
        for line in answer.text.splitlines()
        if line.startswith(f"{name} ")
    ]
    return {line.split()[1] for line in lines}


def test_every_worker_tells_the_conflicts(shop: Path) -> None:
    with RunningService(
        shop, "--workers", str(WORKERS), settings={"VITRINA_FILE_DELAY_S": "600"}
    ) as service:
        patch = {"quantity": 4}
        service.client.patch("/v1/products/LAMP-1", json=patch).raise_for_status()
        (shop / "products.csv").write_text("id,title,quantity\nLAMP-1,Lamp,77\n")
        until(lambda: "1 values of the file were not taken" in agreed(service, "product_file"))
        for answer in everywhere(service, "/v1/conflicts"):
            (conflict,) = answer.json()["items"]
            assert (conflict["product_id"], conflict["field"]) == ("LAMP-1", "quantity")
            assert (conflict["file_value"], conflict["kept_value"]) == (77, 4)
        assert number(service, "vitrina_conflicts") == {"1.0"}


def test_streams_are_counted_while_they_are_open(shop: Path) -> None:
    with serve(shop) as service, ExitStack() as streams:

        def listen() -> None:
            client = streams.enter_context(httpx2.Client(base_url=service.url, timeout=30))
            headers = {"Accept": "text/event-stream"}
            stream = streams.enter_context(client.stream("GET", "/v1/changes", headers=headers))
            assert stream.status_code == 200

        for _ in range(5):
            listen()
        until(lambda: number(service, "vitrina_feed_subscribers") == {"5.0"})
        for pid in children(service.pid):
            os.kill(pid, signal.SIGKILL)
        until(lambda: number(service, "vitrina_feed_subscribers") == {"0.0"})
        until(lambda: number(service, "vitrina_workers") == {f"{WORKERS}.0"})
        listen()
        until(lambda: number(service, "vitrina_feed_subscribers") == {"1.0"})
        assert number(service, "vitrina_worker_deaths_total") == {f"{WORKERS}.0"}
