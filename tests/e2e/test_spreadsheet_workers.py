"""People save the file of a service with several workers, by the tools that they have."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e.test_kill import children
from tests.running import RunningService
from tests.shops import numbered_products, shop_with
from tests.waiting import until

ROWS = 12
WORKERS = 2
CSV = numbered_products(ROWS)
GIT = shutil.which("git")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return shop_with(tmp_path, CSV)


@pytest.fixture
def service(shop: Path) -> Iterator[RunningService]:
    with RunningService(
        shop, "--workers", str(WORKERS), settings={"VITRINA_FILE_DELAY_S": "0.1"}
    ) as running:
        workers(running)
        yield running


def ask(service: RunningService, path: str) -> dict[str, Any]:
    """Ask over a new connection, which any worker may answer."""
    with httpx2.Client(base_url=service.url, timeout=30) as client:
        found: dict[str, Any] = client.get(path).json()
        return found


def until_title(service: RunningService, product_id: str, title: str) -> None:
    until(
        lambda: ask(service, f"/v1/products/{product_id}").get("title") == title,
        told=lambda: (ask(service, "/v1/file"), service.output),
    )


def workers(service: RunningService) -> list[int]:
    """Return the processes that answer, once all are there."""
    until(lambda: len(children(service.pid)) == WORKERS, told=lambda: service.output)
    return children(service.pid)


def until_in_sync(service: RunningService) -> None:
    until(
        lambda: ask(service, "/v1/file")["state"] == "in_sync",
        told=lambda: (ask(service, "/v1/file"), service.output),
    )


def run(*command: str, cwd: Path) -> None:
    subprocess.run(command, cwd=cwd, check=True, capture_output=True)


def by_sed(path: Path) -> None:
    run("sed", "-i", "s/Product 3,/Edited,/", path.name, cwd=path.parent)


def by_a_slow_script(path: Path) -> None:
    """It cuts the file, and writes it row by row, slower than a file comes to rest."""
    script = (
        "import sys, time\n"
        "text = open(sys.argv[1]).read().replace('Product 3,', 'Edited,')\n"
        "with open(sys.argv[1], 'w') as file:\n"
        "    for line in text.splitlines(keepends=True):\n"
        "        file.write(line); file.flush(); time.sleep(0.1)\n"
    )
    run(sys.executable, "-c", script, str(path), cwd=path.parent)


def by_excel(path: Path) -> None:
    """It writes a file with another name, moves the old one away, and gives the name to the new."""
    new, old = path.with_name("8A6F2D10"), path.with_name("5C1B.tmp")
    new.write_bytes(path.read_bytes().replace(b"Product 3,", b"Edited,").replace(b"\n", b"\r\n"))
    path.rename(old)
    new.rename(path)
    old.unlink()


def as_utf_16(path: Path) -> None:
    text = path.read_text().replace("Product 3,", "Edited,")
    path.write_text(text, "utf-16")


def by_git(path: Path) -> None:
    identity = ("-c", "user.name=Merchant", "-c", "user.email=merchant@example.com")
    run("git", "init", "-q", "-b", "main", cwd=path.parent)
    run("git", "add", path.name, cwd=path.parent)
    run("git", *identity, "commit", "-qm", "As it is", cwd=path.parent)
    run("git", "switch", "-qc", "edited", cwd=path.parent)
    by_sed(path)
    run("git", *identity, "commit", "-qam", "Edited", cwd=path.parent)
    run("git", "switch", "-q", "main", cwd=path.parent)
    run("git", "switch", "-q", "edited", cwd=path.parent)


SAVES = [
    by_sed,
    by_a_slow_script,
    by_excel,
    as_utf_16,
    pytest.param(by_git, marks=pytest.mark.skipif(GIT is None, reason="git is not installed")),
]


@pytest.mark.parametrize("save", SAVES)
def test_what_is_saved_is_seen_at_every_worker(
    service: RunningService, shop: Path, save: Callable[[Path], None]
) -> None:
    path = shop / "products.csv"
    save(path)
    until_title(service, "P-03", "Edited")
    assert {ask(service, "/v1/products/P-03")["title"] for _ in range(8)} == {"Edited"}
    assert ask(service, "/v1/products")["total"] == ROWS
    changes = ask(service, f"/v1/changes?after={ROWS}")["items"]
    assert {(each["product_id"], each["source"]) for each in changes} == {("P-03", "file")}

    service.client.patch("/v1/products/P-05", json={"quantity": 77})
    encoding = "utf-16" if save is as_utf_16 else "utf-8"
    until(lambda: ",77" in path.read_text(encoding), told=lambda: path.read_text(encoding))
    assert "Edited," in path.read_text(encoding)


def test_a_file_that_was_deleted_comes_back_and_goes_on(
    service: RunningService, shop: Path
) -> None:
    path = shop / "products.csv"
    path.unlink()
    until(path.exists, told=lambda: service.output)
    assert sorted(path.read_text().splitlines()) == sorted(CSV.splitlines())
    assert ask(service, "/v1/products")["total"] == ROWS

    by_sed(path)
    until_title(service, "P-03", "Edited")
    path.unlink()
    path.write_text(CSV.replace("Product 4,", "Made anew,"))
    until_title(service, "P-04", "Made anew")
    assert ask(service, "/v1/products")["total"] == ROWS


def test_another_worker_takes_the_file_over(service: RunningService, shop: Path) -> None:
    path = shop / "products.csv"
    for turn, worker in enumerate(workers(service), start=1):
        service.client.patch("/v1/products/P-01", json={"quantity": 100 + turn})
        os.kill(worker, signal.SIGKILL)
        path.write_text(path.read_text().replace("Product 3", "Product 3+"))
        until_title(service, "P-03", "Product 3" + "+" * turn)
        quantity = f",{100 + turn}\n"
        until(lambda quantity=quantity: quantity in path.read_text(), told=path.read_text)  # type: ignore[misc]
    assert ask(service, "/v1/products")["total"] == ROWS
    assert ask(service, "/v1/conflicts")["items"] == []


def test_a_file_that_no_descriptor_is_left_for_is_not_taken_for_gone(shop: Path) -> None:
    with RunningService(shop, settings={"VITRINA_FILE_DELAY_S": "0.1"}) as service:
        limit = resource.prlimit(service.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, (3, limit[1]))
        by_sed(shop / "products.csv")
        until(lambda: "Too many open files" in service.output, told=lambda: service.output)
        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, limit)

        until_title(service, "P-03", "Edited")
        until_in_sync(service)
        assert ask(service, "/v1/products")["total"] == ROWS
        changes = ask(service, f"/v1/changes?after={ROWS}")["items"]
        assert [(each["product_id"], each["type"]) for each in changes] == [
            ("P-03", "product.updated")
        ]
