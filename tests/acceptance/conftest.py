"""A service to talk to, and the steps that several features share.

One service serves most scenarios; each finds it empty. Features about files, starts and crashes
start services of their own, which take the place of the shared one in the shared steps.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from pytest_bdd import given, parsers, then, when

from tests.acceptance.files import ProductFile
from tests.acceptance.shop import CATEGORIES, Shop, check_refused, ids, items
from tests.acceptance.words import (
    PRODUCT,
    Datatable,
    cell,
    document,
    phrase,
    refusal,
    rows,
    upright,
    words,
)
from tests.e2e.test_kill import children
from tests.running import RunningService
from tests.waiting import until

VISITORS = 12
"""So many that each of several workers answers some of them."""


@pytest.fixture(scope="session")
def shared_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("shared") / "catalog"
    folder.mkdir()
    (folder / "products.jsonl").touch()
    with RunningService(folder) as service:
        yield service


@pytest.fixture
def service(shared_service: RunningService) -> RunningService:
    """The service that the scenario talks to; empty at first."""
    Shop(shared_service.client).empty()
    return shared_service


@pytest.fixture
def shop(service: RunningService) -> Shop:
    return Shop(service.client)


@pytest.fixture
def settings() -> dict[str, str]:
    """The ``VITRINA_*`` variables of a service that the scenario starts itself."""
    return {}


# What there is


@given(parsers.re(r"the file (?P<name>products\.\w+)"), target_fixture="file")
def the_file(tmp_path: Path, name: str, docstring: str) -> ProductFile:
    return ProductFile.write(tmp_path / "catalog", name, f"{docstring}\n".encode())


@given("it is served", target_fixture="service")
@when("it is served", target_fixture="service")
def it_is_served(file: ProductFile, settings: dict[str, str]) -> Iterator[RunningService]:
    with RunningService(file.path.parent, settings=settings) as service:
        yield service


@given(parsers.parse("the catalog is to be served by {count:d} workers"))
def many_workers(settings: dict[str, str], count: int) -> None:
    settings["VITRINA_WORKERS"] = str(count)
    settings["VITRINA_WORKER_HANG_S"] = "2"


@given(parsers.re(rf"a product {PRODUCT}"))
def a_product(shop: Shop, product: str, datatable: Datatable | None = None) -> None:
    said = upright(datatable) if datatable else {}
    answer = shop.add({"id": product, "title": f"Product {product}", **said})
    assert answer.status_code == httpx2.codes.CREATED, answer.text


@given(parsers.re(rf'a product {PRODUCT} called "(?P<title>.+)"'))
def a_product_called(shop: Shop, product: str, title: str) -> None:
    shop.add({"id": product, "title": title}).raise_for_status()


@given(parsers.re(rf"a product {PRODUCT} at (?P<price>.+)"))
def a_product_at(shop: Shop, product: str, price: str) -> None:
    answer = shop.add({"id": product, "title": "A product", "price": cell("price", price)})
    assert answer.status_code == httpx2.codes.CREATED, answer.text


@given("these products")
def these_products(shop: Shop, datatable: Datatable) -> None:
    for row in rows(datatable):
        answer = shop.add({"title": f"Product {row['id']}", **document(row.items())})
        assert answer.status_code == httpx2.codes.CREATED, answer.text


@given(parsers.parse("{count:d} products"))
def many_products(shop: Shop, count: int) -> None:
    for number in range(count):
        shop.add({"id": f"P-{number:03}", "title": f"Product {number}"}).raise_for_status()


@given("these categories")
def these_categories(shop: Shop, datatable: Datatable) -> None:
    for row in rows(datatable):
        answer = shop.put_category(row["id"], row["name"], row.get("parent") or None)
        assert answer.status_code == httpx2.codes.CREATED, answer.text


@given(parsers.re(rf"the merchant has removed {PRODUCT}"))
def merchant_has_removed(shop: Shop, product: str) -> None:
    shop.remove(product).raise_for_status()


# What people do


@when("a worker dies")
def a_worker_dies(service: RunningService) -> None:
    worker = children(service.pid)[0]
    os.kill(worker, signal.SIGKILL)
    # As long as its connections are open, somebody might speak into them.
    until(lambda: worker not in children(service.pid))


@when("the merchant adds a product", target_fixture="answer")
def merchant_adds(shop: Shop, datatable: Datatable) -> httpx2.Response:
    return shop.add(upright(datatable))


@when(
    parsers.re(rf"the merchant sets the (?P<field>\S+) of {PRODUCT} to (?P<value>.+)"),
    target_fixture="answer",
)
def merchant_sets(shop: Shop, field: str, product: str, value: str) -> httpx2.Response:
    return shop.merge(product, {field: phrase(field, value)})


@when(parsers.re(rf"the merchant clears the (?P<field>\S+) of {PRODUCT}"), target_fixture="answer")
def merchant_clears(shop: Shop, field: str, product: str) -> httpx2.Response:
    return shop.merge(product, {field: None})


@when(parsers.re(rf"the merchant removes {PRODUCT}"), target_fixture="answer")
def merchant_removes(shop: Shop, product: str) -> httpx2.Response:
    return shop.remove(product)


@when(
    parsers.re(r'a client lists the products where (?P<parameter>\S+) is "(?P<value>.*)"'),
    target_fixture="answer",
)
def client_lists_where(shop: Shop, parameter: str, value: str) -> httpx2.Response:
    return shop.find([(parameter, each) for each in words(value)])


@when(parsers.parse('a client lists the products sorted by "{sort}"'), target_fixture="answer")
def client_lists_sorted(shop: Shop, sort: str) -> httpx2.Response:
    return shop.find([("sort", sort)])


@given(parsers.parse('the program has added "{title}" with the key {key}'), target_fixture="answer")
@when(parsers.parse('the program adds "{title}" with the key {key}'), target_fixture="answer")
def program_adds(
    shop: Shop, answers: list[httpx2.Response], scenario_name: str, title: str, key: str
) -> httpx2.Response:
    answer = shop.add({"title": title}, **{"Idempotency-Key": f"{key}-{scenario_name}"})
    answers.append(answer)
    return answer


@pytest.fixture
def answers() -> list[httpx2.Response]:
    """The answers that a program got in this scenario, in order."""
    return []


@pytest.fixture
def scenario_name(request: pytest.FixtureRequest) -> str:
    """Something that no other scenario has: keys outlive a scenario on the shared service."""
    return str(request.node.name)


@when("the service stops")
def service_stops(service: RunningService) -> None:
    assert service.stop() == 0, service.output


# What has come of it


@then("it is accepted")
def it_is_accepted(answer: httpx2.Response) -> None:
    assert answer.is_success, answer.text


@then("the product is created")
def product_is_created(shop: Shop, answer: httpx2.Response) -> None:
    assert answer.status_code == httpx2.codes.CREATED, answer.text
    again = shop.client.get(answer.headers["Location"])
    assert again.content == answer.content
    assert again.headers["ETag"] == answer.headers["ETag"]


@then("the product says")
def product_says(answer: httpx2.Response, datatable: Datatable) -> None:
    expected = upright(datatable)
    said = answer.json()
    assert {field: said[field] for field in expected} == expected


@then(parsers.re(rf"all visitors see {PRODUCT} at (?P<price>.+)"))
def all_visitors_see(service: RunningService, product: str, price: str) -> None:
    for _ in range(VISITORS):
        with httpx2.Client(base_url=service.url, timeout=30) as visitor:
            assert Shop(visitor).read(product)["price"] == cell("price", price)


@then(parsers.re(r"it is refused because (?P<reason>.+)"))
def it_is_refused(answer: httpx2.Response, reason: str) -> None:
    check_refused(answer, refusal(reason))


@then("the answer is the first one again")
def first_answer_again(answers: list[httpx2.Response]) -> None:
    first, last = answers[0], answers[-1]
    assert (last.status_code, last.content) == (first.status_code, first.content)
    assert last.headers["Location"] == first.headers["Location"]
    assert last.headers["ETag"] == first.headers["ETag"]
    assert last.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers


@then(parsers.re(r"there is a product (?P<product>\S+)"))
def there_is(shop: Shop, product: str) -> None:
    assert shop.has(product)


@then(parsers.re(rf"there is no product {PRODUCT}"))
def there_is_not(shop: Shop, product: str) -> None:
    assert not shop.has(product)
    assert product not in shop.everything()


@then(parsers.re(rf"{PRODUCT} has the (?P<field>\S+) (?P<value>.+)"))
def has_the(shop: Shop, product: str, field: str, value: str) -> None:
    assert shop.read(product)[field] == phrase(field, value)


@then(parsers.re(rf"{PRODUCT} has the attributes"))
def has_the_attributes(shop: Shop, product: str, datatable: Datatable) -> None:
    expected = {row["name"]: cell("attributes.", row["value"]) for row in rows(datatable)}
    assert shop.read(product)["attributes"] == expected


@then(parsers.re(rf"{PRODUCT} has no (?P<field>\S+)"))
def has_no(shop: Shop, product: str, field: str) -> None:
    assert shop.read(product)[field] is None


@then(parsers.re(rf"{PRODUCT} has version (?P<version>\d+)"))
def has_version(shop: Shop, product: str, version: str) -> None:
    assert shop.read(product)["version"] == int(version)


@then(parsers.re(rf"shoppers see {PRODUCT} at (?P<price>.+)"))
def shoppers_see_at(shop: Shop, product: str, price: str) -> None:
    expected = cell("price", price)
    assert shop.read(product)["price"] == expected
    listed = items(shop.find([("ids", product)]).json())
    assert [each["price"] for each in listed] == [expected]


@then(parsers.re(r"the list is (?P<products>.+)"))
def list_is(answer: httpx2.Response, products: str) -> None:
    expected = [] if products in {"empty", "nothing"} else words(products)
    assert ids(answer) == expected


@then(parsers.re(r"the list says that (?P<count>\d+) products match"))
def list_says_total(answer: httpx2.Response, count: str) -> None:
    assert answer.json()["total"] == int(count)


@then(parsers.re(r"the catalog has (?P<count>no|\d+) products?"))
def catalog_has(shop: Shop, count: str) -> None:
    expected = 0 if count == "no" else int(count)
    assert shop.find([("limit", "1")]).json()["total"] == expected


@then(parsers.parse('the category {category} lies at "{place}"'))
def category_lies_at(shop: Shop, category: str, place: str) -> None:
    answer = shop.client.get(f"{CATEGORIES}/{category}").json()
    assert answer["path"] == place.split(" > ")


@then(parsers.re(r"the category (?P<category>\S+) counts (?P<count>\d+) products?"))
def category_counts(shop: Shop, category: str, count: str) -> None:
    answer = shop.client.get(f"{CATEGORIES}/{category}").json()
    assert answer["product_count"] == int(count)


@then("the file is")
def file_is(file: ProductFile, docstring: str) -> None:
    assert file.text == f"{docstring}\n"
