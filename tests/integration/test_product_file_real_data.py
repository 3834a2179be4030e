"""Files of other programs, as published: readable or clearly refused, and rewritten with care."""

import io
import json

import pytest
import zstandard

from tests.shared_data import shared_data
from vitrina.adapters.product_file import (
    Format,
    Merge,
    ProductFile,
    Severity,
    UnreadableFile,
    Validated,
    compare,
    detect_format,
    parse,
    render,
    resolve_categories,
    validate,
)
from vitrina.domain.category import CategoryTree
from vitrina.service_layer.documents import write_product


def load(data: bytes, name: str) -> tuple[ProductFile, Validated, CategoryTree]:
    file = parse(data, detect_format(name, data), currency="USD")
    resolved, made = resolve_categories(file, CategoryTree())
    tree = CategoryTree({category.id: category for category in made})
    return resolved, validate(resolved), tree


@pytest.mark.parametrize(
    ("name", "rows", "products"),
    [
        ("typesense-bestbuy/ecommerce.json", 3291, 3291),
        ("dummyjson/products.json", 194, 194),
        ("dummyjson/raw-products.json", 194, 194),
        ("magento/ConfigurableSampleData__products.csv", 1994, 1994),
        ("magento/CatalogSampleData__SimpleProduct__products_gear_bags.csv", 14, 14),
        ("shopify-product-csvs/apparel.csv", 22, 20),
        ("shopify-product-csvs/home-and-garden.csv", 21, 20),
        ("shopify-product-csvs/jewelery.csv", 41, 20),
        ("medusa/v1-template.csv", 5, 3),
        ("medusa/exported-products-comma.csv", 3, 1),
        ("medusa/exported-products-semicolon.csv", 3, 1),
    ],
)
def test_a_file_of_another_program_is_served_and_rewritten(
    name: str, rows: int, products: int
) -> None:
    data = shared_data(name).read_bytes()
    file, validated, tree = load(data, name)
    assert (len(file.rows), len(validated.products)) == (rows, products)
    refused = {p.line for p in validated.file.problems if p.severity is Severity.ERROR} - {1}
    assert len(refused) == rows - products, "each refused row has a problem that names its line"
    documents = {key: write_product(each) for key, each in validated.products.items()}
    assert render(file, dict(documents), tree) == data
    assert compare(validated.file, validated.file, documents.get) == Merge()
    some = list(documents)[len(documents) // 2]
    priced = documents[some] | {"price": {"amount": "77", "currency": "USD"}, "list_price": None}
    written = render(file, {some: priced}, tree)
    before, after = data.splitlines(keepends=True), written.splitlines(keepends=True)
    assert len(before) == len(after)
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1
    again = parse(written, file.format, currency="USD")
    assert list(again.accepted) == list(file.accepted)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("django-oscar/books.essential.csv", "no_header"),
        ("django-oscar/books-small-semicolon.csv", "no_header"),
        ("magento/CatalogSampleData__attributes.csv", "no_header"),
        ("magento/ProductLinksSampleData__upsell.csv", "no_title_column"),
    ],
)
def test_a_file_that_holds_no_products_is_refused(name: str, code: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        load(shared_data(name).read_bytes(), name)
    assert caught.value.code == code


def test_comma_and_semicolon_twins_say_the_same() -> None:
    twins = [
        load(shared_data(f"medusa/exported-products-{each}.csv").read_bytes(), "x.csv")[0]
        for each in ("comma", "semicolon")
    ]
    left, right = ([row.document for row in file.rows] for file in twins)
    assert left == right


def test_products_without_ids_get_the_same_ones_at_each_start_and_in_any_order() -> None:
    data = shared_data("typesense-bestbuy/ecommerce.json").read_bytes()
    items = json.loads(data)
    ids = list(parse(data, Format.JSON, currency="USD").accepted)
    assert ids == list(parse(data, Format.JSON, currency="USD").accepted)
    assert len(set(ids)) == 3291
    turned = parse(json.dumps(items[::-1]).encode(), Format.JSON, currency="USD")
    assert set(turned.accepted) == set(ids)


def test_a_large_catalog_of_json_lines() -> None:
    packed = shared_data("vespa-amazon/data_0_1_0.json.zst").read_bytes()
    text = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed)), "utf-8")
    lines = []
    for line in text:
        item = json.loads(line)
        fields = {name: value for name, value in item["fields"].items() if name != "price"}
        lines.append(json.dumps({"id": item["put"].split("::")[1], **fields}, ensure_ascii=False))
    data = "\n".join(lines).encode()
    file = parse(data, Format.JSONL, currency="USD")
    assert len(file.rows) == 24_576
    assert render(file, {}, CategoryTree()) == data
    codes = {p.code for p in validate(file).file.problems if p.severity is Severity.ERROR}
    assert codes <= {"required", "too_short", "too_long", "wrong_type", "duplicate_id"}
