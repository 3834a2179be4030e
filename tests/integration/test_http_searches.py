"""Long searches over HTTP: nothing else waits for them, and there are never too many."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from tests.integration.http_service import LAMP, calling, problem, wire
from tests.waiting import until
from vitrina.adapters.memory import MemoryCatalog
from vitrina.entrypoints.http.app import create_app
from vitrina.entrypoints.http.problems import Refusal
from vitrina.entrypoints.http.searches import KINDS_MAX, UNDER_WAY_MAX, Searches
from vitrina.service_layer.products import add_product
from vitrina.service_layer.queries import Hits, ProductQuery, Related, Suggestion, SuggestionKind

PATIENCE_S = 30
"""How long a search that is never let go holds out: then the test has failed."""


class SlowIndex:
    """An index whose answers come when they are let go."""

    def __init__(self, *, behind: bool) -> None:
        self.behind = behind
        self.begun = threading.Semaphore(0)
        self.let_go = threading.Event()
        self.threads: list[str] = []

    def search(self, query: ProductQuery) -> Hits:
        self._wait()
        return Hits(("lamp",), 1, facets={each.field: [] for each in query.facets})

    def suggest(self, text: str, limit: int) -> Sequence[Suggestion]:
        self._wait()
        return [Suggestion(SuggestionKind.QUERY, text)][:limit]

    def related(self, product_id: str, limit: int) -> Sequence[Related]:
        self._wait()
        return [Related(product_id, 1.0)][:limit]

    def _wait(self) -> None:
        self.threads.append(threading.current_thread().name)
        self.begun.release()
        assert self.let_go.wait(PATIENCE_S), "nobody let the search go: something waits for it"


@contextmanager
def serving(index: SlowIndex) -> Iterator[TestClient]:
    catalog = MemoryCatalog()
    add_product(catalog.unit_of_work(), LAMP)
    opened = replace(wire(catalog), index=index)
    with calling(create_app(lambda: nullcontext(opened))) as client:
        yield client
        index.let_go.set()


@pytest.mark.parametrize("behind", [True, False])
@pytest.mark.parametrize(
    "path",
    ["/v1/products?q=lamp", "/v1/suggest?q=la", "/v1/products/lamp/related", "/v1/stats"],
)
def test_other_requests_are_answered_during_a_long_search(path: str, behind: bool) -> None:  # noqa: FBT001
    index = SlowIndex(behind=behind)
    with serving(index) as client, ThreadPoolExecutor(1) as others:
        long = others.submit(client.get, path)
        assert index.begun.acquire(timeout=PATIENCE_S)

        health = client.get("/livez")
        one = client.get("/v1/products/lamp")
        written = client.patch("/v1/products/lamp", json={"quantity": 3})

        assert not long.done()
        assert (health.status_code, one.status_code, written.status_code) == (200, 200, 200)
        index.let_go.set()
        assert long.result(PATIENCE_S).status_code == 200


def test_an_answer_that_a_change_overtook_has_no_tag_and_is_not_kept() -> None:
    index = SlowIndex(behind=True)
    with serving(index) as client, ThreadPoolExecutor(1) as others:
        overtaken = others.submit(client.get, "/v1/products?q=lamp")
        assert index.begun.acquire(timeout=PATIENCE_S)
        client.patch("/v1/products/lamp", json={"quantity": 3}).raise_for_status()
        index.let_go.set()

        assert "ETag" not in overtaken.result(PATIENCE_S).headers
        for _ in range(2):  # Kept from now on: the index is asked once more.
            again = client.get("/v1/products?q=lamp")
            assert again.json()["items"][0]["quantity"] == 3
            assert "ETag" in again.headers
    assert len(index.threads) == 2


def test_too_many_long_searches_are_refused_at_once() -> None:
    index = SlowIndex(behind=True)
    with serving(index) as client, ThreadPoolExecutor(UNDER_WAY_MAX) as others:
        searches: Searches = client.app_state["searches"]
        waiting = [
            others.submit(client.get, f"/v1/products?q=lamp{number}")
            for number in range(UNDER_WAY_MAX)
        ]
        until(lambda: searches.under_way == UNDER_WAY_MAX)

        refused = client.get("/v1/products?q=one+more")

        problem(refused, 503, "too_many_searches")
        assert refused.headers["Retry-After"] == "1"
        assert client.get("/v1/products/lamp").status_code == 200
        index.let_go.set()
        assert {each.result(PATIENCE_S).status_code for each in waiting} == {200}
        assert client.get("/v1/products?q=one+more").status_code == 200


class TestWhereSearchesRun:
    """On the event loop or in a thread."""

    def run(self, *asked: tuple[str, Callable[[], str]], behind: bool = False) -> list[str]:
        """Ask questions of kinds, each for the thread that it is answered in."""
        index = SlowIndex(behind=behind)

        async def story() -> list[str]:
            searches = Searches()
            try:
                return [await searches.ask(index, kind, each) for kind, each in asked]
            finally:
                searches.close()

        return asyncio.run(story())

    def quick(self) -> str:
        return threading.current_thread().name

    def busy(self) -> str:
        """Take much of the processor."""
        sum(number * number for number in range(300_000))
        return threading.current_thread().name

    def test_a_kind_that_was_quick_runs_on_the_loop(self) -> None:
        first, second, third = self.run(
            ("page", self.quick), ("page", self.quick), ("text", self.quick)
        )

        assert first.startswith("search")
        assert second == threading.current_thread().name
        assert third.startswith("search")

    def test_a_kind_that_was_long_once_stays_in_threads_for_a_while(self) -> None:
        names = self.run(("a", self.busy), *[("a", self.quick)] * 60)

        assert names[1].startswith("search")
        assert names[-1] == threading.current_thread().name

    def test_one_outlier_does_not_move_a_kind_to_threads(self) -> None:
        names = self.run(*[("a", self.quick)] * 3, ("a", self.busy), ("a", self.quick))

        assert set(names[1:]) == {threading.current_thread().name}

    def test_an_index_that_is_behind_is_asked_in_a_thread(self) -> None:
        names = self.run(("a", self.quick), ("a", self.quick), behind=True)

        assert all(each.startswith("search") for each in names)

    def test_only_so_many_kinds_are_remembered(self) -> None:
        kinds = [(str(number), self.quick) for number in range(KINDS_MAX + 1)]

        names = self.run(*kinds, ("1", self.quick), ("0", self.quick))

        assert names[-2] == threading.current_thread().name
        assert names[-1].startswith("search")

    def test_a_failed_question_is_not_under_way(self) -> None:
        def fail() -> str:
            raise Refusal("not_found", "x")

        async def story() -> int:
            searches = Searches()
            for _ in range(UNDER_WAY_MAX + 1):
                with pytest.raises(Refusal, match="x"):
                    await searches.ask(SlowIndex(behind=True), "a", fail)
            searches.close()
            return searches.under_way

        assert asyncio.run(story()) == 0
