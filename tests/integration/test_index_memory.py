"""What the search engine keeps in memory does not grow with the changes that it has taken in.

The memory is the C library's, which Python's own counts know nothing of. It differs with what the
engine's threads are just about; so the least of many looks is compared.
"""

import ctypes
import gc
import platform
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.contract.product_index import new_catalog, put
from vitrina.adapters.index import following
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.index.state import State
from vitrina.domain.product import Product
from vitrina.service_layer.changes import Change
from vitrina.service_layer.queries import Facet, ProductQuery, Sort

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - each test has a folder of its own in it
OPENED_ANEW_AFTER = 50
CHANGES = 150
PRODUCTS = 20
GROWTH_MAX = 200_000
"""Never opened anew, it grows by more than 500,000; otherwise the least is less than it was."""


class _Counts(ctypes.Structure):
    """``struct mallinfo2``, see mallinfo(3)."""

    _fields_ = (
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks")),
        *((name, ctypes.c_size_t) for name in ("hblkhd", "usmblks", "fsmblks")),
        *((name, ctypes.c_size_t) for name in ("uordblks", "fordblks", "keepcost")),
    )


def bytes_in_use() -> int:
    """Return how many bytes of this process malloc has given out."""
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = _Counts
    counts = mallinfo2()
    return int(counts.uordblks) + int(counts.hblkhd)


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder where a commit of the engine waits for no disk, if there is one."""
    if not SHARED_MEMORY.is_dir():
        yield tmp_path
        return
    with TemporaryDirectory(dir=SHARED_MEMORY) as folder:
        yield Path(folder)


class Turning:
    """A catalog whose products become something else in turn, for ever; it keeps one change."""

    def __init__(self) -> None:
        catalog = new_catalog()
        names = [f"product-{number}" for number in range(PRODUCTS)]
        self._bodies: list[bytes] = []
        for title in ("One thing", "Another thing"):
            put(catalog, *(Product(id=each, title=title) for each in names))
            found = catalog.view.products(names)
            self._bodies += [each.body for each in found if each is not None]
        self._view = catalog.view
        self._change = catalog.changes(catalog.seq - 1, limit=1)[0]

    def __getattr__(self, name: str) -> object:
        return getattr(self._view, name)

    @property
    def seq(self) -> int:
        return self._change.seq

    def turn(self) -> None:
        number = self.seq % len(self._bodies)
        name = f"product-{number % PRODUCTS}"
        self._change = replace(self._change, seq=self.seq + 1, id=name, body=self._bodies[number])

    def changes(self, after: int, *, limit: int) -> Sequence[Change]:
        return [self._change] if after < self.seq and limit else []


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc tells how much is in use")
def test_it_does_not_grow_with_the_changes(
    quick_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "COMMITS_MAX", OPENED_ANEW_AFTER)
    catalog = Turning()

    def take_in(changes: int) -> int:
        """Take in changes one by one; return the least that was in use meanwhile."""
        found: list[int] = []
        for _ in range(changes):
            catalog.turn()
            assert index.search(ProductQuery(text="thing", limit=1)).total == PRODUCTS
            found.append(bytes_in_use())
        return min(found)

    with TantivyIndex(catalog, catalog, quick_folder) as index:  # type: ignore[arg-type]
        take_in(CHANGES)
        before = take_in(CHANGES)
        take_in(CHANGES)
        assert take_in(CHANGES) - before < GROWTH_MAX


def test_a_state_is_let_go_of_with_the_next_change() -> None:
    """At once, with all that is remembered of it: not when the garbage collector comes by."""

    def states() -> int:
        return sum(isinstance(each, State) for each in gc.get_objects())

    catalog = new_catalog()
    put(catalog, Product(id="a", title="One thing"), Product(id="b", title="Another thing"))
    with TantivyIndex(catalog.view, catalog) as index:
        gc.collect()
        before = states()
        gc.disable()
        try:
            for title in ("One", "Two", "Three"):
                put(catalog, Product(id="a", title=title))
                index.search(ProductQuery(text="thing", facets=(Facet("brand"),)))
                index.search(ProductQuery(sort=Sort("title"), limit=1))
                index.search(ProductQuery(sort=Sort("attributes.size")))
                index.suggest("thing", 1)
                index.related("a", 1)
            put(catalog, Product(id="a", title="Last"))
            index.search(ProductQuery())
            assert states() == before
        finally:
            gc.enable()
