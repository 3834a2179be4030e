import time

import httpx2
from pytest_bdd import given, parsers, scenarios, then, when

from tests.acceptance.files import ProductFile
from tests.acceptance.shop import Shop
from tests.acceptance.words import PRODUCT, Datatable, phrase, rows
from tests.running import RunningService
from tests.waiting import until

scenarios("spreadsheet.feature")


@given("someone has opened the file", target_fixture="opened")
def someone_has_opened(file: ProductFile) -> str:
    return file.text


@given("the catalog writes to the file late")
def writes_late(service: RunningService) -> None:
    service.stop()
    service.settings["VITRINA_FILE_DELAY_S"] = "3600"
    service.start()


@when(parsers.re(r'someone changes "(?P<old>.+)" to "(?P<new>.+)" in the file'))
def someone_changes(file: ProductFile, old: str, new: str) -> None:
    assert old in file.text
    save(file, file.text.replace(old, new))


@when(
    parsers.re(r'they change "(?P<old>.+)" to "(?P<new>.+)" in what they have opened, and save it')
)
def they_change(file: ProductFile, opened: str, old: str, new: str) -> None:
    save(file, opened.replace(old, new))


@when("someone sorts the rows of the file backwards")
def someone_sorts(file: ProductFile) -> None:
    head, *lines = file.text.splitlines(keepends=True)
    save(file, head + "".join(sorted(lines, reverse=True)))


@when("someone saves the file without its first line", target_fixture="saved")
def without_first_line(file: ProductFile) -> str:
    return save(file, file.text.split("\n", 1)[1])


@when(parsers.parse("someone saves only the first {count:d} lines of the file"))
def only_first_lines(file: ProductFile, count: int) -> None:
    save(file, "".join(file.text.splitlines(keepends=True)[:count]))


@when(
    parsers.re(
        r'someone saves the file with "(?P<old>.+)" as "(?P<new>.+)", '
        r'and "(?P<title>.+)" as "(?P<better>.+)"'
    )
)
def saves_spoiled(file: ProductFile, old: str, new: str, title: str, better: str) -> None:
    save(file, file.text.replace(old, new).replace(title, better))


def save(file: ProductFile, text: str) -> str:
    """Save as spreadsheets do: a new file takes the name."""
    fresh = file.path.with_name("saving.tmp")
    fresh.write_bytes(text.encode())
    fresh.replace(file.path)
    return text


@when("the merchant accepts it", target_fixture="answer")
@when("the merchant accepts the file", target_fixture="answer")
def merchant_accepts(shop: Shop) -> httpx2.Response:
    return shop.client.post("/v1/file/accept")


@when(parsers.parse('the file soon has the line "{line}"'))
@then(parsers.parse('the file soon has the line "{line}"'))
def file_soon_has(file: ProductFile, line: str) -> None:
    until(lambda: line in file.text.splitlines(), told=lambda: file.text)


@then(parsers.re(rf"{PRODUCT} soon has the (?P<field>\S+) (?P<value>.+)"))
def soon_has(shop: Shop, product: str, field: str, value: str) -> None:
    until(lambda: shop.read(product)[field] == phrase(field, value), told=lambda: status(shop))


@then(parsers.re(rf"there is soon a product {PRODUCT}"))
def there_is_soon(shop: Shop, product: str) -> None:
    until(lambda: shop.has(product))


@then(parsers.re(rf'the size of {PRODUCT} is "(?P<size>.+)"'))
def size_is(shop: Shop, product: str, size: str) -> None:
    assert shop.read(product)["attributes"] == {"size": size}


@then(parsers.re(rf"the past of {PRODUCT} says that the file was edited"))
def past_says(shop: Shop, product: str) -> None:
    found = shop.client.get(f"{shop.path(product)}/history").json()["items"]
    assert [each["source"] for each in found] == ["file", "file"]


@then("soon a conflict is listed")
def conflict_is_listed(shop: Shop, datatable: Datatable) -> None:
    found = until(lambda: shop.client.get("/v1/conflicts").json()["items"])
    listed = [
        [each["product_id"], each["field"], each["file_value"], each["kept_value"]]
        for each in found
    ]
    assert listed == [list(row.values()) for row in rows(datatable)]


@then(parsers.re(rf"the list of conflicts beside the file names {PRODUCT}"))
def list_names(file: ProductFile, product: str) -> None:
    beside = file.path.with_name("products.conflicts.csv")
    assert product in beside.read_text("utf-8-sig")


@then(parsers.parse("the catalog soon says that the file is broken, at line {line:d}"))
def says_broken(shop: Shop, line: int) -> None:
    until(lambda: status(shop)["state"] == "broken", told=lambda: status(shop))
    assert status(shop)["line"] == line
    ready = shop.client.get("/readyz").json()
    assert ready["status"] == "warn"
    assert f"line {line}, column" in str(ready["checks"])


@when(parsers.parse("the catalog soon says that {gone:d} of {all_:d} products would be deleted"))
@then(parsers.parse("the catalog soon says that {gone:d} of {all_:d} products would be deleted"))
def says_pending(shop: Shop, gone: int, all_: int) -> None:
    until(lambda: status(shop)["state"] == "pending", told=lambda: status(shop))
    assert f"delete {gone} of {all_} products" in str(shop.client.get("/readyz").json())


@then(parsers.re(rf"the merchant sets the (?P<field>\S+) of {PRODUCT} to (?P<value>.+)"))
def merchant_sets_then(shop: Shop, field: str, product: str, value: str) -> None:
    shop.merge(product, {field: phrase(field, value)}).raise_for_status()


@then("the file stays as they saved it")
def file_stays(file: ProductFile, saved: str) -> None:
    time.sleep(2)  # Much longer than a write waits.
    assert file.text == saved


def status(shop: Shop) -> dict[str, object]:
    found: dict[str, object] = shop.client.get("/v1/file").json()
    return found
