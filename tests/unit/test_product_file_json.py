"""Product files in JSON and JSON Lines: native and foreign objects, strictness, small edits."""

from dataclasses import replace
from typing import Any

import pytest

from tests.builders import FULL, LAMP, eur
from vitrina.adapters.product_file import (
    Format,
    ProductFile,
    Severity,
    UnreadableFile,
    parse,
    render,
    resolve_categories,
    validate,
)
from vitrina.domain.category import CategoryTree
from vitrina.domain.product import Image, Rating
from vitrina.service_layer.documents import Document, write_product

NO_CATEGORIES = CategoryTree()


def read(text: str | bytes, file_format: Format = Format.JSON) -> ProductFile:
    data = text if isinstance(text, bytes) else text.encode()
    return validate(parse(data, file_format, currency="EUR")).file


def one(members: str) -> Document:
    """Return what an object with these members besides id and title gives."""
    file = read(f'[{{"id": "1", "title": "x", {members}}}]')
    assert not any(each.severity is Severity.ERROR for each in file.problems), file.problems
    return {k: v for k, v in file.rows[0].document.items() if k not in {"id", "title"}}


def found(file: ProductFile) -> list[tuple[int, int, str, str]]:
    return [(p.line, p.column, p.header, p.code) for p in file.problems]


def document(file: ProductFile, product_id: str, **changes: Any) -> Document:
    return write_product(replace(validate(file).products[product_id], **changes))


def written(text: str, product_id: str, file_format: Format = Format.JSON, **changes: Any) -> str:
    file = read(text, file_format)
    edits: dict[str, Document | None] = {product_id: document(file, product_id, **changes)}
    return render(file, edits, NO_CATEGORIES).decode()


PRETTY = """[
  {
    "id": "A",
    "name": "Desk \\u006camp",
    "price": 12.90,
    "color": "red",
    "dimensions": { "width": 15.140, "box": {"depth": 3} },
    "reviews": [{"stars": 5}]
  },
  {"id": "B", "title": "Rug"}
]
"""


