"""Products written for the engine by other processes."""

import io
import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import orjson
import pytest
import tantivy
from tantivy import Query

from tests.contract.product_index import things
from vitrina.adapters.codec import store_product
from vitrina.adapters.index import building, writing
from vitrina.adapters.index.building import GivenUp, Progress
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.index.files import MANAGED
from vitrina.adapters.index.joining import join
from vitrina.adapters.index.overlay import sweep
from vitrina.adapters.index.schema import Spread, build_schema
from vitrina.adapters.index.walking import ID_PATHS, Walker
from vitrina.adapters.index.writing import HelperFailed, helpers_for, write_part, write_parts
from vitrina.domain.errors import StoreUnreadable
from vitrina.domain.product import Product
from vitrina.service_layer.ports import Stored
from vitrina.service_layer.queries import ProductQuery

PRODUCTS = [
    store_product(Product(id=f"product-{n}", title=f"Lâmpada {n}", description='Line\n"two"'))
    for n in range(1_203)
]
SPREAD = Spread.of((each.id for each in PRODUCTS), len(PRODUCTS))


def written(folder: Path, products: Iterable[Stored], helpers: int) -> list[str]:
    """Return the ids that an index holds which helpers have made."""
    write_parts(products, "pt", SPREAD, folder, helpers, lambda _: None)
    index = tantivy.Index(build_schema(), str(folder), reuse=True)
    walker = Walker(index.searcher(), index.schema, SPREAD.prefix)
    return [each.id for each in walker.page(Query.all_query(), ID_PATHS[False], 5_000)]


@pytest.mark.parametrize("helpers", [1, 2])
def test_what_helpers_write_is_one_index(tmp_path: Path, helpers: int) -> None:
    assert written(tmp_path, PRODUCTS, helpers) == sorted(each.id for each in PRODUCTS)
    assert {each.name for each in tmp_path.iterdir() if each.is_dir()} == set()
    sweep(tmp_path)  # Nothing but what belongs to the index is left.
    managed = orjson.loads((tmp_path / MANAGED).read_bytes())
    assert {each.name for each in tmp_path.iterdir()} == {*managed, MANAGED}


def test_it_is_told_how_far_the_helpers_are(tmp_path: Path) -> None:
    told: list[int] = []
    write_parts(PRODUCTS, "pt", SPREAD, tmp_path, 2, told.append)
    assert sum(told) == len(PRODUCTS)


def test_a_helper_tells_how_many_it_has_written(tmp_path: Path) -> None:
    header = {"folder": str(tmp_path / "x"), "language": "en", "prefix": "Fu", "landmarks": [1, 5]}
    lines = [orjson.dumps(header), PRODUCTS[0].body, PRODUCTS[1].body]

    assert write_part(io.BytesIO(b"\n".join(lines) + b"\n\n")) == 2


def test_a_helper_whose_input_ends_early_makes_nothing(tmp_path: Path) -> None:
    header = {"folder": str(tmp_path / "x"), "language": "en", "prefix": "Fu", "landmarks": [1, 5]}

    with pytest.raises(EOFError):
        write_part(io.BytesIO(orjson.dumps(header) + b"\n" + PRODUCTS[0].body + b"\n"))


def test_a_helper_that_dies_is_noticed(tmp_path: Path) -> None:
    broken = [*PRODUCTS[:700], Stored.of("broken", 1, b"not a product"), *PRODUCTS[700:]]

    with pytest.raises(HelperFailed, match="were given to a helper"):
        written(tmp_path, broken, 2)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_answer_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = subprocess.Popen
    command = ["/bin/sh", "-c", 'while read -r line && [ "$line" ]; do :; done; echo 1202']
    monkeypatch.setattr(subprocess, "Popen", lambda _, **options: start(command, **options))

    with pytest.raises(HelperFailed, match="1203 products were given"):
        written(tmp_path, PRODUCTS, 1)


def test_a_build_that_is_given_up_ends_while_helpers_write(tmp_path: Path) -> None:
    progress = Progress()

    def read() -> Iterator[Stored]:
        yield from PRODUCTS
        progress.stop.set()
        yield from PRODUCTS

    with pytest.raises(GivenUp):
        write_parts(read(), "pt", SPREAD, tmp_path, 2, progress.teller(2 * len(PRODUCTS)))
    assert list(tmp_path.iterdir()) == []


def test_a_catalog_that_cannot_be_read_to_its_end_is_told(tmp_path: Path) -> None:
    def read() -> Iterator[Stored]:
        yield from PRODUCTS
        raise StoreUnreadable("the disk is gone")

    with pytest.raises(StoreUnreadable, match="gone"):
        written(tmp_path, read(), 2)


def test_indexes_of_other_fields_are_not_joined(tmp_path: Path) -> None:
    parts = [tmp_path / "one", tmp_path / "two"]
    for part, name in zip(parts, ("title", "text"), strict=True):
        part.mkdir()
        tantivy.Index(tantivy.SchemaBuilder().add_text_field(name).build(), str(part))

    with pytest.raises(ValueError, match="different schemas"):
        join(parts, tmp_path)


def test_few_products_need_no_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "process_cpu_count", lambda: 16)
    assert helpers_for(writing.HELPED_FROM - 1) == 0
    assert helpers_for(writing.HELPED_FROM) == writing.HELPERS_MAX
    monkeypatch.setattr(os, "process_cpu_count", lambda: 2)
    assert helpers_for(writing.HELPED_FROM) == 2
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
    catalog = things(30)
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


def test_helpers_build_the_same_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = things(30)
    answers = []
    for helpers in (0, 2):
        monkeypatch.setattr(building, "helpers_for", lambda _, n=helpers: n)
        with TantivyIndex(catalog.view, catalog, tmp_path / str(helpers)) as index:
            assert index.search(ProductQuery("thing")).total == 30
            answers.append(index.search(ProductQuery("thing 7", limit=200)))
    assert answers[0] == answers[1]


def test_what_was_joined_when_the_disk_refused_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def joined(parts: Sequence[Path], folder: Path) -> None:
        join(parts, folder)
        raise OSError("the folder cannot be forced to the disk")

    monkeypatch.setattr(writing, "join", joined)
    monkeypatch.setattr(building, "helpers_for", lambda _: 2)
    catalog = things(30)

    with TantivyIndex(catalog.view, catalog, tmp_path) as index:
        assert index.search(ProductQuery("thing")).total == 30


def test_what_a_helper_writes_that_nobody_ended_is_in_nobodys_way(tmp_path: Path) -> None:
    """Its service was killed, and the next one builds in the same folder."""
    chosen = {*writing.part_folders(tmp_path, 2), *writing.part_folders(tmp_path, 2)}
    assert len(chosen) == 4
