"""The example catalogs are what their scripts make of the published data."""

import csv
import json
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import yaml

from tests.shared_data import ROOT, shared_data

EXAMPLES = ROOT / "examples"
SHOP = EXAMPLES / "shop"


def run_script(name: str, *arguments: Path) -> None:
    subprocess.run([sys.executable, EXAMPLES / name, *arguments], check=True)


def shop_rows() -> list[dict[str, str]]:
    with (SHOP / "products.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_shop_is_made_again_to_the_same_bytes(tmp_path: Path) -> None:
    run_script("make_shop.py", shared_data("aws-retail-demo/products.yaml"), tmp_path)

    for name in ("products.csv", "categories.json"):
        assert (tmp_path / name).read_bytes() == (SHOP / name).read_bytes()


def test_the_shop_holds_what_the_source_holds() -> None:
    with shared_data("aws-retail-demo/products.yaml").open(encoding="utf-8") as file:
        source = yaml.load(file, Loader=yaml.CSafeLoader)

    rows = shop_rows()

    assert [row["id"] for row in rows] == [each["id"] for each in source]
    for row, each in zip(rows, source, strict=True):
        assert row["title"] == each["name"]
        assert row["description"] == each["description"]
        assert Decimal(row["price"].removesuffix(" USD")) == Decimal(str(each["price"]))
        assert int(row["quantity"]) == each["current_stock"]
        assert row["style"] == each["style"]
        assert row["tags"] == "|".join(each.get("aliases", []))
        assert row["gender_affinity"] == each.get("gender_affinity", "")
        assert row["promoted"] == ("true" if each.get("promoted") else "")
        assert row["image_file"] == each["image"]
        assert row["image_license"] == (each.get("image_license") or "")
        assert row["image_source"] == (each.get("link") or "")


def test_every_product_of_the_shop_has_its_place_in_the_tree() -> None:
    tree = json.loads((SHOP / "categories.json").read_text(encoding="utf-8"))
    parents = {each["id"]: each["parent_id"] for each in tree}

    used = Counter(row["category_id"] for row in shop_rows())

    assert sum(used.values()) == 2465
    assert sum(1 for parent in parents.values() if parent is None) == 20
    assert used.keys() == {each for each, parent in parents.items() if parent is not None}


def test_the_amazon_catalog_leaves_no_product_out(tmp_path: Path) -> None:
    run_script("make_amazon.py", shared_data("vespa-amazon/data_0_1_0.json.zst"), tmp_path)

    lines = (tmp_path / "products.jsonl").read_text(encoding="utf-8").split("\n")
    products = [json.loads(line) for line in lines if line]

    assert len({each["id"] for each in products}) == 24_576
    assert all(each["title"] for each in products)
    assert sum(1 for each in products if each["price"] is None) == 167
    assert products[0]["price"] == {"amount": "23.34", "currency": "USD"}
    (untitled,) = [each for each in products if each["id"] == "120095940"]
    assert untitled["title"] == "Enchanted Unicorn Teapot"