class TestAnEdit:
    def test_touches_only_the_members_that_changed(self) -> None:
        text = written(PRETTY, "A", price=eur("11.00"), brand="Acme")
        assert text == PRETTY.replace("12.90", "11.00").replace(
            '"reviews": [{"stars": 5}]\n', '"reviews": [{"stars": 5}],\n    "brand": "Acme"\n'
        )

    def test_reaches_into_objects_that_were_flattened(self) -> None:
        product = validate(read(PRETTY)).products["A"]
        attributes = {**product.attributes, "dimensions.width": 16, "bulb": "E27"}
        del attributes["color"]
        text = written(PRETTY, "A", attributes=attributes)
        assert '"dimensions": { "width": 16, "box": {"depth": 3} },' in text
        assert '"attributes": {\n      "bulb": "E27"\n    }\n  },' in text
        assert '"color"' not in text
        assert '"price": 12.90,\n    "dimensions"' in text

    def test_of_nothing_keeps_every_byte(self) -> None:
        assert written(PRETTY, "A") == PRETTY

    def test_keeps_the_shape_of_values(self) -> None:
        text = (
            '[{"id": "1", "title": "x", "price": "5", "list_price": "9 EUR", "image": "http://a.b/c"},'
            ' {"id": "2", "title": "y", "price": {"amount": 5, "currency": "USD"},'
            ' "images": ["http://a.b/c"], "rating": 4}]'
        )
        file = read(text)
        image = (Image("http://a.b/d"),)
        changes: dict[str, Document | None] = {
            "1": document(file, "1", price=None, list_price=eur("10"), images=image),
            "2": document(file, "2", price=eur("6"), images=image, rating=Rating(5, 2)),
        }
        assert render(file, changes, NO_CATEGORIES).decode() == (
            '[{"id": "1", "title": "x", "list_price": "10 EUR", "image": "http://a.b/d"},'
            ' {"id": "2", "title": "y", "price": {"amount": "6", "currency": "EUR"},'
            ' "images": ["http://a.b/d"], "rating": 5, "rating_count": 2}]'
        )

    def test_writes_pictures_with_a_text_as_objects(self) -> None:
        text = written('[{"id": "1", "title": "x", "image": "http://a.b/c"}]', "1",
                       images=(Image("http://a.b/d", "A lamp"), Image("http://a.b/e")))  # fmt: skip
        assert text == (
            '[{"id": "1", "title": "x",'
            ' "image": [{"url": "http://a.b/d", "alt": "A lamp"}, {"url": "http://a.b/e"}]}]'
        )

    def test_changes_one_line_of_json_lines(self) -> None:
        text = '{"id":"A","title":"Lamp"}\r\n\r\n  {"id":"B",  "title":"Rug"}'
        assert written(text, "A", Format.JSONL, title="Lämp", brand="Acme") == (
            '{"id":"A","title":"Lämp","brand":"Acme"}\r\n\r\n  {"id":"B",  "title":"Rug"}'
        )

    def test_removes_and_appends_rows(self) -> None:
        file = read(PRETTY)
        text = render(file, {"A": None, "lamp": write_product(LAMP)}, NO_CATEGORIES).decode()
        assert text == (
            '[\n  {"id": "B", "title": "Rug"},\n  {\n    "id": "lamp",\n    "sku": "LAMP-1",\n'
            '    "title": "Desk lamp",\n    "price": {\n      "amount": "129.90",\n'
            '      "currency": "EUR"\n    }\n  }\n]\n'
        )
        lines = read('{"id": "A", "title": "x"}', Format.JSONL)
        assert render(lines, {"A": None}, NO_CATEGORIES) == b""
        more = render(lines, {"lamp": write_product(LAMP)}, NO_CATEGORIES).decode()
        assert more.startswith('{"id": "A", "title": "x"}\n{"id": "lamp", "sku"')
        assert not more.endswith("\n")

    def test_pins_an_id_that_would_change(self) -> None:
        text = '[{"sku": "S-1", "title": "x"}, {"title": "y"}, {"title": "y"}]'
        file = read(text)
        _, first, second = file.accepted
        changes: dict[str, Document | None] = {"S-1": document(file, "S-1", sku="S-2"), first: None}
        out = render(file, changes, NO_CATEGORIES).decode()
        assert (
            out
            == f'[{{"sku": "S-2", "title": "x", "id": "S-1"}}, {{"title": "y", "id": "{second}"}}]'
        )

    def test_leaves_refused_rows_alone(self) -> None:
        text = '[{"id": "A", "title": 5}, 7, {"id": "B", "title": "x"}]'
        file = read(text)
        assert (
            render(file, {"A": write_product(replace(LAMP, id="A"))}, NO_CATEGORIES).decode()
            == text
        )

    def test_fills_a_full_product_in(self) -> None:
        file = read("[]")
        again = validate(read(render(file, {FULL.id: write_product(FULL)}, NO_CATEGORIES)))
        assert again.products[FULL.id] == replace(FULL, slug=None)


