from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import httpx2
from pytest_bdd import given, parsers, scenarios, then, when

from tests.acceptance.shop import Parameters, Shop, ids, items
from tests.acceptance.words import PRODUCT, Datatable, Document, money, words

scenarios("browsing.feature")


@dataclass
class Read:
    """What a client got on its way through a list.

    Attributes:
        pages: The products of each page.
        stayed: The ids that were there from the first page to the last.
    """

    pages: list[list[Document]] = field(default_factory=list)
    stayed: set[str] = field(default_factory=set)

    @property
    def products(self) -> list[Document]:
        return [each for page in self.pages for each in page]


def price_of(product: Document) -> Decimal:
    price = product["price"]
    assert isinstance(price, dict)
    return Decimal(str(price["amount"]))


KEYS: Mapping[str, Callable[[Document], Decimal | str]] = {
    "price": price_of,
    "title": lambda product: str(product["title"]).casefold(),
    "created_at": lambda product: str(product["created_at"]),
    "updated_at": lambda product: str(product["updated_at"]),
}


@given(parsers.parse("{count:d} products of which many cost the same"))
def products_that_cost_the_same(shop: Shop, count: int) -> None:
    for number in range(count):
        price = money(f"{number % 3}.50 EUR")
        title = f"{'ABCd'[number % 4]} product"
        shop.add({"id": f"P-{number * 7 % count:03}", "title": title, "price": price})


@when(parsers.parse("a client reads all pages of {limit:d}"), target_fixture="read")
def reads_all_pages(shop: Shop, limit: int) -> Read:
    return read_all(shop, [("limit", str(limit))])


@when(
    parsers.parse('a client reads all pages of {limit:d} sorted by "{sort}"'),
    target_fixture="read",
)
def reads_all_pages_sorted(shop: Shop, limit: int, sort: str) -> Read:
    return read_all(shop, [("limit", str(limit)), ("sort", sort)])


def read_all(shop: Shop, parameters: Parameters) -> Read:
    read = Read(stayed=set(shop.everything()))
    for page in shop.pages(parameters):
        assert page["total"] == len(read.stayed)
        read.pages.append(items(page))
    return read


@when(
    parsers.parse(
        "a client reads all pages of {limit:d} while the merchant adds, changes and removes "
        "other products"
    ),
    target_fixture="read",
)
def reads_while_others_write(shop: Shop, limit: int) -> Read:
    read = Read(stayed=set(shop.everything()))
    writes = merchant_at_work(shop, read)
    for page in shop.pages([("limit", str(limit))]):
        read.pages.append(items(page))
        if page["next"] is not None:
            next(writes)
    return read


def merchant_at_work(shop: Shop, read: Read) -> Iterator[None]:
    """Write before and behind the place where the client is reading."""
    coming = sorted(read.stayed, reverse=True)
    for number in range(100):
        seen = [str(each["id"]) for each in read.pages[-1]]
        for gone in (seen[0], coming[number]):
            shop.remove(gone)
            read.stayed.discard(gone)
        shop.add({"id": f"A-{number}", "title": "Before all others"}).raise_for_status()
        shop.add({"id": f"Z-{number}", "title": "Behind all others"}).raise_for_status()
        shop.merge(seen[1], {"title": "Another title"}).raise_for_status()
        shop.merge("P-001", {"quantity": number}).raise_for_status()
        yield


@when(parsers.parse("a client lists the products with a limit of {limit}"), target_fixture="answer")
def lists_with_limit(shop: Shop, limit: str) -> httpx2.Response:
    return shop.find([("limit", limit)])


@when("a client lists the products", target_fixture="answer")
def lists(shop: Shop) -> httpx2.Response:
    return shop.find()


@when("a client takes the cursor of one list to another", target_fixture="answer")
def takes_cursor_elsewhere(shop: Shop) -> httpx2.Response:
    cursor = shop.find([("limit", "1"), ("sort", "title")]).json()["next"]
    return shop.find([("limit", "1"), ("sort", "price"), ("cursor", cursor)])


