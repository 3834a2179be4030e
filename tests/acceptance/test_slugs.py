import httpx2
from pytest_bdd import parsers, scenarios, then, when

from tests.acceptance.shop import PRODUCTS, Shop
from tests.acceptance.words import PRODUCT

scenarios("slugs.feature")


@when(parsers.parse('the merchant adds a product called "{title}"'), target_fixture="answer")
def merchant_adds_called(shop: Shop, title: str) -> httpx2.Response:
    return shop.add({"title": title})


@when(parsers.parse('a shopper opens the address "{slug}"'), target_fixture="answer")
def shopper_opens(shop: Shop, slug: str) -> httpx2.Response:
    return shop.client.get(f"{PRODUCTS}/by-slug/{slug}")


@then(parsers.re(rf"the shopper sees {PRODUCT}"))
def shopper_sees(shop: Shop, answer: httpx2.Response, product: str) -> None:
    assert answer.json() == shop.read(product)


@then(parsers.re(rf'the slug of {PRODUCT} begins with "(?P<beginning>.+)"'))
def slug_begins_with(shop: Shop, product: str, beginning: str) -> None:
    slug = str(shop.read(product)["slug"])
    assert slug.startswith(beginning)
    assert slug != beginning
