"""Product files in CSV: what is read, what is refused and why, and which bytes a change touches."""

from dataclasses import replace
from itertools import zip_longest
from typing import Any

import pytest

from tests.builders import FULL, LAMP, eur
from vitrina.adapters.product_file import (
    FileProblem,
    Format,
    ProductFile,
    Severity,
    UnreadableFile,
    detect_format,
    new_file,
    parse,
    render,
    resolve_categories,
    validate,
)
from vitrina.domain.category import Category, CategoryTree
from vitrina.domain.product import Product
from vitrina.service_layer.documents import Document, write_product

NO_CATEGORIES = CategoryTree()


def read(text: str | bytes, currency: str = "EUR") -> ProductFile:
    data = text if isinstance(text, bytes) else text.encode()
    return validate(parse(data, Format.CSV, currency=currency)).file


def one(text: str | bytes) -> Document:
    """Return the document of the only row."""
    (row,) = read(text).accepted.values()
    return {name: value for name, value in row.document.items() if name not in {"id", "title"}}


def cell(header: str, text: str) -> Any:
    """Return what one cell gives to a product."""
    return next(iter(one(f"id,title,{header}\n1,x,{text}\n").values()))


def problems(text: str | bytes) -> list[tuple[int, int, str, str, str]]:
    return [(p.line, p.column, p.header, p.value, p.code) for p in read(text).problems]


def refusal(data: bytes | str) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as caught:
        read(data)
    return caught.value


def changed_lines(before: bytes, after: bytes) -> list[tuple[bytes | None, bytes | None]]:
    pairs = zip_longest(before.splitlines(keepends=True), after.splitlines(keepends=True))
    return [pair for pair in pairs if pair[0] != pair[1]]


def document(file: ProductFile, product_id: str, **changes: Any) -> Document:
    """Return the catalog's document of a row, with some fields changed."""
    product = validate(file).products[product_id]
    return write_product(replace(product, **changes))


FORMS = {
    "commas": b'id,title,price,note\nA,Lamp,12.90,"x, y"\nB,Rug,5.00,"two\nlines"\nC,Mat,7,\n',
    "semicolons": b'id;title;price;note\r\nA;Lamp;12,90 EUR;"x; y"\r\nB;Rug;5,00;say "hi"\r\nC;;;\r\n',
    "mark and tabs": b'\xef\xbb\xbfid\ttitle\tprice\r\nA\tLamp\t12.90\r\nB\t"Rug "\t5\r\n',
    "all quoted": b'"id","title","price"\n"A","Lamp","12.90"\n"B","Rug ""x""",""\n',
    "open end": b"id,title,price\nA,Lamp,12.90\nB,Rug,5",
    "old mac": b"id|title|price\rA|Lamp|12.90\rB|Rug|5\r",
    "blank lines": b"sep=,\nid,title,price\n\nA,Lamp,1\n,,\nB,Rug,2\n\n\n",
    "utf-16": b"\xff\xfe" + "id,title,price\r\nA,Lämp,1\r\nB,Rug,2\r\n".encode("utf-16-le"),
    "loose": b'id , title , price\n A ,  Lamp, 12.90 \nB,"Rug" , 5\n',
}


@pytest.mark.parametrize("form", FORMS)
def test_nothing_changed_is_the_same_bytes(form: str) -> None:
    file = read(FORMS[form])
    assert {"A", "B"} <= file.accepted.keys()
    assert render(file, {}, NO_CATEGORIES) == FORMS[form]
    same: dict[str, Document | None] = {key: document(file, key) for key in file.accepted}
    assert render(file, same, NO_CATEGORIES) == FORMS[form]


@pytest.mark.parametrize(
    ("form", "old", "new"),
    [
        ("commas", b'B,Rug,5.00,"two\n', b'B,Rug,6.50,"two\n'),
        ("semicolons", b'B;Rug;5,00;say "hi"\r\n', b'B;Rug;6.50;say "hi"\r\n'),
        ("mark and tabs", b'B\t"Rug "\t5\r\n', b'B\t"Rug "\t6.50\r\n'),
        ("all quoted", b'"B","Rug ""x""",""\n', b'"B","Rug ""x""","6.50"\n'),
        ("open end", b"B,Rug,5", b"B,Rug,6.50"),
        ("old mac", b"B|Rug|5\r", b"B|Rug|6.50\r"),
        ("blank lines", b"B,Rug,2\n", b"B,Rug,6.50\n"),
        ("loose", b'B,"Rug" , 5\n', b'B,"Rug" ,6.50\n'),
    ],
)
def test_one_changed_price_changes_one_line(form: str, old: bytes, new: bytes) -> None:
    file = read(FORMS[form])
    written = render(file, {"B": document(file, "B", price=eur("6.50"))}, NO_CATEGORIES)
    assert changed_lines(FORMS[form], written) == [(old, new)]


