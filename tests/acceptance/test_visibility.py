import httpx2
from pytest_bdd import scenarios, when

from tests.acceptance.shop import Shop

scenarios("visibility.feature")


@when("a shopper browses the catalog", target_fixture="answer")
def shopper_browses(shop: Shop) -> httpx2.Response:
    return shop.find()