class TestObjects:
    def test_of_other_programs_are_understood(self) -> None:
        assert one(
            '"vendor": "Acme", "stock": "7", "barcode": 4006381333931, "modelNo": "0042",'
            '"rating": {"rate": 4.5, "count": 3}, "published": true, "tags": "a, b",'
            '"image": ["http://a.b/1", {"src": "http://a.b/2", "alt_text": "t"}],'
            '"weightKg": 1.50, "sizes": [1, 2.50, true, "L"], "nothing": null, "status": "Published",'
            '"screen": {"value": 55, "unit": "in"}, "meta": {"a": {"b": {"c": 1}}, "qrCode": "q"}'
        ) == {
            "brand": "Acme",
            "quantity": 7,
            "gtin": "4006381333931",
            "mpn": "0042",
            "rating": {"average": 4.5, "count": 3},
            "tags": ["a", "b"],
            "images": [{"url": "http://a.b/1", "alt": ""}, {"url": "http://a.b/2", "alt": "t"}],
            "status": "active",
            "attributes": {
                "published": True,
                "weight_kg": 1.5,
                "sizes": ["1", "2.50", "true", "L"],
                "screen": {"value": 55, "unit": "in"},
                "meta.qr_code": "q",
            },
        }

    @pytest.mark.parametrize(
        ("member", "amount", "currency"),
        [
            ('"price": 12.90', "12.90", "EUR"),
            ('"price": 5', "5", "EUR"),
            ('"price": 1.5e1', "15", "EUR"),
            ('"price": "12.90 USD"', "12.90", "USD"),
            ('"price": {"amount": 12.90}', "12.90", "EUR"),
            ('"price": {"amount": "12.90", "currency": "JPY"}', "12.90", "JPY"),
            ('"price": 7, "currency": "JPY"', "7", "JPY"),
        ],
    )
    def test_prices_keep_their_digits(self, member: str, amount: str, currency: str) -> None:
        row = parse(f'[{{"title": "x", {member}}}]'.encode(), Format.JSON, currency="EUR").rows[0]
        assert row.document["price"] == {"amount": amount, "currency": currency}

    def test_attributes_keep_their_names(self) -> None:
        assert one('"attributes": {"Size XL": 1, "a": {"b c": true}}, "size": 2') == {
            "attributes": {"Size XL": 1, "a.b c": True, "size": 2}
        }

    @pytest.mark.parametrize(
        ("member", "path", "code"),
        [
            ('"reviews": [{"stars": 5}]', "reviews", "not_an_attribute"),
            ('"a": {"b": {"c": {"d": 1}}}', "a.b.c", "not_an_attribute"),
            ('"Color": "red", "color": "blue"', "color", "member_not_read"),
            ('"attributes": {"color": 1}, "color": 2', "color", "member_not_read"),
            ('"version": 3', "version", "member_not_read"),
            ('"rating": {"average": 4, "count": 1, "best": 5}', "rating.best", "member_not_read"),
            ('"brand": "Acme\\u0099"', "brand", "misread_character"),
            ('"image": "lamp.jpg"', "image", "invalid_url"),
        ],
    )
    def test_what_is_left_out_is_a_warning(self, member: str, path: str, code: str) -> None:
        file = read(
            f'[{{"id": "1", "title": "x", {member}}}, {{"id": "2", "title": "x", {member}}}]'
        )
        assert [(p.header, p.code, p.severity) for p in file.problems] == [
            (path, code, Severity.WARNING)
        ]
        assert list(file.accepted) == ["1", "2"]

    @pytest.mark.parametrize(
        ("member", "header", "code"),
        [
            ('"sku": 1.5', "sku", "wrong_type"),
            ('"price": true', "price", "wrong_type"),
            ('"price": [1]', "price", "wrong_type"),
            ('"price": "cheap"', "price", "invalid_amount"),
            ('"price": {"amount": "5", "tax": 1}', "price", "unknown_field"),
            ('"stock": "many"', "stock", "not_an_integer"),
            ('"stock": -1', "stock", "out_of_range"),
            ('"rating": {"average": 4, "count": -1}', "rating.count", "out_of_range"),
            ('"attributes": {"x": 1e400}', "attributes.x", "number_out_of_range"),
            ('"categories": 5', "categories", "wrong_type"),
            ('"tags": [["a"]]', "tags", "wrong_type"),
            ('"images": [5]', "images", "wrong_type"),
            ('"brand": 5', "brand", "wrong_type"),
            ('"ean": "123"', "ean", "invalid_gtin"),
        ],
    )
    def test_what_cannot_be_refuses_the_row_and_says_where(
        self, member: str, header: str, code: str
    ) -> None:
        text = f'[\n  {{"id": "1",\n   "title": "x", {member}}},\n  {{"id": "2", "title": "y"}}\n]'
        file = read(text)
        assert [(p.line, p.header, p.code) for p in file.problems] == [(3, header, code)]
        name = header.rsplit(".", maxsplit=1)[-1]
        assert file.problems[0].column == text.splitlines()[2].rindex(f'"{name}"') + 1
        assert list(file.accepted) == ["2"]


