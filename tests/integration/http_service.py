"""The HTTP application over a catalog in memory, called without a network."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from starlette.testclient import TestClient

from vitrina.adapters.index.scan import ScanIndex
from vitrina.adapters.memory import MemoryCatalog
from vitrina.bootstrap import Catalog
from vitrina.entrypoints.http.app import Application, create_app
from vitrina.entrypoints.http.options import DEFAULTS, HttpOptions
from vitrina.service_layer.documents import Document
from vitrina.service_layer.ports import Check

LAMP: Final[Document] = {
    "id": "lamp",
    "sku": "LAMP-1",
    "title": "Desk lamp",
    "price": {"amount": "129.90", "currency": "EUR"},
    "quantity": 4,
    "attributes": {"color": "red"},
    "tags": ["lighting"],
}
RUG: Final[Document] = {"id": "rug", "title": "Rug", "brand": "Ærø"}
MERGE_PATCH: Final = {"Content-Type": "application/merge-patch+json"}
JSON_PATCH: Final = {"Content-Type": "application/json-patch+json"}
JSON: Final = {"Content-Type": "application/json"}


def wire(catalog: MemoryCatalog, checks: Sequence[Check] = ()) -> Catalog:
    """Return a catalog in memory as the entrypoints take it."""
    return Catalog(
        view=catalog.view,
        index=ScanIndex(catalog.view, catalog),
        log=catalog,
        unit_of_work=catalog.unit_of_work,
        checks=lambda: checks,
    )


def application(*, options: HttpOptions = DEFAULTS, checks: Sequence[Check] = ()) -> Application:
    """Return the application over an empty catalog."""
    catalog = wire(MemoryCatalog(), checks)
    return create_app(lambda: nullcontext(catalog), options=options)


@contextmanager
def calling(app: Application) -> Iterator[TestClient]:
    """Yield a client of the running application."""
    with TestClient(app, follow_redirects=False, headers={"Accept-Encoding": "identity"}) as client:
        yield client


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """Return the problem of an answer, once it is one in every respect."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["code"] == code
    assert document["type"] == f"/problems/{code}"
    assert document["status"] == status
    assert document["request_id"] == response.headers["X-Request-Id"]
    assert document["title"]
    assert document["detail"]
    assert document["instance"].startswith("/")
    return document
