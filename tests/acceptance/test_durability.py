from concurrent.futures import ThreadPoolExecutor
from threading import Event

import httpx2
from pytest_bdd import given, parsers, scenarios, then, when

from tests.acceptance.shop import Shop
from tests.running import RunningService

scenarios("durability.feature")

type Bodies = dict[str, bytes]


def bodies(shop: Shop) -> Bodies:
    """Return what the catalog answers for each product, to the byte."""
    return {each: shop.client.get(shop.path(each)).content for each in shop.everything()}


@given("the merchant has added, changed and removed products", target_fixture="before")
def merchant_has_worked(shop: Shop) -> Bodies:
    for number in range(20):
        added = shop.add({"id": f"P-{number}", "title": f"Product {number}", "tags": ["new"]})
        added.raise_for_status()
    for number in range(0, 20, 2):
        shop.merge(f"P-{number}", {"quantity": number}).raise_for_status()
    for number in range(0, 20, 5):
        shop.remove(f"P-{number}").raise_for_status()
    shop.merge("LAMP-1", {"brand": "Lumen", "attributes": {"bulb": "E27"}}).raise_for_status()
    return bodies(shop)


@when("the service is restarted")
def is_restarted(service: RunningService) -> None:
    service.restart()


@when("the service crashes and is started again")
def crashes_and_starts(service: RunningService) -> None:
    service.kill()
    service.start()


@when("the service is started again")
def is_started_again(service: RunningService) -> None:
    service.start()


@when(
    parsers.parse("the service crashes while {count:d} programs add products"),
    target_fixture="acknowledged",
)
def crashes_among_writers(service: RunningService, count: int) -> Bodies:
    acknowledged: Bodies = {}
    enough = Event()

    def add(writer: int) -> None:
        with httpx2.Client(base_url=service.url, timeout=30) as client:
            shop = Shop(client)
            for number in range(10_000):
                try:
                    answer = shop.add({"id": f"W{writer}-{number}", "title": f"From {writer}"})
                except httpx2.TransportError:
                    return  # The crash: whether this one was added is open.
                answer.raise_for_status()
                acknowledged[answer.json()["id"]] = answer.content
                if len(acknowledged) >= 40:
                    enough.set()

    with ThreadPoolExecutor(count) as programs:
        running = [programs.submit(add, writer) for writer in range(count)]
        assert enough.wait(60)
        service.kill()
    for each in running:
        each.result()
    return acknowledged


@then("every product is as it was before, to the byte")
def everything_is_as_before(shop: Shop, before: Bodies) -> None:
    assert bodies(shop) == before


@then("every product that was acknowledged is there")
def acknowledged_are_there(shop: Shop, acknowledged: Bodies) -> None:
    there = bodies(shop)
    assert {each: there.get(each) for each in acknowledged} == acknowledged


@then("none is half there")
def none_is_half_there(shop: Shop) -> None:
    everything = shop.everything()
    for product in everything.values():
        assert product["title"]
        assert product["version"] == 1
        assert shop.read(str(product["id"])) == product
        slug = shop.client.get(f"/v1/products/by-slug/{product['slug']}")
        assert slug.json() == product
