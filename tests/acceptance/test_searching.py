import httpx2
from pytest_bdd import parsers, scenarios, then, when

from tests.running import RunningService

scenarios("searching.feature")


@when(parsers.parse('a shopper has typed "{text}"'), target_fixture="answer")
def typed(service: RunningService, text: str) -> httpx2.Response:
    return service.client.get("/v1/suggest", params={"q": text})


@then(parsers.parse('the shopper is offered to search for "{query}"'))
def offered(answer: httpx2.Response, query: str) -> None:
    first = next(each for each in answer.json()["items"] if each["kind"] == "query")
    assert first["text"] == query
