"""The commands as people type them."""

import json
import os
import signal
import socket
from pathlib import Path

import jsonschema
import pytest

import vitrina
from tests.running import RunningService, run_vitrina

CSV = "id,title,price,quantity\nLAMP-1,Desk lamp,129.90 EUR,12\nRUG-1,Wool rug,89.00 EUR,5\n"
WRONG = "id,title,price,category_id\nLAMP-1,Desk lamp,cheap,\nLAMP-2,Lamp,1.00,nowhere\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "products.csv").write_text(CSV)
    return folder


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
        assert "Lost: change 4" in ran.stdout
        assert "Kept: 4 products, up to change 5." in ran.stdout
        service.start()
        assert service.client.get("/v1/products/P-2").is_success
        assert service.client.get("/v1/products/P-1").status_code == 404
    assert "Nothing to repair: 4 products" in run_vitrina("repair", shop).stdout


def test_nothing_was_served_that_could_be_repaired(shop: Path) -> None:
    assert "never served" in fails("repair", shop)
