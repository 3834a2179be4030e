import time
from difflib import ndiff

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from tests.acceptance.files import ProductFile
from tests.acceptance.shop import Shop
from tests.acceptance.words import Datatable, Document, rows, upright
from tests.running import RunningService

scenarios("product_file.feature")

FORMS = {
    "commas and Unix line ends": b"id,title,price\nLAMP-1,Desk lamp,129.90 EUR\n",
    "semicolons and Windows line ends": (
        b"id;title;price;remark\r\nLAMP-1;Desk lamp;129.90 EUR;a, b\r\nRUG-1;Rug;;\r\n"
    ),
    "tabs, Windows line ends and a byte order mark": (
        b"\xef\xbb\xbfid\ttitle\tprice\r\nLAMP-1\tL\xc3\xa4mpchen\t129.90 EUR\r\n"
    ),
    "UTF-16, as some spreadsheets write it": (
        b"\xff\xfe" + "id\ttitle\r\nLAMP-1\tLämpchen\r\n".encode("utf-16-le")
    ),
    "quotes around every cell": b'"id","title"\n"LAMP-1","Desk ""walnut"" lamp"\n"RUG-1","Rug"\n',
    "no line end after the last line": b"id,title,price\nLAMP-1,Desk lamp,129.90 EUR",
}

SOON_S = 30


@given(parsers.re(r"the file products\.csv with (?P<form>.+)"), target_fixture="file")
def the_file_with(tmp_path_factory: pytest.TempPathFactory, form: str) -> ProductFile:
    return ProductFile.write(tmp_path_factory.mktemp("catalog"), "products.csv", FORMS[form])


@given(parsers.parse("the catalog's currency is {currency}"), target_fixture="settings")
def currency_is(currency: str) -> dict[str, str]:
    return {"VITRINA_CURRENCY": currency}


@when("the catalog is served and stopped")
def is_served_and_stopped(file: ProductFile) -> None:
    with file.served() as service:
        assert service.client.get("/v1/products").json()["total"] > 0


@when("the service is restarted", target_fixture="before")
def is_restarted(shop: Shop, service: RunningService) -> dict[str, Document]:
    before = shop.everything()
    service.restart()
    return before


@then("the file is the same, byte for byte")
def file_is_the_same(file: ProductFile) -> None:
    assert file.path.read_bytes() == file.original


@then("in the file this line has changed, and no other")
def this_line_has_changed(file: ProductFile, docstring: str) -> None:
    before, after = file.original.decode(), file.text
    different = [each for each in ndiff(before.split("\n"), after.split("\n")) if each[0] in "+-"]
    assert [each[2:] for each in different if each[0] == "+"] == [docstring]
    assert len(different) == 2


@then("the file has kept its lines and ends with")
def file_ends_with(file: ProductFile, docstring: str) -> None:
    assert file.text == f"{file.original.decode()}{docstring}\n"


@then(parsers.parse('the file soon has the line "{line}"'))
def file_soon_has(file: ProductFile, line: str) -> None:
    deadline = time.monotonic() + SOON_S
    while line not in file.text.splitlines():
        assert time.monotonic() < deadline, file.text
        time.sleep(0.05)


@then("the file still has the line")
def file_still_has(file: ProductFile, docstring: str) -> None:
    assert docstring in file.text.split("\n")


@then("the service has said")
def service_has_said(service: RunningService, datatable: Datatable) -> None:
    for row in rows(datatable):
        assert row["words"] in service.output


@then("the service has reported")
def service_has_reported(service: RunningService, datatable: Datatable) -> None:
    for row in rows(datatable):
        assert any(
            all(part in line for part in (row["line"], row["column"], row["value"]))
            for line in service.output.splitlines()
        ), service.output


@then(parsers.parse('the product called "{title}" says'))
def product_called_says(shop: Shop, title: str, datatable: Datatable) -> None:
    (product,) = (each for each in shop.everything().values() if each["title"] == title)
    expected = upright(datatable)
    assert {field: product[field] for field in expected} == expected


@then("the products have the same ids as before")
def same_ids(shop: Shop, before: dict[str, Document]) -> None:
    assert len(before) == 3
    assert shop.everything() == before
