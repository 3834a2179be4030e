import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from tests.acceptance.shop import Shop, items
from tests.acceptance.words import Datatable, rows
from tests.running import RunningService, free_port, run_vitrina

scenarios("starting.feature")

EXAMPLES = Path(__file__).parents[2] / "examples"

type Ran = subprocess.CompletedProcess[str]


def run(command: str, folder: Path) -> Ran:
    """Run a command line as a developer types it, in *folder*."""
    program, verb, *rest = shlex.split(command)
    assert program == "vitrina"
    port = ["--port", str(free_port())] if verb == "serve" else []
    return run_vitrina(verb, *rest, *port, cwd=folder)


@given(parsers.parse('the developer has run "{command}"'))
def developer_has_run(tmp_path: Path, command: str) -> None:
    ran = run(command, tmp_path)
    assert ran.returncode == 0, ran.stderr


@given("the example file with five columns", target_fixture="catalog")
def example_file(tmp_path: Path) -> Path:
    return Path(shutil.copy(EXAMPLES / "five-columns.csv", tmp_path))


@given("a copy of the example shop", target_fixture="catalog")
def example_shop(tmp_path: Path) -> Path:
    target = tmp_path / "shop"
    target.mkdir()
    for name in ("products.csv", "categories.json"):
        shutil.copy(EXAMPLES / "shop" / name, target)
    return target


@given("a file with mistakes", target_fixture="catalog")
def file_with_mistakes(tmp_path: Path, docstring: str) -> Path:
    path = tmp_path / "products.csv"
    path.write_text(f"{docstring}\n", encoding="utf-8")
    return path


@given("an empty folder shop")
def empty_folder(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()


@given("no folder shop")
def no_folder(tmp_path: Path) -> None:
    assert not (tmp_path / "shop").exists()


@given("a folder shop with two product files")
def two_files(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "products.csv").write_text("id,title\nLAMP-1,Lamp\n")
    (tmp_path / "shop" / "products.jsonl").write_text('{"id": "LAMP-1", "title": "Lamp"}\n')


@given("an empty file shop/products.csv")
def empty_file(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "products.csv").touch()


@given("a file shop/products.csv without column names")
def file_without_header(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "products.csv").write_text("LAMP-1,Desk lamp,129.90 EUR\n")


@given("a file shop/products.csv saved as Latin-1")
def file_in_latin_1(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "products.csv").write_bytes("id,title\nA,Büro\n".encode("latin-1"))


@given("a broken file shop/products.json")
def broken_file(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "products.json").write_text('[\n {"id": "A", "title": "A"},\n {]\n')


@given("a copy of the example file with five columns is being served", target_fixture="service")
def example_is_served(tmp_path: Path) -> Iterator[RunningService]:
    with RunningService(example_file(tmp_path)) as service:
        yield service


@when(parsers.parse('the developer runs "{command}"'), target_fixture="ran")
def developer_runs(tmp_path: Path, command: str) -> Ran:
    return run(command, tmp_path)


@when("the developer serves it", target_fixture="service")
def developer_serves(catalog: Path) -> Iterator[RunningService]:
    with RunningService(catalog) as service:
        yield service


@when("somebody else serves the same catalog", target_fixture="ran")
def somebody_else_serves(service: RunningService) -> Ran:
    return run_vitrina("serve", service.catalog, "--port", str(free_port()))


@when("the developer checks it", target_fixture="ran")
def developer_checks(catalog: Path) -> Ran:
    return run_vitrina("check", catalog)


@when(parsers.parse('the developer checks it with a report in "{form}"'), target_fixture="ran")
def developer_checks_in_form(catalog: Path, form: str) -> Ran:
    return run_vitrina("check", catalog, "--format", form)


@then("the command succeeds")
def command_succeeds(ran: Ran) -> None:
    assert ran.returncode == 0, ran.stdout + ran.stderr


@then("the command fails")
def command_fails(ran: Ran) -> None:
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr


@then(parsers.parse('the command fails and speaks of "{words}"'))
def command_fails_and_says(ran: Ran, words: str) -> None:
    assert ran.returncode != 0, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    assert words in ran.stderr


@then(parsers.parse("there is a file {path}"))
def there_is_a_file(tmp_path: Path, path: str) -> None:
    assert (tmp_path / path).is_file()


@then(parsers.parse('the catalog "{name}" can be served and filled'))
def can_be_served_and_filled(tmp_path: Path, name: str) -> None:
    with RunningService(tmp_path / name) as service:
        shop = Shop(service.client)
        assert shop.everything() == {}
        shop.add({"id": "LAMP-1", "title": "Desk lamp"}).raise_for_status()
    (file,) = (tmp_path / name).glob("products.*")
    assert "Desk lamp" in file.read_text(encoding="utf-8")


@then(parsers.parse('shoppers find the attribute {name} "{value}" on the SKU {sku}'))
def find_attribute(shop: Shop, name: str, value: str, sku: str) -> None:
    (product,) = items(shop.find([(f"attributes.{name}", value)]).json())
    assert product["sku"] == sku


@then(parsers.parse("the first service still serves {count:d} products"))
def still_serves(shop: Shop, count: int) -> None:
    assert len(shop.everything()) == count


@then("nothing was written beside it")
def nothing_was_written(catalog: Path) -> None:
    assert list(catalog.parent.iterdir()) == [catalog]


@then("the report names")
def report_names(ran: Ran, datatable: Datatable) -> None:
    for row in rows(datatable):
        assert any(
            all(part in line for part in (row["line"], row["column"], row["value"]))
            for line in ran.stdout.splitlines()
        ), ran.stdout


@then(parsers.parse("the report is JSON that names line {line:d}"))
def report_is_json(ran: Ran, line: int) -> None:
    report = json.loads(ran.stdout)
    assert line in [each["line"] for each in report["problems"]]


@then(parsers.parse("the report is a SARIF log that names line {line:d}"))
def report_is_sarif(ran: Ran, line: int) -> None:
    log = json.loads(ran.stdout)
    assert log["version"] == "2.1.0"
    regions = [
        result["locations"][0]["physicalLocation"]["region"]["startLine"]
        for result in log["runs"][0]["results"]
    ]
    assert line in regions


@then(parsers.parse('it printed an OpenAPI document with the path "{path}"'))
def printed_openapi(ran: Ran, path: str) -> None:
    assert path in json.loads(ran.stdout)["paths"]


@pytest.fixture
def catalog() -> Path:
    """Given by a step."""
    raise AssertionError("no step gave a catalog")
