"""A search at any worker sees every write that any other had acknowledged before it was sent."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.e2e.test_kill import children
from tests.running import RunningService

WORKERS = 4
CLIENTS = 16
ROUNDS = 6


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    shop = tmp_path_factory.mktemp("fresh")
    (shop / "products.csv").write_text("id,title,price,brand\nLAMP-1,Lamp,5.00 EUR,Old\n")
    with RunningService(shop, "--workers", str(WORKERS)) as service:
        assert len(children(service.pid)) == WORKERS
        yield service


@pytest.fixture
def clients(service: RunningService) -> Iterator[list[httpx2.Client]]:
    """Connections that are kept open: the workers share them out, four to each."""
    opened = [httpx2.Client(base_url=service.url, timeout=60) for _ in range(CLIENTS)]
    try:
        with ThreadPoolExecutor(CLIENTS) as threads:
            assert list(threads.map(lambda each: each.get("/livez").status_code, opened))
        yield opened
    finally:
        for each in opened:
            each.close()


def totals(clients: list[httpx2.Client], query: str) -> set[int]:
    """Ask over every connection at once, and so at every worker."""

    def ask(client: httpx2.Client) -> int:
        answer = client.get(f"/v1/products?{query}")
        assert answer.status_code == 200, answer.text
        return int(answer.json()["total"])

    with ThreadPoolExecutor(CLIENTS) as threads:
        return set(threads.map(ask, clients))


@pytest.mark.parametrize(
    "query",
    [
        lambda number: f"q=fresh{number}",
        lambda number: f"brand=Brand+{number}",
        lambda number: f"price[gte]={number}.5&price[lt]={number}.6&sort=price",
    ],
    ids=["text", "brand", "price"],
)
def test_every_worker_finds_what_one_has_just_written(
    clients: list[httpx2.Client], query: Callable[[int], str], request: pytest.FixtureRequest
) -> None:
    kind = request.node.callspec.id
    for number in range(ROUNDS):
        place = number + 100
        writer = clients[number % CLIENTS]
        path = f"/v1/products/{kind}-{number}"
        body = {
            "title": f"Fresh{place}",
            "brand": f"Brand {place}",
            "price": {"amount": f"{place}.55", "currency": "EUR"},
        }
        asked = query(place)
        assert totals(clients, asked) == {0}

        assert writer.put(path, json=body).status_code == 201
        assert totals(clients, asked) == {1}
        again = writer.patch(path, json={"title": "x", "brand": None, "price": None})
        assert again.status_code == 200
        assert totals(clients, asked) == {0}
        assert writer.delete(path).status_code == 204


def test_writers_at_all_workers_find_their_own_and_earlier_writes(
    clients: list[httpx2.Client],
) -> None:
    """What one client was answered is the least that its next search sees, whoever else writes."""

    def story(place: int) -> list[tuple[int, int]]:
        writer, reader = clients[place], clients[(place + 5) % CLIENTS]
        seen = []
        for number in range(ROUNDS):
            made = writer.post("/v1/products", json={"title": f"Own{place} Everybody"})
            assert made.status_code == 201, made.text
            own = reader.get(f"/v1/products?q=own{place}&limit=1").json()["total"]
            seen.append((number + 1, own))
        return seen

    with ThreadPoolExecutor(CLIENTS) as threads:
        for seen in threads.map(story, range(10, CLIENTS)):
            assert [own for _, own in seen] == [least for least, _ in seen]
    assert totals(clients, "q=everybody") == {6 * ROUNDS}


def test_suggestions_and_facets_are_as_fresh(clients: list[httpx2.Client]) -> None:
    path = "/v1/products/quokka"
    assert clients[0].put(path, json={"title": "Quokka", "brand": "Zebra"}).status_code == 201

    for client in clients:
        suggested = client.get("/v1/suggest?q=quok").json()["items"]
        assert "quokka" in {each["id"] for each in suggested}
        facets = client.get("/v1/products?q=quokka&facets=brand").json()["facets"]
        assert facets == {"brand": [{"value": "Zebra", "count": 1}]}
        statistics = client.get("/v1/stats").json()
        assert {"value": "Zebra", "count": 1} in statistics["by_brand"]


def test_the_file_is_in_step_at_the_end(service: RunningService, tmp_path: Path) -> None:
    assert service.stop() == 0
    assert "Quokka" in (service.folder / "products.csv").read_text()
    service.start()
