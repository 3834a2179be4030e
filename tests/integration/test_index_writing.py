"""Products written for the engine by other processes."""

import io
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.builders import FULL
from tests.contract.product_index import new_catalog, put
from vitrina.adapters.codec import store_product
from vitrina.adapters.index import building, writing
from vitrina.adapters.index.analysis import Analyzer
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.index.schema import Spread, Writer
from vitrina.adapters.index.writing import HelperFailed, helpers_for, write_all, written_lines
from vitrina.domain.errors import StoreUnreadable
from vitrina.domain.product import Product
from vitrina.service_layer.ports import Stored
from vitrina.service_layer.queries import ProductQuery

PRODUCTS = [
    store_product(Product(id=f"product-{n}", title=f"Lâmpada {n}", description='Line\n"two"'))
    for n in range(1_203)
]
SPREAD = Spread.of((each.id for each in PRODUCTS), len(PRODUCTS))


def written(products: list[Stored], helpers: int) -> list[str]:
    found: list[str] = []
    write_all(products, "pt", SPREAD, found.append, helpers)
    return found


@pytest.mark.parametrize("helpers", [1, 2])
def test_helpers_write_what_this_process_would(helpers: int) -> None:
    assert sorted(written(PRODUCTS, helpers)) == sorted(written(PRODUCTS, 0))


def test_a_helper_answers_line_by_line() -> None:
    stored = store_product(FULL)
    header = orjson.dumps({"language": "en", "prefix": "Fu", "landmarks": [1, 5]})

    (line,) = written_lines(io.BytesIO(header + b"\n" + stored.body + b"\n"))

    expected = Writer(Analyzer("en"), Spread("Fu", (1, 5))).write(stored.id, stored.body)
    assert line == expected.encode() + b"\n"


def test_a_helper_that_dies_is_noticed() -> None:
    broken = [*PRODUCTS[:700], Stored.of("broken", 1, b"not a product"), *PRODUCTS[700:]]

    with pytest.raises(HelperFailed, match="products were written"):
        written(broken, 1)


def test_a_torn_line_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    start = subprocess.Popen
    command = ["/bin/sh", "-c", 'cat > /dev/null; printf \'{"id": "pro\'']
    monkeypatch.setattr(subprocess, "Popen", lambda _, **options: start(command, **options))

    with pytest.raises(HelperFailed, match="in part"):
        written(PRODUCTS[:1], 1)


def test_what_the_engine_refuses_is_told() -> None:
    def refuse(document: str) -> None:
        raise ValueError(document[:5])

    with pytest.raises(ValueError, match="id"):
        write_all(PRODUCTS, "pt", SPREAD, refuse, 1)


def test_a_catalog_that_cannot_be_read_to_its_end_is_told() -> None:
    def read() -> Iterator[Stored]:
        yield from PRODUCTS
        raise StoreUnreadable("the disk is gone")

    with pytest.raises(StoreUnreadable, match="gone"):
        write_all(read(), "pt", SPREAD, lambda _: None, 2)


def test_few_products_need_no_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "process_cpu_count", lambda: 16)
    assert helpers_for(writing.HELPED_FROM - 1) == 0
    assert helpers_for(writing.HELPED_FROM) == writing.HELPERS_MAX
    monkeypatch.setattr(os, "process_cpu_count", lambda: 1)
    assert helpers_for(writing.HELPED_FROM) == 0


@pytest.mark.parametrize("can_start", [True, False])
def test_an_index_is_built_also_without_its_helpers(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    can_start: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Whether the system refuses another process, or it dies at once."""
    catalog = new_catalog()
    put(catalog, *(Product(id=f"product-{n}", title=f"Thing {n}") for n in range(30)))
    start = subprocess.Popen

    def popen(command: list[str], **options: object) -> object:
        if not can_start:
            raise BlockingIOError("no more processes")
        return start(["/bin/false"], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", popen)
    monkeypatch.setattr(building, "helpers_for", lambda _: 1)

    with TantivyIndex(catalog.view, catalog, tmp_path) as index:
        assert index.search(ProductQuery("thing", limit=200)).total == 30
    assert "the index is built by one process" in caplog.text


def test_helpers_build_the_same_index(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = new_catalog()
    put(catalog, *(Product(id=f"product-{n}", title=f"Thing {n}") for n in range(30)))
    answers = []
    for helpers in (0, 2):
        monkeypatch.setattr(building, "helpers_for", lambda _, n=helpers: n)
        with TantivyIndex(catalog.view, catalog) as index:
            answers.append(index.search(ProductQuery("thing 7", limit=200)))
    assert answers[0] == answers[1]