def test_a_utf_16_file_stays_one() -> None:
    file = read(FORMS["utf-16"])
    written = render(file, {"A": document(file, "A", title="Läsk")}, NO_CATEGORIES)
    assert written.decode("utf-16").splitlines()[1] == "A,Läsk,1"


def test_a_removed_product_takes_only_its_row() -> None:
    file = read(FORMS["commas"])
    assert changed_lines(FORMS["commas"], render(file, {"C": None}, NO_CATEGORIES)) == [
        (b"C,Mat,7,\n", None)
    ]


def test_every_row_of_a_removed_product_goes_so_that_none_brings_it_back() -> None:
    file = read("id,title\nA,Lamp\nB,Rug\nA,Lamp again\n")
    assert render(file, {"A": None}, NO_CATEGORIES) == b"id,title\nB,Rug\n"


def test_a_new_product_is_written_in_the_style_of_the_file() -> None:
    file = read(b'"id";"title";"price"\r\n"A";"Lamp";"5 EUR"')
    written = render(file, {"lamp": write_product(LAMP)}, NO_CATEGORIES)
    assert written == (
        b'"id";"title";"price";"sku"\r\n"A";"Lamp";"5 EUR";""\r\n"lamp";"Desk lamp";"129.90 EUR";"LAMP-1"'
    )


def test_columns_are_added_only_for_what_has_none_and_is_not_derived() -> None:
    file = read("id,title\nA,Lamp\nB,Rug\n")
    plain = document(file, "A", quantity=0)
    assert render(file, {"A": plain}, NO_CATEGORIES) == b"id,title,quantity\nA,Lamp,0\nB,Rug,\n"
    full = write_product(FULL)
    written = render(file, {"Full.1_~:-": full}, NO_CATEGORIES)
    assert written.splitlines()[0] == (
        b"id,title,sku,description,status,brand,category_id,condition,price,list_price,quantity,"
        b"availability,gtin,mpn,images,tags,rating,rating_count,url,color,ports,ratio,screen,weight,"
        b"wireless"
    )


def test_a_refused_row_keeps_its_bytes_and_is_not_appended_again() -> None:
    data = b"id,title,price\nA,Lamp,cheap\nB,Rug,1\n"
    file = read(data)
    assert render(file, {"A": write_product(replace(LAMP, id="A"))}, NO_CATEGORIES) == data


def test_a_row_with_surplus_empty_cells_is_fine_and_stays_in_line_with_a_new_column() -> None:
    file = read("id,title\nA,Lamp,,\nB,Rug\n")
    assert not file.problems
    written = render(file, {"B": document(file, "B", brand="Acme")}, NO_CATEGORIES)
    assert written == b"id,title,brand\nA,Lamp,,\nB,Rug,Acme\n"


