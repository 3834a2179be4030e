"""``vitrina import`` beside a service of several workers that goes on taking writes."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import httpx2
import pytest

from tests.e2e.test_workers import everywhere
from tests.running import VITRINA, RunningService, clean_environment, run_vitrina
from tests.waiting import until

ROWS = 6_000
UNIT = 500


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "products.jsonl").write_text('{"id":"LAMP-1","title":"Lamp","quantity":5}\n')
    return folder


@pytest.fixture
def supplier(tmp_path: Path) -> Path:
    """A file of many products."""
    path = tmp_path / "supplier.csv"
    rows = (f"N-{number:05},New {number},{number % 50}" for number in range(ROWS))
    path.write_text("id,title,quantity\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def service(shop: Path) -> Iterator[RunningService]:
    with RunningService(shop, "--workers", "2") as running:
        yield running


def total(answer: httpx2.Response) -> int:
    return int(answer.json()["total"])


def imported(service: RunningService) -> set[int]:
    """Return how many products of the file the workers show."""
    return {total(each) for each in everywhere(service, "/v1/products?q=new&limit=1")}


def test_it_joins_a_service_that_takes_writes(
    service: RunningService, supplier: Path, shop: Path
) -> None:
    enough = Event()

    def write(writer: int) -> int:
        done = 0
        with httpx2.Client(base_url=service.url, timeout=60) as client:
            while not enough.is_set():
                body = {"title": "Mine", "quantity": done}
                answer = client.put(f"/v1/products/W-{writer}", json=body)
                assert answer.is_success, answer.text
                shown = client.get(f"/v1/products/W-{writer}").json()
                assert shown["quantity"] == done
                done += 1
        return done

    with ThreadPoolExecutor(2) as threads:
        writing = [threads.submit(write, each) for each in range(2)]
        try:
            ran = run_vitrina("import", supplier, "--into", shop)
            # What the command has said to be done, everybody sees.
            assert imported(service) == {ROWS}
        finally:
            enough.set()
        assert all(each.result() for each in writing)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"{ROWS:,} created, 0 updated, 0 unchanged" in ran.stdout

    again = run_vitrina("import", supplier, "--into", shop)
    assert f"0 created, 0 updated, {ROWS:,} unchanged" in again.stdout
    feed = service.client.get("/v1/changes?after=1&limit=200").json()["items"]
    assert {each["source"] for each in feed} <= {"api", "import"}
    service.stop()
    assert len((shop / "products.jsonl").read_text().splitlines()) == ROWS + 3
    service.start()


def test_one_that_is_killed_leaves_whole_units(
    service: RunningService, supplier: Path, shop: Path
) -> None:
    command = [*VITRINA, "import", str(supplier), "--into", str(shop)]
    importer = subprocess.Popen(
        command, env=clean_environment({}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until(lambda: total(service.client.get("/v1/products?q=new&limit=1")) >= UNIT)
    importer.kill()
    assert importer.wait() == -signal.SIGKILL

    # The service goes on, and settles within a second what was on its way to the disk.
    assert service.client.put("/v1/products/AFTER-1", json={"title": "After"}).status_code == 201
    (count,) = imported(service)
    assert count % UNIT == 0
    assert UNIT <= count <= ROWS
    sizes = units(shop)
    assert set(sizes) == {UNIT}
    assert sum(sizes) == count

    ran = run_vitrina("import", supplier, "--into", shop)
    assert f"{ROWS - count:,} created, 0 updated, {count:,} unchanged" in ran.stdout
    assert imported(service) == {ROWS}


def units(shop: Path) -> list[int]:
    """Return how many changes each imported unit of work holds."""
    lines = [
        json.loads(line)
        for path in sorted((shop / ".vitrina" / "journal").iterdir())
        for line in path.read_text().splitlines()
    ]
    return [len(each["changes"]) for each in lines if each["source"] == "import"]


def test_a_service_may_start_meanwhile(shop: Path, supplier: Path) -> None:
    """The command is then the one that keeps the file in step; it hands that over at its end."""
    command = [*VITRINA, "import", str(supplier), "--into", str(shop)]
    importer = subprocess.Popen(
        command, env=clean_environment({}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    until((shop / ".vitrina" / "run" / "marks").exists)
    with RunningService(shop) as service:
        told, _ = importer.communicate()
        assert importer.returncode == 0, told
        assert total(service.client.get("/v1/products?limit=1")) == ROWS + 1
        service.client.put("/v1/products/AFTER-1", json={"title": "After"}).raise_for_status()
        until(lambda: "AFTER-1" in (shop / "products.jsonl").read_text())
    assert len((shop / "products.jsonl").read_text().splitlines()) == ROWS + 2


def test_what_is_wrong_is_one_line(shop: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('[{"id": ')
    for arguments, code, words in (
        ((broken, "--into", shop), 1, "broken.json cannot be read: line 1, column 9"),
        ((tmp_path / "none.csv", "--into", shop), 1, "none.csv cannot be read: No such file"),
        ((broken, "--into", tmp_path / "nowhere"), 1, "There is no folder and no file"),
        ((broken, "--into", shop, "--currency", "XYZ"), 2, "'currency' cannot be 'XYZ'"),
    ):
        ran = run_vitrina("import", *arguments)
        assert ran.returncode == code
        (line,) = ran.stderr.splitlines()
        assert line.startswith("vitrina: ")
        assert words in line


def test_a_terminal_shows_how_far_it_is(shop: Path, supplier: Path) -> None:
    here, terminal = os.openpty()
    command = [*VITRINA, "import", str(supplier), "--into", str(shop)]
    environment = clean_environment({"TERM": "xterm", "COLUMNS": "100"})
    ran = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=terminal)
    os.close(terminal)
    shown = b""
    with suppress(OSError):  # The other end is closed: that is how a terminal ends.
        while part := os.read(here, 4_096):
            shown += part
    os.close(here)
    told, _ = ran.communicate()

    assert ran.returncode == 0
    assert b"Importing" in shown
    assert f"/{ROWS}" in shown.decode()
    assert b"Importing" not in told
