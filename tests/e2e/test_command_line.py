"""The commands as people type them."""

import json
import os
import shutil
import signal
import socket
import time
from pathlib import Path

import jsonschema
import pytest

import vitrina
from tests.running import RunningService, run_vitrina
from tests.shops import shop_with
from tests.waiting import until

CSV = "id,title,price,quantity\nLAMP-1,Desk lamp,129.90 EUR,12\nRUG-1,Wool rug,89.00 EUR,5\n"
WRONG = "id,title,price,category_id\nLAMP-1,Desk lamp,cheap,\nLAMP-2,Lamp,1.00,nowhere\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return shop_with(tmp_path, CSV)


def fails(*arguments: str | Path, code: int = 1, **settings: str) -> str:
    """Run a command that must fail with one line, and return that line."""
    ran = run_vitrina(*arguments, settings=settings)
    assert ran.returncode == code, ran.stdout + ran.stderr
    lines = [line for line in ran.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, ran.stderr
    assert lines[0].startswith("vitrina: ")
    return lines[0]


def test_which_version() -> None:
    ran = run_vitrina("--version")
    assert (ran.returncode, ran.stdout) == (0, f"{vitrina.__version__}\n")


def test_it_says_what_it_understood_and_where_it_is(shop: Path) -> None:
    (shop / "products.csv").write_text(WRONG)
    (shop / "vitrina.toml").write_text('currency = "BRL"\n')
    with RunningService(shop) as service:
        assert service.url in service.output
        assert "2 read, 0 accepted, 2 refused" in service.output
        assert "Prices that name no currency are in BRL" in service.output
        assert "line 2, column 3 (price): 'cheap'" in service.output
        assert "unknown_category" in service.output
        checks = service.client.get("/readyz").json()
        assert checks["status"] == "warn"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_folds_the_journal_into_the_file_and_is_a_success(
    shop: Path, number: signal.Signals
) -> None:
    with RunningService(shop, settings={"VITRINA_FILE_DELAY_S": "3600"}) as service:
        patch = {"quantity": 11}
        service.client.patch("/v1/products/LAMP-1", json=patch).raise_for_status()
        assert (shop / "products.csv").read_text() == CSV
        os.kill(service.pid, number)
        assert service.wait() == 0

    assert (shop / "products.csv").read_text() == CSV.replace("EUR,12", "EUR,11")


def test_a_crash_loses_nothing(shop: Path) -> None:
    with RunningService(shop, settings={"VITRINA_FILE_DELAY_S": "3600"}) as service:
        service.client.patch("/v1/products/LAMP-1", json={"quantity": 11}).raise_for_status()
        before = service.client.get("/v1/products/LAMP-1").content
        service.kill()
        service.start()
        assert service.client.get("/v1/products/LAMP-1").content == before


def test_a_taken_port(shop: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert "address already in use" in fails("serve", shop, "--port", str(port))
    assert not (shop / ".vitrina").exists()


def test_an_address_of_another_machine(shop: Path) -> None:
    assert "Cannot listen on 192.0.2.1" in fails("serve", shop, "--host", "192.0.2.1")
    assert "no address of this machine" in fails("serve", shop, "--host", "no.such.host.invalid")


def test_a_second_process(shop: Path) -> None:
    with RunningService(shop) as service:
        line = fails("serve", shop, "--port", "0")
        assert "another process" in line
        assert str(service.pid) in line


@pytest.mark.parametrize(
    ("files", "path", "words"),
    [
        ({}, "", "vitrina init"),
        ({}, "missing", "There is no folder and no file"),
        ({"goods.csv": CSV}, "", "or serve a file of it"),
        ({"products.csv": CSV, "products.jsonl": ""}, "", "several product files"),
        ({"products.csv": ""}, "", "line 1"),
        ({"products.csv": CSV, "categories.json": "{"}, "", "categories.json cannot be read"),
        ({"products.csv": CSV, "categories.json": "[]"}, "categories.json", "holds categories"),
    ],
)
def test_what_cannot_be_served(
    tmp_path: Path, files: dict[str, str], path: str, words: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    assert words in fails("serve", tmp_path / path if path else tmp_path, "--port", "0")


def test_a_wrong_setting(shop: Path) -> None:
    assert "The setting 'port'" in fails("serve", shop, code=2, VITRINA_PORT="many")
    (shop / "vitrina.toml").write_text("prot = 1\n")
    assert "no setting 'prot'" in fails("check", shop, code=2)


@pytest.mark.parametrize("file_format", ["csv", "json", "jsonl"])
def test_a_new_catalog(tmp_path: Path, file_format: str) -> None:
    ran = run_vitrina("init", tmp_path / "new" / "shop", "--format", file_format)

    assert ran.returncode == 0
    assert f"products.{file_format}" in ran.stdout
    assert "is a catalog already" in fails("init", tmp_path / "new" / "shop")
    assert run_vitrina("check", tmp_path / "new" / "shop").returncode == 0


def test_a_new_catalog_cannot_be_a_file(shop: Path) -> None:
    assert "is a file" in fails("init", shop / "products.csv")
    assert "cannot be made" in fails("init", shop / "products.csv" / "below")


def test_a_check_writes_nothing(shop: Path) -> None:
    ran = run_vitrina("check", shop)

    assert ran.returncode == 0
    assert "2 read, 2 accepted, 0 refused" in ran.stdout
    assert [each.name for each in shop.iterdir()] == ["products.csv"]


def test_a_check_names_every_problem(shop: Path) -> None:
    (shop / "products.csv").write_text(WRONG)
    (shop / "categories.json").write_text("[{}]")

    ran = run_vitrina("check", shop)

    assert ran.returncode == 1
    assert "line 2, column 3 (price): 'cheap'" in ran.stdout
    assert "line 3, column 4 (category_id): 'nowhere'" in ran.stdout
    assert "categories.json, line 1" in ran.stdout


def test_reports_for_programs(shop: Path) -> None:
    (shop / "products.csv").write_text(WRONG)

    found = json.loads(run_vitrina("check", shop, "--format", "json").stdout)
    assert (found["rows"], found["refused"], found["currency"]) == (2, 2, "USD")
    assert {"header": "price", "field": "price"} in found["columns"]
    assert [each["line"] for each in found["problems"]] == [2, 3]

    log = json.loads(run_vitrina("check", shop, "--format", "sarif").stdout)
    (run,) = log["runs"]
    assert {each["id"] for each in run["tool"]["driver"]["rules"]} == {
        each["ruleId"] for each in run["results"]
    }
    assert run["results"][0]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "products.csv"},
        "region": {"startLine": 2},
    }


def test_a_file_that_cannot_be_read_is_a_problem(shop: Path) -> None:
    (shop / "products.csv").unlink()
    (shop / "products.json").write_text('[\n{"id": "a",\n]')

    ran = run_vitrina("check", shop, "--format", "sarif")

    assert ran.returncode == 1
    (result,) = json.loads(ran.stdout)["runs"][0]["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region["startLine"] == 3
    assert region["startColumn"] >= 1


def test_the_contract_is_printed() -> None:
    ran = run_vitrina("openapi")

    assert ran.returncode == 0
    document = json.loads(ran.stdout)
    assert document["openapi"].startswith("3.")
    jsonschema.validate(document, {"type": "object", "required": ["paths", "components"]})


def test_a_damaged_journal_is_told_and_repaired(shop: Path) -> None:
    with RunningService(shop) as service:
        for number in range(3):
            body = {"id": f"P-{number}", "title": "New"}
            service.client.post("/v1/products", json=body).raise_for_status()
        service.kill()
        (journal,) = (shop / ".vitrina" / "journal").iterdir()
        data = journal.read_bytes()
        journal.write_bytes(data.replace(b'"id":"P-1","sku"', b'"id":"P-7","sku"'))

        line = fails("serve", shop, "--port", "0")
        assert str(journal) in line
        assert f"vitrina repair {shop}" in line

        ran = run_vitrina("repair", shop)
        assert ran.returncode == 0
        assert "Lost: change 4, made between" in ran.stdout
        assert "P-1" not in ran.stdout.partition("Kept:")[2]
        assert "Kept: 4 products, 0 categories, up to change 6." in ran.stdout
        service.start()
        assert service.client.get("/v1/products/P-2").is_success
        assert service.client.get("/v1/products/P-1").status_code == 404
    assert "Nothing to repair: 4 products" in run_vitrina("repair", shop).stdout


def test_nothing_was_served_that_could_be_repaired(shop: Path) -> None:
    assert "never served" in fails("repair", shop)


def test_verify_says_what_it_read(shop: Path) -> None:
    assert "never served" in fails("verify", shop, code=2)
    with RunningService(shop) as service:
        service.client.post("/v1/products", json={"id": "P", "title": "New"}).raise_for_status()
        ran = run_vitrina("verify", shop)
        assert ran.returncode == 0, ran.stdout
        assert "All is whole: 3 products, 0 categories, up to change 3." in ran.stdout
    ran = run_vitrina("verify", shop, "--format", "json")
    document = json.loads(ran.stdout)
    assert (document["whole"], document["seq"], document["products"]) == (True, 3, 3)
    (journal,) = (shop / ".vitrina" / "journal").iterdir()
    journal.write_bytes(journal.read_bytes().replace(b"Wool rug", b"Wild rug"))

    ran = run_vitrina("verify", shop)

    assert ran.returncode == 1
    assert f"Damage: {journal}, byte 0: The checksum does not match." in ran.stdout
    assert "RUG-1" in ran.stdout
    assert f"vitrina repair {shop}" in ran.stdout


def test_a_repair_may_be_shown_first(shop: Path) -> None:
    with RunningService(shop):
        pass
    (journal,) = (shop / ".vitrina" / "journal").iterdir()
    journal.write_bytes(b"x" + journal.read_bytes())
    before = sorted((shop / ".vitrina").rglob("*"))

    shown = run_vitrina("repair", shop, "--dry-run")
    assert "nothing was changed" in shown.stdout
    assert sorted((shop / ".vitrina").rglob("*")) == before
    done = json.loads(run_vitrina("repair", shop, "--format", "json").stdout)
    assert (done["done"], done["lost"], done["products"]) == (True, [], 2)
    assert run_vitrina("verify", shop).returncode == 0


@pytest.mark.parametrize("kind", ["copy", "copy.tar.gz"])
def test_a_backup_while_serving_is_served_again(shop: Path, tmp_path: Path, kind: str) -> None:
    paths = ("/v1/products/P", "/v1/products/LAMP-1", "/v1/products/P/history", "/v1/changes")
    with RunningService(shop) as service:
        service.client.post("/v1/products", json={"id": "P", "title": "New"}).raise_for_status()
        for number in range(3):
            patch = {"title": f"Newer {number}"}
            headers = {"Content-Type": "application/merge-patch+json"}
            content = json.dumps(patch)
            service.client.patch(
                "/v1/products/P", content=content, headers=headers
            ).raise_for_status()
        ran = run_vitrina("backup", shop, tmp_path / kind)
        assert ran.returncode == 0, ran.stderr
        assert "3 products, up to change 6, with the past from change 1 on" in ran.stdout
        assert "exists" in fails("backup", shop, tmp_path / kind)
        assert "not empty" in fails("restore", tmp_path / kind, shop)
        assert "another process" in fails("restore", "--force", tmp_path / kind, shop)
        answers = [service.client.get(each) for each in paths]
    ran = run_vitrina("restore", tmp_path / kind, tmp_path / "new")
    assert ran.returncode == 0, ran.stderr
    assert f"vitrina serve {tmp_path / 'new'}" in ran.stdout
    with RunningService(tmp_path / "new") as service:
        for path, answer in zip(paths, answers, strict=True):
            again = service.client.get(path)
            assert again.content == answer.content, path
            assert again.headers.get("etag") == answer.headers.get("etag"), path
    assert "Newer 2" in (tmp_path / "new" / "products.csv").read_text()


def test_the_start_names_a_repair_that_helps(shop: Path) -> None:
    """Every kind of damage that stops the start is told with the command, and it mends it."""
    with RunningService(shop) as service:
        for number in range(3):
            body = {"id": f"P-{number}", "title": "New"}
            service.client.post("/v1/products", json=body).raise_for_status()
    state = shop / ".vitrina"
    whole = shop.with_name("whole")
    state.rename(whole)
    name = Path("journal", "0000000000000001.jsonl")
    data = (whole / name).read_bytes()
    (snapshot,) = whole.glob("snapshot-*.jsonl")
    cases: list[dict[Path, bytes | None]] = [
        {name: b"x" + data},
        {name: b"x" + data, Path(snapshot.name): None},
        {name: data.replace(b"Desk", b"Disk")},
        {name: data + data},
        {name: None, name.with_name("0000000000000009.jsonl"): b""},
        {name: None, name.with_name("0000000000000009.jsonl"): b"", Path(snapshot.name): b"x"},
    ]
    for case in cases:
        shutil.rmtree(state, ignore_errors=True)
        shutil.copytree(whole, state)
        for path, content in case.items():
            (state / path).unlink(missing_ok=True)
            if content is not None:
                (state / path).write_bytes(content)
        assert f"vitrina repair {shop}" in fails("serve", shop, "--port", "0"), case
        ran = run_vitrina("repair", shop)
        assert ran.returncode == 0, ran.stderr
        assert "Kept: 5 products" in ran.stdout, ran.stdout
        with RunningService(shop) as service:
            assert service.client.get("/v1/products").json()["total"] == 5
        assert run_vitrina("verify", shop).returncode == 0


def has_begun(pid: int) -> bool:
    """Say whether a process is past the start of the interpreter: whether it takes SIGTERM."""
    status = Path(f"/proc/{pid}/status").read_text()
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stop_during_the_start_is_a_success(shop: Path, workers: str) -> None:
    """Whatever it is at: its imports, the port, the journal, the file, the index, the workers."""
    service = RunningService(shop, "--workers", workers)
    with service:
        service.client.patch("/v1/products/LAMP-1", json={"quantity": 11}).raise_for_status()
        service.stop()
        for moment in (0, 0.4, 0.8):
            service.launch()
            until(lambda: has_begun(service.pid))
            time.sleep(moment)
            assert service.stop() == 0
        service.start()
        assert service.client.get("/v1/products/LAMP-1").json()["quantity"] == 11
