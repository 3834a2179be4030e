import httpx2
from pytest_bdd import given, parsers, scenarios, when

from tests.acceptance.shop import MERGE_PATCH, Shop
from tests.acceptance.words import PRODUCT, cell

scenarios("pricing.feature")


@given(parsers.re(rf"the list_price of {PRODUCT} is (?P<price>.+)"))
def list_price_is(shop: Shop, product: str, price: str) -> None:
    shop.merge(product, {"list_price": cell("list_price", price)}).raise_for_status()


@when(
    parsers.re(
        rf"the merchant sets the price of {PRODUCT} to the JSON number (?P<amount>\S+) in "
        r"(?P<currency>\S+)"
    ),
    target_fixture="answer",
)
def merchant_sets_number(shop: Shop, product: str, amount: str, currency: str) -> httpx2.Response:
    text = f'{{"price": {{"amount": {amount}, "currency": "{currency}"}}}}'
    return shop.client.patch(
        shop.path(product), content=text, headers={"Content-Type": MERGE_PATCH}
    )
