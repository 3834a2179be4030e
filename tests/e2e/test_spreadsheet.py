"""People save the file of a running service as their programs do, and the service keeps up."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running import RunningService, run_vitrina
from tests.shops import numbered_products, shop_with
from tests.waiting import until

ROWS = 12
SOFFICE = shutil.which("soffice")
CSV = numbered_products(ROWS)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return shop_with(tmp_path, CSV)


@pytest.fixture(params=["auto", "poll"])
def service(shop: Path, request: pytest.FixtureRequest) -> Iterator[RunningService]:
    settings = {"VITRINA_WATCH": request.param, "VITRINA_FILE_DELAY_S": "0.1"}
    with RunningService(shop, settings=settings) as running:
        yield running


@pytest.fixture
def watching(shop: Path) -> Iterator[RunningService]:
    with RunningService(shop, settings={"VITRINA_FILE_DELAY_S": "0.1"}) as running:
        yield running


def product(service: RunningService, product_id: str) -> dict[str, Any]:
    found: dict[str, Any] = service.client.get(f"/v1/products/{product_id}").json()
    return found


def status(service: RunningService) -> dict[str, Any]:
    found: dict[str, Any] = service.client.get("/v1/file").json()
    return found


def until_state(service: RunningService, state: str) -> dict[str, Any]:
    until(lambda: status(service)["state"] == state, told=lambda: (status(service), service.output))
    return status(service)


def until_title(service: RunningService, product_id: str, title: str) -> None:
    until(
        lambda: product(service, product_id).get("title") == title,
        told=lambda: (status(service), service.output),
    )


def until_written(path: Path, text: str) -> None:
    until(lambda: text in path.read_text(), told=path.read_text)


def in_place(path: Path, data: bytes) -> None:
    """As ``cp``, nano, and spreadsheets on some systems save."""
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()


def by_rename(path: Path, data: bytes) -> None:
    """As vim, gedit and LibreOffice save: a new file takes the name."""
    temporary = path.with_name(f".{path.name}.swp-1")
    temporary.write_bytes(data)
    temporary.replace(path)


def by_backup(path: Path, data: bytes) -> None:
    """As Emacs and others save: the old file is moved away first, so there is none for a while."""
    path.rename(path.with_name(f"{path.name}~"))
    time.sleep(0.05)
    path.write_bytes(data)


def under_a_lock(path: Path, data: bytes) -> None:
    """As LibreOffice saves: its lock file lies beside it while the document is open."""
    lock = path.with_name(f".~lock.{path.name}#")
    lock.write_text(",merchant,desk,20.11.2026 10:00,file:///home/merchant/.config;")
    by_rename(path, data)


def in_pieces(path: Path, data: bytes) -> None:
    """As a slow program writes: the file is cut, then grows."""
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(data), 40):
            file.write(data[start : start + 40])
            time.sleep(0.03)


SAVES = [in_place, by_rename, by_backup, under_a_lock, in_pieces]


@pytest.mark.parametrize("save", SAVES)
def test_a_saved_edit_becomes_a_change(
    service: RunningService, shop: Path, save: Callable[[Path, bytes], None]
) -> None:
    edited = CSV.replace("Product 3,", "Better product 3,").encode()
    save(shop / "products.csv", edited)

    until_title(service, "P-03", "Better product 3")
    changes = service.client.get("/v1/changes", params={"after": ROWS}).json()["items"]
    assert [(each["product_id"], each["source"], each["changed"]) for each in changes] == [
        ("P-03", "file", ["title"])
    ]
    history = service.client.get("/v1/products/P-03/history").json()["items"]
    assert [each["source"] for each in history] == ["file", "file"]
    assert (shop / "products.csv").read_bytes() == edited
    assert status(service)["state"] == "in_sync"


def test_both_sides_take_turns(service: RunningService, shop: Path) -> None:
    path = shop / "products.csv"
    for turn in range(1, 6):
        service.client.patch("/v1/products/P-01", json={"quantity": 100 + turn})
        until_written(path, f",{100 + turn}\n")
        by_rename(path, path.read_bytes().replace(b"Product 2", b"Product 2+", 1))
        until_title(service, "P-02", "Product 2" + "+" * turn)
    changes = service.client.get("/v1/changes", params={"after": ROWS}).json()["items"]
    assert [each["source"] for each in changes] == ["api", "file"] * 5
    assert path.read_text() == CSV.replace(",1\n", ",105\n").replace("Product 2", "Product 2+++++")


def test_a_broken_file_changes_nothing_and_is_not_overwritten(
    watching: RunningService, shop: Path
) -> None:
    path = shop / "products.csv"
    broken = CSV.replace("Product 7", "Prod\xfcct 7").encode("latin-1")
    in_place(path, broken)

    said = until_state(watching, "broken")
    assert (said["line"], said["code"]) == (9, "invalid_encoding")
    ready = watching.client.get("/readyz").json()
    assert ready["status"] == "warn"
    assert "line 9, column" in ready["checks"][0]["detail"]
    assert "line 9, column" in watching.output
    watching.client.patch("/v1/products/P-01", json={"quantity": 101}).raise_for_status()
    by_rename(shop / "categories.json", b"[]")  # The next look comes after this.
    time.sleep(1)
    assert path.read_bytes() == broken

    in_place(path, CSV.replace("Product 7", "Prod\xfcct 7").encode())
    until_title(watching, "P-07", "Prod\xfcct 7")
    until_written(path, ",101\n")
    until_state(watching, "in_sync")


@pytest.mark.parametrize("how", ["http", "command"])
def test_a_save_that_was_cut_off_waits(watching: RunningService, shop: Path, how: str) -> None:
    path = shop / "products.csv"
    kept = "".join(CSV.splitlines(keepends=True)[:5])
    by_rename(path, kept.encode())

    said = until_state(watching, "pending")
    assert (said["pending"]["deleted"], said["pending"]["products"]) == (8, ROWS)
    assert "delete 8 of 12 products" in watching.client.get("/readyz").json()["checks"][0]["detail"]
    assert watching.client.get("/v1/products").json()["total"] == ROWS

    if how == "http":
        assert watching.client.post("/v1/file/accept").json()["state"] == "in_sync"
        again = watching.client.post("/v1/file/accept")
        assert (again.status_code, again.json()["code"]) == (409, "nothing_to_accept")
    else:
        assert "Accepted" in run_vitrina("accept", shop).stdout
        again_said = run_vitrina("accept", shop)
        assert (again_said.returncode, "waits" in again_said.stderr) == (1, True)
    assert watching.client.get("/v1/products").json()["total"] == ROWS - 8
    assert path.read_text() == kept


def test_what_waited_may_be_accepted_without_a_server(shop: Path) -> None:
    path = shop / "products.csv"
    with RunningService(shop) as service:
        by_rename(path, CSV.splitlines(keepends=True)[0].encode())
        until_state(service, "pending")
    assert "0 rows" in run_vitrina("accept", shop).stdout
    with RunningService(shop) as service:
        assert service.client.get("/v1/products").json()["total"] == 0


def test_a_save_that_was_mended_needs_no_confirmation(watching: RunningService, shop: Path) -> None:
    by_rename(shop / "products.csv", CSV.splitlines(keepends=True)[0].encode())
    until_state(watching, "pending")
    by_rename(shop / "products.csv", CSV.encode())
    until_state(watching, "in_sync")
    assert watching.client.get("/v1/changes").json()["latest_seq"] == ROWS


def test_one_of_three_rows_may_go(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text("id,title\nA,Lamp\nB,Rug\nC,Chair\n")
    with RunningService(tmp_path) as service:
        by_rename(path, b"id,title\nA,Lamp\nC,Chair\n")
        until(lambda: service.client.get("/v1/products").json()["total"] == 2)


def test_a_conflict_keeps_the_value_of_the_api(shop: Path) -> None:
    path = shop / "products.csv"
    beside = shop / "products.conflicts.csv"
    with RunningService(shop, settings={"VITRINA_FILE_DELAY_S": "3600"}) as service:
        service.client.patch("/v1/products/P-03", json={"title": "From the API"})
        by_rename(path, CSV.replace("Product 3,", "From the file,").encode())
        conflicts = until(lambda: service.client.get("/v1/conflicts").json()["items"])
        assert [
            (
                each["product_id"],
                each["field"],
                each["file_value"],
                each["kept_value"],
                each["line"],
            )
            for each in conflicts
        ] == [("P-03", "title", "From the file", "From the API", 5)]
        assert "From the file" in beside.read_text("utf-8-sig")
        assert "From the file" in service.output
        service.restart()
        assert service.client.get("/v1/conflicts").json()["items"] == conflicts
        assert "From the API" in path.read_text()

        by_rename(path, path.read_bytes().replace(b"From the API", b"Settled"))
        until_title(service, "P-03", "Settled")
        until(lambda: not service.client.get("/v1/conflicts").json()["items"])
        until(lambda: not beside.exists())


def test_a_file_edited_while_all_is_killed(shop: Path) -> None:
    path = shop / "products.csv"
    with RunningService(shop) as service:
        service.client.patch("/v1/products/P-01", json={"quantity": 101}).raise_for_status()
        os.kill(service.pid, signal.SIGSTOP)
        by_rename(path, CSV.replace("Product 3,", "Better product 3,").encode())
        service.kill()
        service.start()
        assert product(service, "P-03")["title"] == "Better product 3"
        assert product(service, "P-01")["quantity"] == 101
        until_written(path, ",101\n")


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
def test_libreoffice_saves_the_file(watching: RunningService, shop: Path, tmp_path: Path) -> None:
    """LibreOffice takes SKUs for numbers; the zeros in front are put back."""
    work = tmp_path / "work"
    work.mkdir()
    edited = work / "products.csv"
    edited.write_text(CSV.replace("Product 3,", '"Product 3, improved",'))
    subprocess.run(
        [
            SOFFICE or "",
            f"-env:UserInstallation=file://{tmp_path}/profile",
            "--headless",
            "--convert-to",
            "csv:Text - txt - csv (StarCalc):44,34,76,1",
            "--outdir",
            str(tmp_path / "saved"),
            str(edited),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    saved = (tmp_path / "saved" / "products.csv").read_bytes()
    by_rename(shop / "products.csv", saved)

    until_title(watching, "P-03", "Product 3, improved")
    assert b",3," in saved
    assert watching.client.get("/v1/products").json()["total"] == ROWS
    assert product(watching, "P-03")["sku"] == "00003"
    until_written(shop / "products.csv", '"P-03",00003,')
    assert {each["code"] for each in status(watching)["problems"]} == {"leading_zeros_lost"}
