import httpx2
from pytest_bdd import parsers, scenarios, when

from tests.acceptance.shop import Shop

scenarios("identifiers.feature")


@when(
    parsers.re(r'the merchant adds a product with the (?P<field>id|gtin) "(?P<value>.+)"'),
    target_fixture="answer",
)
def merchant_adds_with(shop: Shop, field: str, value: str) -> httpx2.Response:
    return shop.add({"title": "A product", field: value})


@when(
    parsers.parse("the merchant adds a product with an id of {length:d} characters"),
    target_fixture="answer",
)
def merchant_adds_with_long_id(shop: Shop, length: int) -> httpx2.Response:
    return shop.add({"title": "A product", "id": "x" * length})