class TestIdentity:
    def test_is_what_the_row_states_or_what_identifies_it(self) -> None:
        file = read(
            "id,sku,gtin,handle,name\n007,x,,,a\n,SKU-1,,,b\n,Not an id!,,,c\n"
            ",,4006381333931,,d\n,,,nice-lamp,e\n,,,,f\n,,,,f\n"
        )
        ids = list(file.accepted)
        assert ids[:2] == ["007", "SKU-1"]
        assert ids[3:5] == ["4006381333931", "nice-lamp"]
        assert ids[6] == f"{ids[5]}-2"
        assert all(each.startswith("p-") and len(each) >= 34 for each in (ids[2], ids[5]))

    def test_is_the_same_at_every_start(self) -> None:
        made = "p-67e3351704fe1e1338bc20c3b73f7f7e"
        assert list(read("name\nLamp\n").accepted) == [made]
        assert list(read("price;name\n1;Lamp\n").accepted) == [made]

    def test_does_not_change_when_what_it_was_made_of_does(self) -> None:
        data = "sku,title\nS-1,Lamp\nS-2,Rug\n"
        file = read(data)
        written = render(file, {"S-1": document(file, "S-1", sku="S-9")}, NO_CATEGORIES)
        assert written == b"sku,title,id\nS-9,Lamp,S-1\nS-2,Rug,\n"
        assert list(read(written).accepted) == ["S-1", "S-2"]

    def test_that_was_derived_is_not_written_down_without_need(self) -> None:
        file = read("id,sku,title\n,S-1,Lamp\n")
        written = render(file, {"S-1": document(file, "S-1", title="Rug")}, NO_CATEGORIES)
        assert written == b"id,sku,title\n,S-1,Rug\n"

    def test_does_not_shift_when_a_twin_is_removed(self) -> None:
        file = read("title,price\nLamp,1\nLamp,2\nRug,3\n")
        first, second, rug = file.accepted
        written = render(file, {first: None}, NO_CATEGORIES)
        assert list(read(written).accepted) == [second, rug]
        assert written.splitlines()[0] == b"title,price,id"

    def test_of_a_new_product_is_written_where_it_would_be_lost(self) -> None:
        file = read("sku,title\nS-1,Lamp\n")
        kept = render(
            file,
            {"S-2": write_product(Product(id="S-2", sku="S-2", title="x", slug="x"))},
            NO_CATEGORIES,
        )
        assert kept == b"sku,title\nS-1,Lamp\nS-2,x\n"
        lost = render(
            file,
            {"q": write_product(Product(id="q", sku="S-2", title="x", slug="x"))},
            NO_CATEGORIES,
        )
        assert lost == b"sku,title,id\nS-1,Lamp,\nS-2,x,q\n"

    def test_belongs_to_the_first_of_two_rows(self) -> None:
        file = read("id,title\nA,Lamp\nB,x\nA,Rug\n")
        assert file.accepted["A"].document["title"] == "Lamp"
        assert problems("id,title\nA,Lamp\nA,Rug\n") == [(3, 1, "id", "A", "duplicate_id")]
        assert "line 2" in file.problems[0].detail

    def test_must_be_an_id(self) -> None:
        assert problems("id,title\na b,Lamp\n") == [(2, 1, "id", "a b", "invalid_id")]

    def test_is_no_word_of_the_paths(self) -> None:
        """A product of this id could never be read: its path is another resource's."""
        assert problems("id,title\nbulk,Rug\n") == [(2, 1, "id", "bulk", "reserved_id")]
        (made,) = read("sku,title\ncompare,Lamp\n").accepted
        assert made != "compare"


class TestHeaders:
    @pytest.mark.parametrize(
        ("header", "field"),
        [
            ("Vendor", "brand"),
            ("manufacturer", "brand"),
            ("Current Stock", "quantity"),
            ("compare-at price", "list_price"),
            ("MSRP", "list_price"),
            ("Article Number", "sku"),
            ("Body (HTML)", "description"),
            ("EAN", "gtin"),
            ("image_link", "images"),
            ("ModelNo", "mpn"),
            ("Screen Size (in)", "attributes.screen_size_in"),
            ("screenSize", "attributes.screen_size"),
            ("attr.Größe", "attributes.Größe"),
            ("attributes.title", "attributes.title"),
            ("Price (EUR)", "price"),
            ("List price USD", "list_price"),
            ("version", None),
            ("title:pt-BR", None),
            ("", None),
        ],
    )
    def test_are_understood(self, header: str, field: str | None) -> None:
        assert read(f"title,{header}\n").columns[1].field == field

    def test_the_best_name_of_a_field_wins_and_the_others_are_attributes(self) -> None:
        fields = [c.field for c in read("name,title,EAN,barcode,Price USD,Price EUR\n").columns]
        assert fields == [
            "attributes.name", "title", "gtin", "attributes.barcode", "price",
            "attributes.price_eur",
        ]  # fmt: skip

    def test_a_column_that_says_the_same_twice_is_reported_and_not_read(self) -> None:
        text = "title,Color,color,Brand,brand\nLamp,red,blue,A,B\n"
        assert problems(text) == [
            (1, 3, "color", "color", "duplicate_column"),
            (1, 5, "brand", "brand", "duplicate_column"),
        ]
        assert one(text) == {"brand": "A", "attributes": {"color": "red"}}

    def test_what_only_the_catalog_sets_is_a_note(self) -> None:
        (note,) = read("title,version\nLamp,3\n").problems
        assert (note.code, note.severity) == ("column_not_read", Severity.WARNING)


