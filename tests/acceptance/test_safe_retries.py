import httpx2
from pytest_bdd import given, parsers, scenarios, when

from tests.acceptance.shop import Shop

scenarios("safe_retries.feature")


@given(parsers.parse('the merchant has renamed it to "{title}"'))
def merchant_has_renamed_it(shop: Shop, answer: httpx2.Response, title: str) -> None:
    shop.merge(answer.json()["id"], {"title": title}).raise_for_status()


@when(
    parsers.parse("the program adds a product without a title with the key {key}"),
    target_fixture="answer",
)
def program_adds_without_title(shop: Shop, scenario_name: str, key: str) -> httpx2.Response:
    answer = shop.add({"brand": "Lumen"}, **{"Idempotency-Key": f"{key}-{scenario_name}"})
    assert answer.is_client_error
    return answer


@when(parsers.parse('the program adds "{title}" without a key'), target_fixture="answer")
def program_adds_without_key(shop: Shop, title: str) -> httpx2.Response:
    return shop.add({"title": title})
