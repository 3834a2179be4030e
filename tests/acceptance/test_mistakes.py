import httpx2
from pytest_bdd import parsers, scenarios, then, when

from tests.acceptance.shop import PRODUCTS, Shop, check_refused
from tests.acceptance.words import Datatable, invalid_product, rows

scenarios("mistakes.feature")


@when("the developer sends a new product", target_fixture="answer")
def sends(shop: Shop, docstring: str) -> httpx2.Response:
    return send(shop, docstring)


def send(shop: Shop, text: str, media_type: str = "application/json") -> httpx2.Response:
    return shop.client.post(PRODUCTS, content=text, headers={"Content-Type": media_type})


@when(parsers.parse("the developer sends JSON nested {depth:d} deep"), target_fixture="answer")
def sends_nested(shop: Shop, depth: int) -> httpx2.Response:
    return send(shop, "[" * depth + "]" * depth)


@when(parsers.parse('the developer sends a new product as "{media_type}"'), target_fixture="answer")
def sends_as(shop: Shop, media_type: str) -> httpx2.Response:
    return send(shop, "title\nLamp\n", media_type)


@when("the developer sends a new product of 10 megabytes", target_fixture="answer")
def sends_much(shop: Shop) -> httpx2.Response:
    return shop.add({"title": "Lamp", "description": "x" * 10_000_000})


@when(parsers.parse('the developer reads "{address}"'), target_fixture="answer")
def reads(shop: Shop, address: str) -> httpx2.Response:
    return shop.client.get(address)


@when(parsers.parse('the developer reads "{address}" as "{media_type}"'), target_fixture="answer")
def reads_as(shop: Shop, address: str, media_type: str) -> httpx2.Response:
    return shop.client.get(address, headers={"Accept": media_type})


@when(parsers.parse('the developer deletes "{address}"'), target_fixture="answer")
def deletes(shop: Shop, address: str) -> httpx2.Response:
    return shop.client.delete(address)


@when(parsers.parse('the developer makes the mistake "{mistake}"'), target_fixture="answer")
def makes_mistake(shop: Shop, mistake: str) -> httpx2.Response:
    match mistake:
        case "unknown product":
            return shop.client.get(shop.path("SOFA-9"))
        case "unknown parameter":
            return shop.find([("colour", "brown")])
        case "unknown field":
            return shop.add({"title": "Lamp", "colour": "brown"})
        case "id in use":
            return shop.add({"id": "LAMP-1", "title": "Lamp"})
        case "damaged cursor":
            return shop.find([("cursor", "damaged")])
        case _:
            raise AssertionError(mistake)


@then("it is refused and these places are named")
def places_are_named(answer: httpx2.Response, datatable: Datatable) -> None:
    check_refused(answer, invalid_product(*(row["mistake"] for row in rows(datatable))))
    named = sorted((each["pointer"], each["code"]) for each in answer.json()["errors"])
    assert named == sorted((row["place"], row["mistake"]) for row in rows(datatable))


@then("the answer names the methods it has")
def names_methods(answer: httpx2.Response) -> None:
    assert {"GET", "HEAD", "POST"} <= set(answer.headers["Allow"].replace(" ", "").split(","))


@then("the problem has a title, a detail and the id of the request")
def problem_is_complete(answer: httpx2.Response) -> None:
    problem = answer.json()
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["X-Request-Id"]


@then(parsers.parse('its type leads to a page about "{code}"'))
def type_leads_to_page(shop: Shop, answer: httpx2.Response, code: str) -> None:
    page = shop.client.get(answer.json()["type"])
    assert page.status_code == httpx2.codes.OK
    assert page.headers["Content-Type"].startswith("text/html")
    assert code in page.text