@pytest.mark.parametrize(
    ("data", "line", "column", "code"),
    [
        ("", 1, 1, "empty_file"),
        ("\n\n", 1, 1, "empty_file"),
        ("Lamp,12.90\nRug,5\n", 1, 1, "no_header"),
        ("\nid,price\n1,2\n", 2, 1, "no_title_column"),
        (b"title\nLamp\nR\xfcg\n", 3, 2, "invalid_encoding"),
        (b"\xff\xfet\x00\x00\xd8", 1, 2, "invalid_encoding"),
        (b"t\x00i\x00", 1, 2, "nul_character"),
        ("title\nL\u00e4mp\n".encode("utf-16-le"), 1, 2, "nul_character"),
        ('title,price\nLamp,1\n"Rug,2\nMat,3\n', 3, 1, "unclosed_quote"),
        ('title,"price"x\n', 1, 1, "stray_quote"),
        ("title" + ",x" * 16_384, 1, 1, "too_many_columns"),
    ],
)
def test_a_file_that_is_not_usable_says_where_and_why(
    data: str | bytes, line: int, column: int, code: str
) -> None:
    error = refusal(data)
    assert (error.line, error.column, error.code) == (line, column, code)
    assert error.detail.endswith((".", "price"))


def test_a_header_alone_is_a_catalog_without_products() -> None:
    assert not read("title\n").rows
    assert not read("title").problems


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("1,Lamp", (2, 3, "price", "", "too_few_cells")),
        ("1,Lamp,2,3", (2, 4, "", "3", "too_many_cells")),
        ('1,Lamp,"2"3', (2, 3, "price", '"2"3', "stray_quote")),
        ("1,Lamp," + "1" * 1_048_577, (2, 3, "price", "1" * 79 + "…", "cell_too_long")),
        ("1,Lamp,cheap", (2, 3, "price", "cheap", "invalid_amount")),
        ("1,Lamp,-5", (2, 3, "price", "-5", "invalid_amount")),
        ('1,Lamp,"1,299"', (2, 3, "price", "1,299", "ambiguous_amount")),
        ("1,Lamp,5 XYZ", (2, 3, "price", "5 XYZ", "unknown_currency")),
        ("1,Lamp,EUR 5 EUR", (2, 3, "price", "EUR 5 EUR", "invalid_amount")),
        ("1,Lamp,1.999", (2, 3, "price", "1.999", "too_many_digits")),
        ("1,,5", (2, 2, "title", "", "required")),
        ("4.00638E+12,Lamp,5", (2, 1, "id", "4.00638E+12", "scientific_notation")),
    ],
)
def test_a_wrong_row_says_where_and_why_and_the_others_are_read(
    row: str, problem: tuple[int, int, str, str, str]
) -> None:
    text = f"id,title,price\n{row}\n9,Rug,5\n"
    assert problems(text) == [problem]
    assert list(read(text).accepted) == ["9"]


def test_everything_wrong_with_a_row_is_reported_at_once() -> None:
    text = "id,title,price,gtin,color\nA,,cheap,4006381333930,red\n"
    assert [each[2:] for each in problems(text)] == [
        ("title", "", "required"),
        ("price", "cheap", "invalid_amount"),
        ("gtin", "4006381333930", "invalid_gtin"),
    ]


def test_a_row_that_nothing_identifies_is_refused() -> None:
    assert [each[4] for each in problems("title,price\n,5\n")] == ["unidentified", "required"]


def test_rows_that_share_a_sku_or_a_slug_are_reported() -> None:
    text = "id,title,sku,slug\n1,a,S,x\n2,b,S,x\n"
    assert problems(text) == [
        (3, 3, "sku", "S", "duplicate_sku"),
        (3, 4, "slug", "x", "duplicate_slug"),
    ]


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("12.90", "12.90", "EUR"),
        ("12.90 USD", "12.90", "USD"),
        ("USD 12.90", "12.90", "USD"),
        ("usd12", "12", "USD"),
        ("€12.90", "12.90", "EUR"),
        ("12.90 £", "12.90", "GBP"),
        ("$5", "5", "USD"),
        ("¥500", "500", "JPY"),
        ("R$ 5", "5", "BRL"),
        ('"12,90"', "12.90", "EUR"),
        ('"1,299.90 USD"', "1299.90", "USD"),
        ('"1.299,90"', "1299.90", "EUR"),
        ("1 299.90", "1299.90", "EUR"),
        ("1'299.90 CHF", "1299.90", "CHF"),
        ('"1,299,000"', "1299000", "EUR"),
        (".99", "0.99", "EUR"),
    ],
)
def test_money(text: str, amount: str, currency: str) -> None:
    assert cell("price", text) == {"amount": amount, "currency": currency}