class TestStrictness:
    @pytest.mark.parametrize(
        ("line", "column", "code"),
        [
            ('{"id": "1", "title": "a", "title": "b"}', 27, "duplicate_name"),
            ('{"id": "1", "title": NaN}', 22, "not_json_number"),
            ('{"id": "1", "title": "\\ud800"}', 22, "lone_surrogate"),
            ('{"id": "1", "title": -Infinity}', 22, "not_json_number"),
            ('{"id": "1", "n": ' + "9" * 5000 + "}", 18, "number_too_long"),
            ("5", 1, "not_an_object"),
            ("null", 1, "not_an_object"),
        ],
    )
    def test_a_wrong_value_refuses_its_row(self, line: str, column: int, code: str) -> None:
        good = '{"id": "2", "title": "\\ud83d\\udecb"}'
        expected = [(2, column, "", code)]
        assert found(read(f"{good}\n{line}\n", Format.JSONL)) == expected
        array = read(f"[{good},\n{line}\n]")
        assert found(array) == expected
        assert list(array.accepted) == ["2"]

    @pytest.mark.parametrize(
        ("line", "column", "code"),
        [
            ('{"id": "1", "title": "a"', 25, "invalid_json"),
            ('{"id": "1" "title": "a"}', 12, "invalid_json"),
            ('{"id": 01}', 9, "invalid_json"),
            ("{id: 1}", 2, "invalid_json"),
            ('{"id" 1}', 7, "invalid_json"),
            ('{"id": }', 8, "invalid_json"),
            ('{"id": "a\tb"}', 8, "invalid_json"),
            ('{"id": "1"} 5', 13, "invalid_json"),
            ('{"a": ' + "[" * 64 + "]" * 64 + "}", 70, "too_deep"),
        ],
    )
    def test_a_line_that_is_no_json_is_refused_alone(
        self, line: str, column: int, code: str
    ) -> None:
        file = read(f'{line}\n{{"id": "2", "title": "x"}}\n', Format.JSONL)
        assert found(file) == [(1, column, "", code)]
        assert list(file.accepted) == ["2"]

    @pytest.mark.parametrize(
        ("text", "line", "column", "code"),
        [
            ("", 1, 1, "empty_file"),
            (" \n", 1, 1, "empty_file"),
            ("5", 1, 1, "not_a_product_list"),
            ('{"items": []}', 1, 1, "not_a_product_list"),
            ('{"products": {}}', 1, 1, "not_a_product_list"),
            ("[\n{},\n{]", 3, 2, "invalid_json"),
            ("[{}\n{}]", 2, 1, "invalid_json"),
            ("[{},]", 1, 5, "invalid_json"),
            ("[] x", 1, 4, "invalid_json"),
            ('{"products": []', 1, 16, "invalid_json"),
            ('{"products" []}', 1, 13, "invalid_json"),
            ('{"a": 1 "products": []}', 1, 9, "invalid_json"),
            ("[" * 66, 1, 66, "too_deep"),
        ],
    )
    def test_a_list_that_is_broken_says_where(
        self, text: str, line: int, column: int, code: str
    ) -> None:
        with pytest.raises(UnreadableFile) as caught:
            read(text)
        assert (caught.value.line, caught.value.column, caught.value.code) == (line, column, code)


def test_a_wrapped_list_keeps_what_is_around_it() -> None:
    text = '{"total": 1, "products": [ {"id": "A", "title": "x"} , {"id": "B", "title": "y"} ], "skip": 0}\n'
    assert written(text, "A", title="z") == text.replace('"x"', '"z"')


def test_categories_are_paths_or_ids() -> None:
    file, made = resolve_categories(
        read(
            '[{"title": "a", "categories": ["A", "B"]}, {"title": "b", "category": "A > B"},'
            '{"title": "c", "category": "A", "category_id": "own"}]'
        ),
        NO_CATEGORIES,
    )
    assert [(each.id, each.name, each.parent_id) for each in made] == [
        ("a", "A", None),
        ("a-b", "B", "a"),
    ]
    assert [row.document["category_id"] for row in file.rows] == ["a-b", "a-b", "own"]
    tree = CategoryTree({each.id: each for each in made})
    changes: dict[str, Document | None] = {
        row.id: document(file, row.id, category_id="a") for row in file.rows
    }
    assert render(file, changes, tree).decode() == (
        '[{"title": "a", "categories": ["A"]}, {"title": "b", "category": "A"},'
        '{"title": "c", "category": "A", "category_id": "a"}]'
    )
