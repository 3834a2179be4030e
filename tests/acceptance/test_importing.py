from subprocess import CompletedProcess

import httpx2
from pytest_bdd import parsers, scenarios, then, when

from tests.acceptance.files import ProductFile
from tests.acceptance.shop import Shop
from tests.acceptance.words import PRODUCT
from tests.running import run_vitrina

scenarios("importing.feature")


def run_import(file: ProductFile, text: str, *more: str) -> CompletedProcess[str]:
    folder = file.path.parent
    source = folder.parent / "supplier.csv"
    source.write_text(f"{text}\n")
    return run_vitrina("import", source, "--into", folder, *more)


@when("somebody imports", target_fixture="ran")
def somebody_imports(file: ProductFile, docstring: str) -> CompletedProcess[str]:
    return run_import(file, docstring)


@when("somebody asks what would happen, importing", target_fixture="ran")
def somebody_asks(file: ProductFile, docstring: str) -> CompletedProcess[str]:
    return run_import(file, docstring, "--dry-run")


@then(parsers.parse('the command says "{words}"'))
def command_says(ran: CompletedProcess[str], words: str) -> None:
    assert words in ran.stdout, ran.stdout + ran.stderr


@then("the command fails")
def command_fails(ran: CompletedProcess[str]) -> None:
    assert (ran.returncode, ran.stderr) == (1, "")


@then(parsers.re(rf"the past of {PRODUCT} says that an import changed it"))
def past_says(shop: Shop, product: str) -> None:
    answer = shop.client.get(f"/v1/products/{product}/history")
    assert answer.status_code == httpx2.codes.OK
    assert answer.json()["items"][0]["source"] == "import"