def test_a_shared_symbol_means_the_catalogs_currency_when_it_can() -> None:
    file = read("id,title,price\n1,x,$5\n", currency="CAD")
    assert file.accepted["1"].document["price"] == {"amount": "5", "currency": "CAD"}
    assert problems("id,title,price\n1,x,5 kr\n")[0][4] == "unknown_currency"


def test_the_currency_of_a_bare_price_is_the_columns_the_rows_or_the_catalogs() -> None:
    file = read("id,title,Price (JPY),list price,currency\n1,a,5,6,\n2,b,,7,usd\n3,c,8,9 GBP,JPY\n")
    got = [row.document.get(name) for row in file.rows for name in ("price", "list_price")]
    currencies = [money["currency"] for money in got if isinstance(money, dict)]
    assert currencies == ["JPY", "EUR", "USD", "JPY", "GBP"]
    assert file.assumed_currency
    assert not read("id,title,price\n1,x,5 EUR\n").assumed_currency
    assert [each[4] for each in problems("id,title,currency\n1,x,EURO\n")] == ["unknown_currency"]


def test_a_changed_currency_is_written_into_its_column() -> None:
    file = read("id,title,price,currency\nA,Lamp,5,USD\nB,Rug,7,\n")
    written = render(
        file,
        {"A": document(file, "A", price=eur("6")), "B": document(file, "B", price=eur("8"))},
        NO_CATEGORIES,
    )
    assert written == b"id,title,price,currency\nA,Lamp,6,EUR\nB,Rug,8,\n"
    gone = render(file, {"A": document(file, "A", price=None)}, NO_CATEGORIES)
    assert gone == b"id,title,price,currency\nA,Lamp,,USD\nB,Rug,7,\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("red", "red"),
        ("TRUE", True),
        ("0", 0),
        ("-1.5", -1.5),
        ("1e3", 1000.0),
        ("007", "007"),
        ("1234567890123456789", "1234567890123456789"),
        ("0.1234567890123456789", "0.1234567890123456789"),
        ("1e999", "1e999"),
        ("55 in", {"value": 55, "unit": "in"}),
        ("24 months", "24 months"),
        ('"{""value"": 24, ""unit"": ""months""}"', {"value": 24, "unit": "months"}),
        ('"{""value"": true, ""unit"": ""x""}"', '{"value": true, "unit": "x"}'),
        ("{}", "{}"),
        ("a | b||c", ["a", "b", "c"]),
        ("a\\|b|c", ["a|b", "c"]),
        ("red|", ["red"]),
        ("|", []),
        ("'007", "007"),
        ("'55 in", "55 in"),
        ("'", ""),
        ("''", "'"),
        ("'Twas", "'Twas"),
    ],
)
def test_attributes(text: str, value: object) -> None:
    assert cell("color", text) == {"color": value}


@pytest.mark.parametrize(
    ("header", "text", "value"),
    [
        ("stock", "12", 12),
        ("stock", "5.0", 5),
        ("rating", '"4,5"', {"average": 4.5, "count": 0}),
        ("status", "Published", "active"),
        ("condition", "NewCondition", "new"),
        ("availability", "https://schema.org/InStock", "in_stock"),
        ("availability", "Pre-order", "preorder"),
        ("tags", '"a, b,,c"', ["a", "b", "c"]),
        ("tags", "a|b", ["a", "b"]),
        ("image", "http://a.b/c A lamp", [{"url": "http://a.b/c", "alt": "A lamp"}]),
        ("images", '"http://a.b/1, http://a.b/2"', [{"url": "http://a.b/1", "alt": ""}, {"url": "http://a.b/2", "alt": ""}]),
        ("description", "'", ""),
        ("sku", "'00451", "00451"),
        ("mpn", "1e5", "1e5"),
        ("gtin", "978-3-16-148410-0", "9783161484100"),
    ],
)  # fmt: skip
def test_fields(header: str, text: str, value: object) -> None:
    assert cell(header, text) == value


@pytest.mark.parametrize(
    ("header", "text", "code"),
    [
        ("stock", "some", "not_an_integer"),
        ("stock", "1.5", "not_an_integer"),
        ("rating", "good", "not_a_number"),
        ("rating", "9", "out_of_range"),
        ("status", "sold", "unknown_choice"),
        ("sku", "4,1E+9", "scientific_notation"),
        ("ean", "123", "invalid_gtin"),
        ("url", "shop.example", "invalid_url"),
        ("category", " > ".join("x" * 33), "too_deep"),
        ("category", "x" * 201, "too_long"),
    ],
)
def test_a_cell_that_is_not_what_its_column_says_refuses_the_row(
    header: str, text: str, code: str
) -> None:
    (problem,) = read(f"id;title;{header}\n1;x;{text}\n").problems
    assert (problem.column, problem.header, problem.code) == (3, header, code)
    assert problem.detail


