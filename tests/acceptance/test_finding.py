import httpx2
from pytest_bdd import parsers, scenarios, when

from tests.acceptance.shop import Shop
from tests.acceptance.words import PRODUCT, Datatable, rows

scenarios("finding.feature")


@when("a client lists the products where", target_fixture="answer")
def lists_where_all(shop: Shop, datatable: Datatable) -> httpx2.Response:
    return shop.find([(row["parameter"], row["value"]) for row in rows(datatable)])


@when(
    parsers.re(r"a client lists the products where (?P<conditions>\S+=\S+( and \S+=\S+)*)"),
    target_fixture="answer",
)
def lists_within(shop: Shop, conditions: str) -> httpx2.Response:
    pairs = [each.rpartition("=") for each in conditions.split(" and ")]
    return shop.find([(parameter, value) for parameter, _, value in pairs])


@when(
    parsers.re(
        rf"a client lists the products that changed since the merchant last changed {PRODUCT}"
    ),
    target_fixture="answer",
)
def lists_changed_since(shop: Shop, product: str) -> httpx2.Response:
    changed = shop.merge(product, {"quantity": 4}).json()["updated_at"]
    return shop.find([("updated_at[gte]", changed)])
