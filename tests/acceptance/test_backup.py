import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx2
import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from tests.acceptance.files import ProductFile
from tests.acceptance.shop import Shop, items
from tests.acceptance.words import PRODUCT
from tests.running import RunningService, run_vitrina

scenarios("backup.feature")

type Ran = subprocess.CompletedProcess[str]
type Bodies = dict[str, bytes]


def bodies(shop: Shop) -> Bodies:
    """Return what the catalog answers for each product, to the byte."""
    return {each: shop.client.get(shop.path(each)).content for each in shop.everything()}


@pytest.fixture
def settings() -> dict[str, str]:
    """The product file is left behind, so that it cannot stand in for what is damaged."""
    return {"VITRINA_FILE_DELAY_S": "3600"}


@given(parsers.re(rf"the merchant sets the price of {PRODUCT} to (?P<amount>\S+) EUR"))
def has_set_price(shop: Shop, product: str, amount: str) -> None:
    shop.merge(product, {"price": {"amount": amount, "currency": "EUR"}}).raise_for_status()


@given(parsers.re(rf"the merchant removes {PRODUCT}"))
def has_removed(shop: Shop, product: str) -> None:
    shop.remove(product).raise_for_status()


@given(parsers.re("a copy is made as an? (?P<kind>folder|archive)"), target_fixture="copy")
def is_copied(file: ProductFile, tmp_path: Path, shop: Shop, kind: str, kept: Bodies) -> Path:
    kept |= bodies(shop)
    return made(file, tmp_path / ("copy" if kind == "folder" else "copy.tar.gz"))


def made(file: ProductFile, target: Path) -> Path:
    ran = run_vitrina("backup", file.path.parent, target)
    assert ran.returncode == 0, ran.stderr
    return target


@pytest.fixture
def kept() -> Bodies:
    """What the catalog answered when the copy was made."""
    return {}


@given("a byte of the copy is changed")
def copy_is_damaged(copy: Path) -> None:
    (copy / "products.csv").write_bytes((copy / "products.csv").read_bytes().replace(b"L", b"l", 1))


@given("the service crashes and its disk damages the change of RUG-1")
def crashes_and_is_damaged(service: RunningService, file: ProductFile) -> None:
    service.kill()
    (journal,) = (file.path.parent / ".vitrina" / "journal").iterdir()
    journal.write_bytes(journal.read_bytes().replace(b'"79.00"', b'"78.00"'))


@when("a copy is made as a folder while 4 programs add products", target_fixture="copy")
def is_copied_under_load(
    service: RunningService, file: ProductFile, tmp_path: Path, kept: Bodies
) -> Path:
    acknowledged: Bodies = {}
    enough, over = Event(), Event()

    def add(writer: int) -> None:
        with httpx2.Client(base_url=service.url, timeout=30) as client:
            for number in range(10_000):
                if over.is_set():
                    return
                answer = Shop(client).add({"id": f"W{writer}-{number}", "title": "New"})
                answer.raise_for_status()
                acknowledged[answer.json()["id"]] = answer.content
                if len(acknowledged) >= 40:
                    enough.set()

    with ThreadPoolExecutor(4) as programs:
        running = [programs.submit(add, writer) for writer in range(4)]
        try:
            assert enough.wait(60)
            kept |= dict(acknowledged)
            copy = made(file, tmp_path / "copy")
        finally:
            over.set()
    for each in running:
        each.result()
    assert len(acknowledged) > len(kept)
    return copy


@when("a copy is made there again", target_fixture="ran")
def is_copied_again(file: ProductFile, copy: Path) -> Ran:
    return run_vitrina("backup", file.path.parent, copy)


@when("the copy is to take the place of the catalog", target_fixture="ran")
def is_restored_over(file: ProductFile, copy: Path) -> Ran:
    return run_vitrina("restore", copy, file.path.parent)


@when("a catalog is made of the copy", target_fixture="ran")
def is_restored(copy: Path, tmp_path: Path) -> Ran:
    return run_vitrina("restore", copy, tmp_path / "restored")


@when("a catalog is made of the copy and served", target_fixture="restored")
def is_restored_and_served(copy: Path, tmp_path: Path) -> Iterator[Shop]:
    assert is_restored(copy, tmp_path).returncode == 0
    with RunningService(tmp_path / "restored") as service:
        yield Shop(service.client)


@when("the operator checks the catalog", target_fixture="ran")
def is_checked(file: ProductFile) -> Ran:
    return run_vitrina("verify", file.path.parent)


@when("the operator serves the catalog", target_fixture="ran")
def is_served_in_vain(file: ProductFile) -> Ran:
    return run_vitrina("serve", file.path.parent, "--port", "0")


@when("the operator repairs the catalog", target_fixture="ran")
def is_repaired(file: ProductFile) -> Ran:
    return run_vitrina("repair", file.path.parent)


@when("the service is started again")
def is_started_again(service: RunningService) -> None:
    service.start()


@then("every product is as it was when the copy was made, to the byte")
def is_as_it_was(restored: Shop, kept: Bodies) -> None:
    assert bodies(restored) == kept


@then(parsers.re(rf"the past of {PRODUCT} has (?P<count>\d+) versions"))
def past_has(restored: Shop, product: str, count: str) -> None:
    past = items(restored.client.get(f"{restored.path(product)}/history").json())
    assert [each["version"] for each in past] == list(range(int(count), 0, -1))


@then("every product that was acknowledged before is there")
def acknowledged_are_there(restored: Shop, kept: Bodies) -> None:
    there = bodies(restored)
    assert {each: there.get(each) for each in kept} == kept


@then("none is half there")
def none_is_half_there(restored: Shop) -> None:
    for key, product in restored.everything().items():
        assert product["version"] == 1
        assert restored.client.get(f"/v1/products/by-slug/{product['slug']}").json()["id"] == key


@then(parsers.parse('the command fails and speaks of "{words}"'))
def command_fails(ran: Ran, words: str) -> None:
    assert ran.returncode == 1, ran.stdout
    assert words in ran.stderr


@then(parsers.parse('the command succeeds and speaks of "{words}"'))
def command_succeeds(ran: Ran, words: str) -> None:
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert words in ran.stdout