@when("a client sends a damaged cursor", target_fixture="answer")
def sends_damaged_cursor(shop: Shop) -> httpx2.Response:
    cursor = shop.find([("limit", "1")]).json()["next"]
    return shop.find([("limit", "1"), ("cursor", cursor[:-3] + cursor[:3])])


@when(parsers.parse('a client lists the products with only "{fields}"'), target_fixture="answer")
def lists_only(shop: Shop, fields: str) -> httpx2.Response:
    return shop.find([("fields", ",".join(words(fields)))])


@when(parsers.re(rf'a client reads {PRODUCT} with only "(?P<fields>.+)"'), target_fixture="answer")
def reads_only(shop: Shop, product: str, fields: str) -> httpx2.Response:
    return shop.client.get(shop.path(product), params={"fields": ",".join(words(fields))})


@when(parsers.parse('a client asks for the products "{products}"'), target_fixture="answer")
def asks_for_many(shop: Shop, products: str) -> httpx2.Response:
    return shop.find([("ids", ",".join(words(products)))])


@when(parsers.parse("a client asks for {count:d} products at once"), target_fixture="answer")
def asks_for_too_many(shop: Shop, count: int) -> httpx2.Response:
    return shop.find([("ids", ",".join(f"P-{number}" for number in range(count)))])


@when(
    parsers.parse("the merchant adds {count:d} products and after each lists its SKU"),
    target_fixture="lists_of_one",
)
def adds_and_lists(shop: Shop, count: int) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for number in range(count):
        added = shop.add({"title": "A product", "sku": f"SKU-{number}"}).json()["id"]
        found.append((added, ids(shop.find([("sku", f"SKU-{number}")]))))
    return found


@then("the client has got each product once")
def got_each_once(read: Read) -> None:
    got = [str(each["id"]) for each in read.products]
    assert sorted(got) == sorted(read.stayed)


@then("the client has got each product that stayed once")
def got_each_that_stayed_once(read: Read) -> None:
    got = [str(each["id"]) for each in read.products]
    assert len(got) == len(set(got))
    assert len(read.stayed) > 10
    assert read.stayed <= set(got)


@then(parsers.parse("there were {pages:d} pages"))
def there_were_pages(read: Read, pages: int) -> None:
    assert len(read.pages) == pages


@then(parsers.parse('they came in the order of "{sort}"'))
def came_in_order(read: Read, sort: str) -> None:
    by_id = sorted(read.products, key=lambda each: str(each["id"]))
    expected = sorted(by_id, key=KEYS[sort.removeprefix("-")], reverse=sort.startswith("-"))
    assert [each["id"] for each in read.products] == [each["id"] for each in expected]


@then(parsers.parse("the list has {count:d} products"))
def list_has(answer: httpx2.Response, count: int) -> None:
    assert len(ids(answer)) == count


@then("the link to the next page leads to the rest")
def link_leads_on(shop: Shop, answer: httpx2.Response) -> None:
    rest = shop.client.get(answer.links["next"]["url"])
    assert ids(answer) + ids(rest) == sorted(shop.everything())
    assert "next" not in rest.links
    assert rest.json()["next"] is None


@then(parsers.parse('each product in the list has only "{fields}"'))
def each_has_only(answer: httpx2.Response, fields: str) -> None:
    assert ids(answer)
    assert all(list(each) == words(fields) for each in items(answer.json()))


@then("the product says only")
def says_only(answer: httpx2.Response, datatable: Datatable) -> None:
    assert answer.json() == {row[0]: row[1] for row in datatable[1:]}


@then(parsers.re(rf"the list says that {PRODUCT} is missing"))
def list_says_missing(answer: httpx2.Response, product: str) -> None:
    assert answer.json()["missing"] == [product]


@then("each list had that one product")
def each_list_had_one(lists_of_one: list[tuple[str, list[str]]]) -> None:
    assert all(found == [added] for added, found in lists_of_one)
