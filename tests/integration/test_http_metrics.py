"""``/metrics`` over HTTP: its forms, and what counts as which request."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_open_metrics,
)
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from tests.integration.http_service import LAMP, application, calling, problem
from vitrina.service_layer import metrics
from vitrina.service_layer.metrics import Kind

ASKED_BY_PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)

type Series = tuple[str, ...]


@pytest.fixture
def client() -> Iterator[TestClient]:
    with calling(application()) as client:
        yield client


def requests(client: TestClient) -> dict[Series, float]:
    """Return method, route and class of status → how many."""
    found: dict[Series, float] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            if sample.name == metrics.REQUESTS.name:
                labels = sample.labels
                found[labels["method"], labels["route"], labels["status"]] = sample.value
    return found


def test_every_metric_is_told(client: TestClient) -> None:
    """Those that the store and the file tell are missing: there is none here."""
    told = {each.name for each in text_string_to_metric_families(client.get("/metrics").text)}
    for metric in metrics.ALL:
        name = metric.name.removesuffix("_total")
        assert name in told, name
    assert {"process_cpu_seconds", "process_resident_memory_bytes", "process_open_fds"} <= told


def test_the_forms(client: TestClient) -> None:
    plain = client.get("/metrics")
    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert plain.headers["Cache-Control"] == "no-store"
    for accept in ("application/openmetrics-text", ASKED_BY_PROMETHEUS):
        open_metrics = client.get("/metrics", headers={"Accept": accept})
        media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"
        assert open_metrics.headers["Content-Type"] == media_type
        assert open_metrics.text.endswith("# EOF\n")
        assert list(parse_open_metrics(open_metrics.text))  # type: ignore[no-untyped-call]
    assert client.get("/metrics", headers={"Accept": "text/plain"}).text.startswith("# HELP")
    problem(client.get("/metrics", headers={"Accept": "image/png"}), 406, "not_acceptable")
    problem(client.get("/metrics?x=1"), 422, "invalid_query")
    head = client.head("/metrics")
    assert (head.status_code, head.content) == (200, b"")


def test_promtool_finds_nothing_to_mend(client: TestClient) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    client.get("/v1/products/none")
    done = subprocess.run(
        [promtool, "check", "metrics"],
        input=client.get("/metrics").content,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_counts_as_which_request(client: TestClient) -> None:
    client.post("/v1/products", json=LAMP)
    client.get("/v1/products/lamp")  # At once.
    client.get("/v1/products/lamp?fields=id")  # Through the table of routes.
    client.head("/v1/products/lamp")
    client.get("/v1/products/lamp", headers={"If-None-Match": "*"})
    client.get("/v1/products/none")
    client.get("/v1/products?colour=red")
    client.post("/v1/products/lamp", json={})
    client.options("/v1/products")
    client.get("/no/such/page")
    client.request("BREW", "/v1/products")
    client.get("/docs")

    assert requests(client) == {
        ("POST", "/v1/products", "2xx"): 1,
        ("GET", "/v1/products/{id}", "2xx"): 2,
        ("GET", "/v1/products/{id}", "3xx"): 1,
        ("GET", "/v1/products/{id}", "4xx"): 1,
        ("HEAD", "/v1/products/{id}", "2xx"): 1,
        ("GET", "/v1/products", "4xx"): 1,
        ("POST", "other", "4xx"): 1,
        ("OPTIONS", "other", "2xx"): 1,
        ("GET", "other", "4xx"): 1,
        ("other", "other", "4xx"): 1,
        ("GET", "other", "2xx"): 1,
    }


def test_the_buckets_of_a_route_add_up(client: TestClient) -> None:
    for _ in range(5):
        client.get("/v1/products/none")
    families = text_string_to_metric_families(client.get("/metrics").text)
    (family,) = [each for each in families if each.name == metrics.REQUEST_SECONDS.name]
    counts = [
        sample.value
        for sample in family.samples
        if sample.name.endswith("_bucket") and sample.labels["route"] == "/v1/products/{id}"
    ]
    assert family.type == Kind.HISTOGRAM.value
    assert counts == sorted(counts)
    assert counts[-1] == 5
