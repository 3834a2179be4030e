"""The change feed and the history of products, over HTTP against a running service."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.running import RunningService
from vitrina.service_layer.documents import PRODUCT_FIELDS


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A catalog of three lamps that was written to a little."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "products.csv").write_text("id,title,price\nlamp-1,One,1 EUR\nlamp-2,Two,2 EUR\n")
    with RunningService(folder) as service:
        client = service.client
        assert client.put("/v1/categories/lamps", json={"name": "Lamps"}).status_code == 201
        assert client.post("/v1/products", json={"id": "lamp-3", "title": "3"}).status_code == 201
        patch = {"title": "Uno", "category_id": "lamps"}
        assert client.patch("/v1/products/lamp-1", json=patch).status_code == 200
        assert client.patch("/v1/products/lamp-1", json={"quantity": 4}).status_code == 200
        assert client.delete("/v1/products/lamp-2").status_code == 204
        yield service


def told(service: RunningService, **parameters: int) -> list[tuple[int, str, str, int, str]]:
    items = service.client.get("/v1/changes", params=parameters).json()["items"]
    return [
        (
            each["seq"],
            each["type"],
            each.get("product_id") or each["category_id"],
            each["version"],
            each["source"],
        )
        for each in items
    ]


@contextmanager
def stream(
    service: RunningService, path: str = "/v1/changes", **fields: str
) -> Iterator[Iterator[dict[str, str]]]:
    """Yield the events of the live feed as they come."""
    headers = {"accept": "text/event-stream"}
    headers |= {name.replace("_", "-"): value for name, value in fields.items()}
    with (
        httpx2.Client(base_url=service.url, timeout=30) as client,
        client.stream("GET", path, headers=headers) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _events(response.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in lines:
        if not line and "data" in event:
            yield event
        if not line:
            event = {}
        else:
            name, _, value = line.partition(":")
            event[name] = value.removeprefix(" ")


def test_the_feed_tells_every_change_in_order(service: RunningService) -> None:
    assert told(service) == [
        (1, "product.created", "lamp-1", 1, "file"),
        (2, "product.created", "lamp-2", 1, "file"),
        (3, "category.created", "lamps", 1, "api"),
        (4, "product.created", "lamp-3", 1, "api"),
        (5, "product.updated", "lamp-1", 2, "api"),
        (6, "product.updated", "lamp-1", 3, "api"),
        (7, "product.deleted", "lamp-2", 1, "api"),
    ]


def test_an_entry_says_what_changed_and_shows_the_product(service: RunningService) -> None:
    entry = service.client.get("/v1/changes", params={"after": 4, "limit": 1}).json()["items"][0]

    assert entry["changed"] == ["title", "category_id"]
    assert (entry["data"]["title"], entry["data"]["version"]) == ("Uno", 2)
    assert tuple(entry["data"]) == PRODUCT_FIELDS


def test_the_feed_goes_on_after_a_number(service: RunningService) -> None:
    assert [seq for seq, *_ in told(service, after=5)] == [6, 7]
    assert told(service, after=7) == []
    answer = service.client.get("/v1/changes", params={"after": 7}).json()
    assert (answer["next"], answer["last_seq"], answer["latest_seq"]) == (None, 7, 7)


def test_the_feed_is_paged(service: RunningService) -> None:
    answer = service.client.get("/v1/changes", params={"limit": 3})
    numbers = [each["seq"] for each in answer.json()["items"]]
    while "next" in answer.links:
        answer = service.client.get(answer.links["next"]["url"])
        numbers += [each["seq"] for each in answer.json()["items"]]

    assert numbers == [1, 2, 3, 4, 5, 6, 7]


def test_a_stream_tells_the_past_and_goes_on_live(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text("id,title\nlamp,Lamp\n")
    with RunningService(tmp_path) as service, stream(service) as events:
        assert next(events)["id"] == "1"
        service.client.patch("/v1/products/lamp", json={"title": "Live"})

        event = next(events)
        assert (event["id"], event["event"]) == ("2", "product.updated")
        assert '"title":"Live"' in event["data"]


def test_a_stream_resumes_where_it_was(service: RunningService) -> None:
    with stream(service, last_event_id="5") as events:
        assert [each["id"] for each in itertools.islice(events, 2)] == ["6", "7"]
    with stream(service, "/v1/changes?last_event_id=6") as events:
        assert next(events)["id"] == "7"


def test_a_head_of_a_stream_is_its_head_alone(service: RunningService) -> None:
    """And what follows on its connection is answered."""
    headers = {"accept": "text/event-stream"}
    with httpx2.Client(base_url=service.url, timeout=10) as client:
        head = client.head("/v1/changes", headers=headers)
        following = client.get("/v1/products/lamp-1")

    assert head.status_code == 200
    assert head.headers["content-type"].startswith("text/event-stream")
    assert "content-length" not in head.headers
    assert following.status_code == 200


def test_many_streams_hear_every_change_once_and_in_order(tmp_path: Path) -> None:
    streams, writes = 20, 30
    (tmp_path / "products.csv").write_text("id,title\nlamp,Lamp\n")
    heard: list[list[str]] = []

    with RunningService(tmp_path) as service:

        def listen() -> None:
            with stream(service, last_event_id="1") as events:
                heard.append([each["id"] for each in itertools.islice(events, writes)])

        threads = [threading.Thread(target=listen) for _ in range(streams)]
        for each in threads:
            each.start()
        for number in range(writes):
            service.client.patch("/v1/products/lamp", json={"title": f"T{number}"})
        for each in threads:
            each.join(30)

    assert heard == [[str(seq) for seq in range(2, writes + 2)]] * streams


def test_a_stop_ends_the_streams(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text("id,title\nlamp,Lamp\n")
    with RunningService(tmp_path) as service, stream(service) as events:
        next(events)
        assert service.stop() == 0
        assert list(events) == []


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("after=x", 422, "invalid_query"),
        ("after=-1", 422, "invalid_query"),
        ("limit=0", 422, "invalid_query"),
        ("limit=201", 422, "invalid_query"),
        ("since=1", 422, "invalid_query"),
        ("cursor=nonsense", 400, "bad_cursor"),
    ],
)
def test_what_the_feed_refuses(service: RunningService, query: str, status: int, code: str) -> None:
    answer = service.client.get(f"/v1/changes?{query}")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_history_tells_the_versions_newest_first(service: RunningService) -> None:
    answer = service.client.get("/v1/products/lamp-1/history").json()

    assert [
        (each["version"], each["changed"], each["product"]["title"], each["source"])
        for each in answer["items"]
    ] == [
        (3, ["quantity"], "Uno", "api"),
        (2, ["title", "category_id"], "Uno", "api"),
        (1, [], "One", "file"),
    ]
    assert answer["next"] is None


def test_history_is_paged(service: RunningService) -> None:
    answer = service.client.get("/v1/products/lamp-1/history", params={"limit": 2})
    versions = [each["version"] for each in answer.json()["items"]]
    following = service.client.get(answer.links["next"]["url"]).json()

    assert versions == [3, 2]
    assert [each["version"] for each in following["items"]] == [1]


def test_a_deleted_product_has_a_history(service: RunningService) -> None:
    items = service.client.get("/v1/products/lamp-2/history").json()["items"]

    assert [(each["type"], each["product"] is None) for each in items] == [
        ("product.deleted", True),
        ("product.created", False),
    ]


@pytest.mark.parametrize("path", ["/v1/products/lamp-1", "/v1/products/lamp-1/history"])
def test_an_old_version_is_shown_as_it_was(service: RunningService, path: str) -> None:
    old = service.client.get(path, params={"version": 1})
    present = service.client.get(path, params={"version": 3})

    assert (old.json()["title"], old.json()["version"]) == ("One", 1)
    assert present.json() == service.client.get("/v1/products/lamp-1").json()
    assert old.headers["etag"] != present.headers["etag"]


def test_the_last_version_of_a_deleted_product_is_kept(service: RunningService) -> None:
    assert service.client.get("/v1/products/lamp-2?version=1").json()["title"] == "Two"
    assert service.client.get("/v1/products/lamp-2").status_code == 404


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/products/nowhere/history", 404, "product_not_found"),
        ("/v1/products/nowhere?version=1", 404, "product_not_found"),
        ("/v1/products/lamp-1?version=9", 404, "version_not_found"),
        ("/v1/products/lamp-1?version=0", 422, "invalid_query"),
        ("/v1/products/lamp-1?version=x", 422, "invalid_query"),
        ("/v1/products/lamp-1/history?limit=x", 422, "invalid_query"),
        ("/v1/products/lamp-1/history?cursor=x", 400, "bad_cursor"),
    ],
)
def test_what_history_refuses(service: RunningService, path: str, status: int, code: str) -> None:
    answer = service.client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_feed_goes_on_over_a_restart(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text("id,title\nlamp,Lamp\n")
    with RunningService(tmp_path) as service:
        service.client.patch("/v1/products/lamp", json={"title": "A"})
        service.kill()
        service.start()
        service.client.patch("/v1/products/lamp", json={"title": "B"})
        service.restart()

        assert [(seq, version) for seq, _, _, version, _ in told(service)] == [
            (1, 1),
            (2, 2),
            (3, 3),
        ]


def test_a_past_that_is_not_kept_is_gone(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text("id,title\nlamp,Lamp\n")
    limits = {
        "VITRINA_SEGMENT_BYTES": "65536",
        "VITRINA_RETAIN_BYTES": "1048576",
        "VITRINA_CHECKPOINT_BYTES": "65536",
    }
    with RunningService(tmp_path, settings=limits) as service:
        for number in range(60):
            patch = {"title": f"T{number}", "description": "x" * 60_000}
            service.client.patch("/v1/products/lamp", json=patch)
        # Two snapshots are kept, and the journal that the older one needs: each stop makes one.
        service.restart()
        service.client.patch("/v1/products/lamp", json={"title": "last"})
        service.restart()

        gone = service.client.get("/v1/changes?after=0")
        assert (gone.status_code, gone.json()["code"]) == (410, "changes_gone")
        oldest = gone.json()["oldest"]
        kept = service.client.get("/v1/changes?limit=200").json()
        assert (kept["items"][0]["seq"], kept["last_seq"]) == (oldest, 62)
        live = service.client.get("/v1/changes?after=0", headers={"accept": "text/event-stream"})
        assert live.status_code == 410
        assert service.client.get("/v1/products/lamp?version=1").status_code == 404
