from concurrent.futures import ThreadPoolExecutor

import httpx2
from pytest_bdd import given, parsers, scenarios, then, when

from tests.acceptance.shop import Shop
from tests.acceptance.words import PRODUCT, cell

scenarios("editing_together.feature")

type Opened = dict[str, httpx2.Response]

WHO = "(?P<who>Ada|Bob)"


@given(parsers.re(rf"Ada and Bob have both opened {PRODUCT}"), target_fixture="opened")
def both_have_opened(shop: Shop, product: str) -> Opened:
    return {who: shop.client.get(shop.path(product)) for who in ("Ada", "Bob")}


@when(parsers.re(rf"{WHO} opens {PRODUCT} again"))
def opens_again(shop: Shop, opened: Opened, who: str, product: str) -> None:
    opened[who] = shop.client.get(shop.path(product))


@when(parsers.re(rf"{WHO} sets its price to (?P<price>.+)"), target_fixture="answer")
def sets_its_price(shop: Shop, opened: Opened, who: str, price: str) -> httpx2.Response:
    seen = opened[who]
    return shop.merge(seen.json()["id"], {"price": cell("price", price)}, seen.headers["ETag"])


@when(parsers.re(rf"{WHO} removes it"), target_fixture="answer")
def removes_it(shop: Shop, opened: Opened, who: str) -> httpx2.Response:
    seen = opened[who]
    return shop.client.delete(seen.url, headers={"If-Match": seen.headers["ETag"]})


@when(parsers.re(rf"{WHO} creates {PRODUCT} unless it exists"), target_fixture="answer")
def creates_unless_it_exists(shop: Shop, who: str, product: str) -> httpx2.Response:
    body = {"title": f"{who}'s product"}
    return shop.client.put(shop.path(product), json=body, headers={"If-None-Match": "*"})


@when(parsers.re(rf"{WHO} asks whether {PRODUCT} has changed"), target_fixture="answer")
def asks_whether_changed(shop: Shop, opened: Opened, who: str, product: str) -> httpx2.Response:
    tag = opened[who].headers["ETag"]
    return shop.client.get(shop.path(product), headers={"If-None-Match": tag})


@when(
    parsers.re(
        rf"(?P<count>\d+) people each add their own tag to {PRODUCT} at the same time, "
        "trying again until it works"
    )
)
def people_add_tags(shop: Shop, count: str, product: str) -> None:
    def add(tag: str) -> None:
        while True:
            seen = shop.client.get(shop.path(product))
            tags = [*seen.json()["tags"], tag]
            answer = shop.merge(product, {"tags": tags}, seen.headers["ETag"])
            if answer.status_code != httpx2.codes.PRECONDITION_FAILED:
                answer.raise_for_status()
                return

    with ThreadPoolExecutor(int(count)) as people:
        list(people.map(add, [f"tag-{number}" for number in range(int(count))]))


@then(parsers.re(rf"{PRODUCT} has (?P<count>\d+) tags"))
def has_tags(shop: Shop, product: str, count: str) -> None:
    tags = shop.read(product)["tags"]
    assert isinstance(tags, list)
    assert sorted(map(str, tags)) == [f"tag-{number}" for number in range(int(count))]


@then(parsers.re(rf"{WHO} is told that nothing has changed"))
def told_that_nothing_changed(answer: httpx2.Response, opened: Opened, who: str) -> None:
    assert answer.status_code == httpx2.codes.NOT_MODIFIED
    assert answer.content == b""
    assert answer.headers["ETag"] == opened[who].headers["ETag"]


@then(parsers.re(rf"{WHO} gets {PRODUCT} at (?P<price>.+)"))
def gets_at(answer: httpx2.Response, who: str, product: str, price: str) -> None:
    assert answer.status_code == httpx2.codes.OK
    assert (answer.json()["id"], answer.json()["price"]) == (product, cell("price", price))