@pytest.mark.parametrize(
    ("header", "text", "code", "document"),
    [
        ("gtin", "36000291452", "leading_zeros_restored", {"gtin": "036000291452"}),
        ("barcode", "STORE-1", "not_a_gtin", {}),
        ("barcode", "4.00638E+12", "not_a_gtin", {}),
        ("image", "lamp.jpg", "invalid_url", {}),
        ("brand", "Acme\x99", "misread_character", {"brand": "Acme™"}),
    ],
)
def test_what_can_be_read_in_part_is_kept_with_a_warning(
    header: str, text: str, code: str, document: Document
) -> None:
    file = read(f"id,title,{header}\n1,x,{text}\n")
    assert [(p.code, p.severity) for p in file.problems] == [(code, Severity.WARNING)]
    assert file.accepted["1"].document == {"id": "1", "title": "x", **document}
    unchanged = validate(file).products["1"]
    assert f",{text}\n".encode() in render(file, {"1": write_product(unchanged)}, NO_CATEGORIES)


def test_a_stated_availability_follows_but_a_derived_one_is_not_written() -> None:
    file = read("id,title,stock,availability\nA,Lamp,5,in stock\nB,Rug,5,\n")
    written = render(
        file,
        {key: document(file, key, quantity=0) for key in "AB"},
        NO_CATEGORIES,
    )
    assert written == b"id,title,stock,availability\nA,Lamp,0,out_of_stock\nB,Rug,0,\n"


TREE = CategoryTree(
    {
        "e": Category(id="e", name="Electronics"),
        "p": Category(id="p", name="Phones", parent_id="e"),
        "q": Category(id="q", name="A > B"),
    }
)


def test_a_category_is_written_as_the_path_that_its_column_has() -> None:
    data = b"id,title,category\nA,Lamp, electronics > PHONES\nB,Rug,Electronics\n"
    file, made = resolve_categories(read(data), TREE)
    assert not made
    assert file.accepted["A"].document["category_id"] == "p"
    same = {"A": document(file, "A", brand=None), "B": document(file, "B", category_id="q")}
    assert render(file, same, TREE) == data.replace(b"Rug,Electronics", b"Rug,A \\> B")
    lost = render(file, {"B": document(file, "B", category_id="nowhere")}, TREE)
    assert lost == data.replace(b"category\n", b"category,category_id\n").replace(
        b"PHONES\n", b"PHONES,\n"
    ).replace(b"Electronics\n", b"Electronics,nowhere\n")
    assert render(file, {"B": document(file, "B", category_id=None)}, TREE) == data.replace(
        b"Rug,Electronics", b"Rug,"
    )


def test_formats_are_known_by_name_or_by_content() -> None:
    names = ["a.csv", "a.TSV", "a.json", "a.jsonl", "a.ndjson", "a", "a.json", "a", "a"]
    data = [b"", b"", b"[]", b"", b"", b"id,title", b'{"id":1}\n{"id":2}\n', b"[", b'{"a":1}']
    csv, json, jsonl = Format.CSV, Format.JSON, Format.JSONL
    found = [detect_format(name, each) for name, each in zip(names, data, strict=True)]
    assert found == [csv, csv, json, jsonl, jsonl, csv, jsonl, json, jsonl]
    assert detect_format("a.json", b'{"products": [{"id": 1}]}') is json


@pytest.mark.parametrize("file_format", Format)
def test_a_new_file_is_an_empty_catalog_that_can_be_filled(file_format: Format) -> None:
    empty = parse(new_file(file_format), file_format, currency="EUR")
    assert not empty.rows
    assert not empty.problems
    filled = render(empty, {"lamp": write_product(LAMP)}, NO_CATEGORIES)
    again = validate(parse(filled, file_format, currency="EUR"))
    assert replace(again.products["lamp"], slug="desk-lamp") == LAMP


def test_a_problem_reads_as_one_line() -> None:
    problem = FileProblem(3, 2, "price", "a\nb", "invalid_amount", "Expected an amount.")
    assert str(problem) == "line 3, column 2 (price): Expected an amount. [invalid_amount]"
