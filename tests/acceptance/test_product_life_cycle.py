import json
from uuid import UUID

import httpx2
from pytest_bdd import parsers, scenarios, then, when

from tests.acceptance.shop import Shop
from tests.acceptance.words import PRODUCT, Datatable, upright

scenarios("product_life_cycle.feature")


@when(parsers.re(rf"the merchant replaces {PRODUCT}"), target_fixture="answer")
def merchant_replaces(shop: Shop, product: str, datatable: Datatable) -> httpx2.Response:
    return shop.client.put(shop.path(product), json=upright(datatable))


@when(parsers.re(rf"the merchant sends {PRODUCT} back as it was read"), target_fixture="answer")
def merchant_sends_back(shop: Shop, product: str) -> httpx2.Response:
    return shop.client.put(shop.path(product), json=shop.read(product))


@then("the catalog has chosen an id for it")
def catalog_has_chosen_an_id(answer: httpx2.Response) -> None:
    assert UUID(answer.json()["id"]).version == 7


@then(parsers.re(rf"shoppers find {PRODUCT} exactly as it was added"))
def found_as_added(shop: Shop, answer: httpx2.Response, product: str) -> None:
    added = json.loads(answer.request.content)
    found = shop.read(product)
    assert {field: found[field] for field in added} == added
