"""``vitrina serve`` on real product data, each catalog as a person would have it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running import RunningService
from tests.shared_data import ROOT, shared_data

EXAMPLES = ROOT / "examples"


def total(service: RunningService) -> int:
    answer = service.client.get("/v1/products", params={"limit": 1})
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    assert len(found["items"]) == 1
    count: int = found["total"]
    return count


def all_products(service: RunningService) -> dict[str, dict[str, Any]]:
    """Follow the pages to the end."""
    found: dict[str, dict[str, Any]] = {}
    address: str | None = "/v1/products?limit=200"
    while address is not None:
        answer = service.client.get(address)
        answer.raise_for_status()
        for product in answer.json()["items"]:
            assert product["id"] not in found
            found[product["id"]] = product
        address = answer.links["next"]["url"] if "next" in answer.links else None
    return found


@pytest.fixture(scope="module")
def amazon(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("amazon")
    source = shared_data("vespa-amazon/data_0_1_0.json.zst")
    subprocess.run([sys.executable, EXAMPLES / "make_amazon.py", source, folder], check=True)
    return folder


@pytest.fixture(scope="module")
def amazon_service(amazon: Path) -> Iterator[RunningService]:
    with RunningService(amazon) as service:
        yield service


def test_the_shop_is_served_and_its_file_keeps_every_byte(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(EXAMPLES / "shop", folder, ignore=shutil.ignore_patterns(".vitrina"))
    before = (folder / "products.csv").read_bytes()

    with RunningService(folder) as service:
        assert total(service) == 2465
        product = service.client.get("/v1/products/6579c22f-be2b-444c-a52b-0116dd82df6c").json()

    assert product["title"] == "Adventure-Ready Expedition Backpack"
    assert product["price"] == {"amount": "129.99", "currency": "USD"}
    assert product["category_id"] == "accessories.backpack"
    assert product["attributes"]["style"] == "backpack"
    assert (folder / "products.csv").read_bytes() == before


def test_one_product_of_the_shop_patched_is_one_line_of_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(EXAMPLES / "shop", folder, ignore=shutil.ignore_patterns(".vitrina"))
    before = (folder / "products.csv").read_bytes().split(b"\n")

    with RunningService(folder) as service:
        path = "/v1/products/2e852905-c6f4-47db-802c-654013571922"
        service.client.patch(path, json={"quantity": 14}).raise_for_status()

    after = (folder / "products.csv").read_bytes().split(b"\n")
    different = [place for place, line in enumerate(before) if line != after[place]]
    assert len(after) == len(before)
    assert different == [2]
    assert after[2] == before[2].replace(b"149.99 USD,15,", b"149.99 USD,14,")


def test_all_amazon_products_are_served(amazon_service: RunningService) -> None:
    assert total(amazon_service) == 24_576


def test_the_pages_of_the_amazon_catalog_hold_each_product_once(
    amazon_service: RunningService,
) -> None:
    products = all_products(amazon_service)

    assert len(products) == 24_576
    assert products["120337225"]["price"] == {"amount": "23.34", "currency": "USD"}
    assert products["120095940"]["title"] == "Enchanted Unicorn Teapot"


def test_the_best_buy_products_get_ids_that_stay(tmp_path: Path) -> None:
    path = Path(shutil.copy(shared_data("typesense-bestbuy/ecommerce.json"), tmp_path))
    before = path.read_bytes()

    with RunningService(path) as service:
        first = all_products(service)
        assert total(service) == len(first)
    shutil.rmtree(tmp_path / ".vitrina")
    with RunningService(path) as service:
        second = all_products(service)

    assert len(first) == 3291
    assert first.keys() == second.keys()
    assert {each: first[each]["title"] for each in first} == {
        each: second[each]["title"] for each in second
    }
    assert path.read_bytes() == before


def test_five_hand_written_columns_are_a_catalog(tmp_path: Path) -> None:
    path = Path(shutil.copy(EXAMPLES / "five-columns.csv", tmp_path))
    before = path.read_bytes()

    with RunningService(path) as service:
        first = all_products(service)
    shutil.rmtree(tmp_path / ".vitrina")
    with RunningService(path) as service:
        second = all_products(service)

    by_sku = {each["sku"]: each for each in first.values()}
    lamp = by_sku["LAMP-WAL-01"]
    assert lamp["title"] == "Walnut desk lamp"
    assert lamp["price"] == {"amount": "129.90", "currency": "EUR"}
    assert lamp["quantity"] == 12
    assert lamp["attributes"] == {"color": "walnut"}
    assert by_sku["TRIV-CRK-02"]["availability"] == "out_of_stock"
    assert first.keys() == second.keys()
    assert len(first) == 5
    assert path.read_bytes() == before
