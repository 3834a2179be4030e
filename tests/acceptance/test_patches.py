import httpx2
from pytest_bdd import parsers, scenarios, when

from tests.acceptance.shop import JSON_PATCH, MERGE_PATCH, Shop
from tests.acceptance.words import PRODUCT

scenarios("patches.feature")


@when(parsers.re(rf"the program merges into {PRODUCT}"), target_fixture="answer")
def program_merges(shop: Shop, product: str, docstring: str) -> httpx2.Response:
    return patch(shop, product, docstring, MERGE_PATCH)


@when(parsers.re(rf"the program sends {PRODUCT} the plain JSON"), target_fixture="answer")
def program_sends_plain(shop: Shop, product: str, docstring: str) -> httpx2.Response:
    return patch(shop, product, docstring, "application/json")


@when(parsers.re(rf"the program carries out on {PRODUCT}"), target_fixture="answer")
def program_carries_out(shop: Shop, product: str, docstring: str) -> httpx2.Response:
    return patch(shop, product, docstring, JSON_PATCH)


def patch(shop: Shop, product: str, text: str, media_type: str) -> httpx2.Response:
    headers = {"Content-Type": media_type}
    return shop.client.patch(shop.path(product), content=text, headers=headers)
