"""What holds for every product file: reading undoes writing, and nothing else is touched."""

from hypothesis import HealthCheck, given, settings, strategies as st

from tests.products import documents
from vitrina.adapters.product_file import Format, ProductFile, parse, render, validate
from vitrina.adapters.product_file.flat import flatten, same, stated
from vitrina.domain.category import CategoryTree
from vitrina.service_layer.document_reading import read_product
from vitrina.service_layer.documents import Document, write_product

FILES = {
    "csv": (Format.CSV, b"id,title,price\nlamp,Desk lamp,12.90\nrug,Rug,\n"),
    "empty csv": (Format.CSV, b"title,price,stock,tags"),
    "semicolons": (Format.CSV, b"\xef\xbb\xbfTitle;Price;Color;Status\r\nLamp;12,90;red;draft\r\n"),
    "all quoted": (Format.CSV, b'"sku","name","brand"\n"A-1","Lamp","Acme"'),
    "tabs": (Format.CSV, "name\tvendor\timage\tbarcode\nLamp\tÆrø\t\t\n".encode()),
    "currency": (Format.CSV, b"name|price|currency|rating\nLamp|5|JPY|4.5\nRug|7||\n"),
    "utf-16": (
        Format.CSV,
        b"\xff\xfe" + "name,Price (EUR),category\nLamp,5,A > B\n".encode("utf-16-le"),
    ),
    "old mac": (Format.CSV, b"name,slug,availability\rLamp,lamp-1,in stock\r"),
    "json": (Format.JSON, b'[\n  {"id": "lamp", "name": "Desk lamp", "price": 12.90}\n]\n'),
    "tight json": (Format.JSON, b'[{"name":"Lamp","attributes":{"color":"red"}},{"name":"Lamp"}]'),
    "empty json": (Format.JSON, b"[]"),
    "wrapped": (
        Format.JSON,
        b'{"total": 1, "products": [{"title": "Lamp", "image": "http://a.b/c"}]}',
    ),
    "pretty": (
        Format.JSON,
        b'[\r\n\t{\r\n\t\t"sku": 5,\r\n\t\t"title": "Lamp",\r\n\t\t"rating": {"rate": 4, "count": 2}\r\n\t}\r\n]',
    ),
    "jsonl": (Format.JSONL, b'{"id":"lamp","title":"Desk lamp"}\n\n{"title":"Rug","rating":4.5}\n'),
    "open jsonl": (Format.JSONL, b'{"title": "Rug", "price": "5 EUR", "category": ["A", "B"]}'),
    "empty jsonl": (Format.JSONL, b""),
}


def read(name: str) -> ProductFile:
    file_format, data = FILES[name]
    return parse(data, file_format, currency="EUR")


def reread(file: ProductFile, data: bytes) -> ProductFile:
    return parse(data, file.format, currency=file.currency)


def assert_says(file: ProductFile, product_id: str, document: Document) -> None:
    """Check that the file gives *document*: valid, and equal field by field."""
    row = file.accepted[product_id]
    validated = validate(file)
    assert product_id in validated.products, validated.file.problems
    product = validated.products[product_id]
    expected = read_product(document)
    given_, wanted = write_product(product), write_product(expected)
    left, right = stated(flatten(given_)), stated(flatten(wanted))
    left.pop("slug", None)
    right.pop("slug", None)
    for name in left.keys() | right.keys():
        assert same(left.get(name), right.get(name)), (
            name,
            left.get(name),
            right.get(name),
            row.raw,
        )


@given(st.sampled_from(sorted(FILES)), st.lists(documents(), min_size=1, max_size=2), st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_written_product_is_read_back_the_same(
    name: str, drawn: list[Document], data: st.DataObject
) -> None:
    file = read(name)
    assert not file.problems
    targets = enumerate(zip(_targets(file, data), drawn, strict=False))
    changes = {key: _distinct({**document, "id": key}, n) for n, (key, document) in targets}
    written = render(file, changes, CategoryTree())
    again = reread(file, written)
    assert list(again.accepted) == [*file.accepted, *(changes.keys() - file.accepted.keys())]
    for key, document in changes.items():
        assert_says(again, key, document)
    for key in file.accepted.keys() - changes.keys():
        assert again.accepted[key].document == file.accepted[key].document
    assert render(again, changes, CategoryTree()) == written


def _targets(file: ProductFile, data: st.DataObject) -> list[str]:
    """Choose products to write: any that are there, and at most one that is new."""
    return data.draw(st.permutations([*file.accepted, "new-1"]))


def _distinct(document: Document, number: int) -> Document:
    """Keep the SKUs and slugs of products apart, as the catalog does."""
    if not number:
        return document
    return {**document, "sku": document["sku"] and f"{document['sku']}x"[-128:], "slug": "other"}
