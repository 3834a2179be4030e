"""The index on the disk: gone on with when it is of use, made anew when it is not."""

import shutil
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import orjson
import pytest
import tantivy

from tests.builders import LAMP
from tests.contract.product_index import START, STEP, Clock, put, remove, things
from tests.waiting import until
from vitrina.adapters.index import engine, following, opening
from vitrina.adapters.index.building import build
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.index.reading import Reading
from vitrina.adapters.memory import MemoryCatalog
from vitrina.domain.errors import ChangesGone, IndexBuilding, StoreUnreadable
from vitrina.domain.product import Product
from vitrina.service_layer.changes import Change
from vitrina.service_layer.ports import CheckStatus, Stored
from vitrina.service_layer.queries import ProductQuery

EVERYTHING = ProductQuery(limit=200)


class Watched:
    """A catalog that tells whether all of it was read, and may have forgotten its changes."""

    def __init__(self, catalog: MemoryCatalog) -> None:
        self._catalog = catalog
        self.view = catalog.view
        self.read_whole = 0
        self.oldest = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._catalog.view, name)

    @property
    def seq(self) -> int:
        return self._catalog.seq

    def snapshot(self) -> tuple[int, Collection[Stored]]:
        self.read_whole += 1
        return self._catalog.view.snapshot()

    def changes(self, after: int, *, limit: int) -> Sequence[Change]:
        if after < self.oldest:
            raise ChangesGone(after, oldest=self.oldest)
        return self._catalog.changes(after, limit=limit)


@pytest.fixture
def catalog() -> MemoryCatalog:
    return things(5)


@pytest.fixture
def watched(catalog: MemoryCatalog) -> Watched:
    return Watched(catalog)


def opened(watched: Watched, folder: Path, reading: Reading | None = None) -> TantivyIndex:
    return TantivyIndex(watched, watched, folder, reading)  # type: ignore[arg-type]


def ids(index: TantivyIndex, text: str | None = None) -> tuple[str, ...]:
    return index.search(replace(EVERYTHING, text=text)).ids


def test_it_is_gone_on_with(catalog: MemoryCatalog, watched: Watched, tmp_path: Path) -> None:
    with opened(watched, tmp_path) as index:
        before = ids(index)
    assert watched.read_whole == 1
    put(catalog, LAMP)
    remove(catalog, "product-3")

    with opened(watched, tmp_path) as index:
        assert ids(index) == tuple(sorted({*before, "lamp"} - {"product-3"}))
        put(catalog, Product(id="another", title="Another"))
        assert "another" in ids(index)
    assert watched.read_whole == 1


def _lose_note(folder: Path) -> None:
    (folder / "0.json").unlink()


def _break_note(folder: Path) -> None:
    (folder / "0.json").write_bytes(b'{"seq": 1')


def _made_otherwise(folder: Path) -> None:
    note = orjson.loads((folder / "0.json").read_bytes())
    (folder / "0.json").write_bytes(orjson.dumps({**note, "made_of": "0 xx 0.1"}))


def _of_the_future(folder: Path) -> None:
    note = orjson.loads((folder / "0.json").read_bytes())
    (folder / "0.json").write_bytes(orjson.dumps({**note, "seq": 10**6}))


def _lose_files(folder: Path) -> None:
    shutil.rmtree(folder / "0")


def _lose_segments(folder: Path) -> None:
    for path in (folder / "0").glob("*.store"):
        path.unlink()


def _break_list(folder: Path) -> None:
    (folder / "0" / "meta.json").write_bytes(b"\x00" * 20)


def _cut_files(folder: Path) -> None:
    for path in (folder / "0").iterdir():
        if path.suffix in {".fast", ".idx", ".term", ".store"}:
            path.write_bytes(path.read_bytes()[:10])


@pytest.mark.parametrize(
    "damage",
    [
        _lose_note,
        _break_note,
        _made_otherwise,
        _of_the_future,
        _lose_files,
        _lose_segments,
        _break_list,
        _cut_files,
    ],
)
def test_what_is_of_no_use_is_made_anew(watched: Watched, tmp_path: Path, damage: object) -> None:
    with opened(watched, tmp_path) as index:
        before = ids(index)
    assert callable(damage)
    damage(tmp_path)

    with opened(watched, tmp_path) as index:
        assert ids(index) == before
        assert index.checks()[0].status is CheckStatus.PASS
    assert watched.read_whole == 2


def test_another_past_of_as_many_changes_is_another_catalog(
    catalog: MemoryCatalog, watched: Watched, tmp_path: Path
) -> None:
    """Somebody deleted the journal and left the index: it begins anew, and counts from 1."""
    with opened(watched, tmp_path) as index:
        ids(index)
    anew = MemoryCatalog(clock=Clock(start=START + 1000 * STEP))
    while anew.seq < catalog.seq:
        put(anew, Product(id=f"other-{anew.seq}", title="Other"))

    with opened(Watched(anew), tmp_path) as index:
        assert ids(index) == tuple(sorted(f"other-{n}" for n in range(anew.seq)))


def test_an_index_at_a_change_that_is_no_longer_kept_is_gone_on_with(
    catalog: MemoryCatalog, watched: Watched, tmp_path: Path
) -> None:
    with opened(watched, tmp_path) as index:
        before = ids(index)
    watched.oldest = catalog.seq
    with opened(watched, tmp_path) as index:
        assert ids(index) == before
    assert watched.read_whole == 1


def test_an_index_of_products_that_are_not_there_is_made_anew(
    catalog: MemoryCatalog, watched: Watched, tmp_path: Path
) -> None:
    """The last change cannot be told from another, as it is no longer kept."""
    with opened(watched, tmp_path) as index:
        ids(index)
    anew = MemoryCatalog(clock=Clock())
    while anew.seq < catalog.seq:
        put(anew, Product(id=f"other-{anew.seq}", title="Other"))
    other = Watched(anew)
    other.oldest = anew.seq

    with opened(other, tmp_path) as index:
        assert set(ids(index)) == {f"other-{n}" for n in range(anew.seq)}
    assert other.read_whole == 1


def test_another_language_is_another_index(watched: Watched, tmp_path: Path) -> None:
    for language in ("en", "pt", "pt"):
        with opened(watched, tmp_path, Reading(language)) as index:
            assert len(ids(index, "thing")) == 5
    assert watched.read_whole == 2


def test_one_that_fell_too_far_behind_is_made_anew(
    catalog: MemoryCatalog, watched: Watched, tmp_path: Path
) -> None:
    with opened(watched, tmp_path) as index:
        put(catalog, LAMP)
        watched.oldest = catalog.seq
        assert "lamp" in ids(index)
    put(catalog, replace(LAMP, id="lamp2", sku=None, slug=None))
    watched.oldest = catalog.seq

    with opened(watched, tmp_path) as index:
        assert "lamp2" in ids(index)
    assert watched.read_whole == 3


def test_two_processes_have_an_index_each(watched: Watched, tmp_path: Path) -> None:
    with opened(watched, tmp_path) as one, opened(watched, tmp_path) as other:
        assert ids(one) == ids(other)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("0", "0.json", "0.lock"),
        *("1", "1.json", "1.lock"),
    }


def test_a_folder_that_cannot_be_written_to_leaves_it_in_memory(
    watched: Watched, tmp_path: Path
) -> None:
    place = tmp_path / "index"
    place.write_text("a file")

    with opened(watched, place) as index:
        assert len(ids(index)) == 5
        (check,) = index.checks()
    assert (check.name, check.status) == ("index", CheckStatus.WARN)
    assert str(place) in check.detail


@pytest.mark.parametrize("error", [OSError("no space left on device"), ValueError("no space")])
def test_a_disk_that_is_full_before_it_is_built_leaves_it_in_memory(
    catalog: MemoryCatalog,
    watched: Watched,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def build_where_there_is_room(*given: Any) -> tantivy.Index:
        if tmp_path / "0" in given:
            raise error
        return build(*given)

    monkeypatch.setattr(following, "build", build_where_there_is_room)
    with opened(watched, tmp_path) as index:
        assert len(ids(index)) == 5
        put(catalog, LAMP)
        assert "lamp" in ids(index)
        assert index.checks()[0].status is CheckStatus.WARN


def test_it_lets_go_of_the_disk_also_when_the_engine_does_not_end_well(
    watched: Watched, tmp_path: Path
) -> None:
    with opened(watched, tmp_path) as index:
        index._follower._writer.wait_merging_threads()  # noqa: SLF001 - from now on it refuses

    with opened(watched, tmp_path) as index:
        assert (tmp_path / "0.json").exists()
        assert not (tmp_path / "1.lock").exists()


def test_it_is_opened_anew_now_and_then(
    catalog: MemoryCatalog, watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "COMMITS_MAX", 2)
    with opened(watched, tmp_path) as index:
        expected = set(ids(index))
        for number in range(9):
            put(catalog, Product(id=f"more-{number}", title=f"More {number}"))
            assert set(ids(index)) == expected | {f"more-{number}"}
            assert ids(index, f"more {number}")[0] == f"more-{number}"
            remove(catalog, f"more-{number}")
            assert set(ids(index)) == expected

    with opened(watched, tmp_path) as index:
        assert set(ids(index)) == expected
    assert watched.read_whole == 1


class Endless:
    """A catalog whose products take their time."""

    def __init__(self, catalog: MemoryCatalog) -> None:
        self._catalog = catalog
        self.may_go_on = Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self._catalog.view, name)

    def snapshot(self) -> tuple[int, Collection[Stored]]:
        self.may_go_on.wait(30)
        return self._catalog.view.snapshot()


def test_whoever_searches_while_it_is_built_is_told(
    catalog: MemoryCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "OPEN_PATIENCE_S", 0.01)
    slow = Endless(catalog)

    with TantivyIndex(slow, catalog) as index:  # type: ignore[arg-type]
        with pytest.raises(IndexBuilding):
            index.search(EVERYTHING)
        assert index.checks()[0].status is CheckStatus.FAIL
        slow.may_go_on.set()
        index._opening.done.wait(30)  # noqa: SLF001 - the end of another thread's work
        assert index.search(EVERYTHING).total == 5


def test_a_stop_does_not_wait_for_an_index_that_is_being_built(
    catalog: MemoryCatalog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engine, "OPEN_PATIENCE_S", 0.01)
    slow = Endless(catalog)
    index = TantivyIndex(slow, catalog, tmp_path)  # type: ignore[arg-type]
    closing = Thread(target=index.close)
    closing.start()
    while not index._opening.progress.stop.is_set():  # noqa: SLF001 - what the other thread does
        closing.join(0.01)
    slow.may_go_on.set()
    closing.join(30)

    assert not closing.is_alive()
    assert not (tmp_path / "0.json").exists()
    monkeypatch.undo()
    with TantivyIndex(catalog.view, catalog, tmp_path) as again:
        assert again.search(EVERYTHING).total == 5


class Broken:
    """A catalog that cannot be read."""

    seq = 1

    def snapshot(self) -> tuple[int, Collection[Stored]]:
        raise OSError("the disk is gone")


def test_an_index_that_cannot_be_built_says_so(catalog: MemoryCatalog) -> None:
    with TantivyIndex(Broken(), catalog) as index:  # type: ignore[arg-type]
        with pytest.raises(RuntimeError):
            index.search(EVERYTHING)
        (check,) = index.checks()
    assert check.status is CheckStatus.FAIL
    assert "the disk is gone" in check.detail


def test_an_engine_that_gives_up_while_it_builds_is_told(
    catalog: MemoryCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(*_: object) -> tantivy.Index:
        raise PanicException("index out of bounds")

    monkeypatch.setattr(following, "build", give_up)
    monkeypatch.setattr(engine, "OPEN_PATIENCE_S", 1)
    with TantivyIndex(catalog.view, catalog) as index:
        with pytest.raises(RuntimeError):
            index.search(EVERYTHING)
        (check,) = index.checks()
    assert check.status is CheckStatus.FAIL
    assert "index out of bounds" in check.detail


class Unreadable(Watched):
    """A catalog that the system refuses to read at first."""

    def snapshot(self) -> tuple[int, Collection[Stored]]:
        self.read_whole += 1
        if self.read_whole <= 2:
            raise StoreUnreadable("too many open files")
        return self._catalog.view.snapshot()


def test_it_waits_for_a_catalog_that_cannot_be_read(
    catalog: MemoryCatalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "RETRY_S", 0.01)
    unreadable = Unreadable(catalog)
    with opened(unreadable, tmp_path) as index:
        assert len(ids(index)) == 5
        assert unreadable.read_whole == 3


class UnreadableChanges(Watched):
    """A catalog whose changes the system refuses to read, so many times."""

    refused = 0

    def changes(self, after: int, *, limit: int) -> Sequence[Change]:
        if self.refused:
            self.refused -= 1
            raise StoreUnreadable("too many open files")
        return super().changes(after, limit=limit)


@pytest.mark.parametrize("in_memory", [True, False])
def test_it_is_gone_on_with_when_its_catalog_can_be_read_again(
    catalog: MemoryCatalog,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_memory: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    monkeypatch.setattr(opening, "RETRY_S", 0.01)
    memory = tmp_path / "memory"
    memory.mkdir()
    unreadable = UnreadableChanges(catalog)
    for unreadable.refused in (0, 3):
        with TantivyIndex(
            unreadable,  # type: ignore[arg-type]
            unreadable,  # type: ignore[arg-type]
            tmp_path / "disk",
            memory=memory if in_memory else None,
        ) as index:
            assert len(ids(index)) == 5
            in_use = [each.name for each in memory.glob("*/*") if each.is_dir()]
            assert in_use == (["0"] if in_memory else [])
    assert unreadable.read_whole == 1


def test_a_stop_ends_the_wait_for_a_catalog_that_cannot_be_read(
    catalog: MemoryCatalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "RETRY_S", 3_600)
    monkeypatch.setattr(engine, "OPEN_PATIENCE_S", 0)
    with opened(Unreadable(catalog), tmp_path) as index:
        assert index.checks()[0].status is CheckStatus.FAIL


def test_it_is_made_anew_when_the_positions_of_words_are_gone(
    watched: Watched, tmp_path: Path
) -> None:
    with opened(watched, tmp_path) as index:
        before = ids(index, "thing 3")
    for each in tmp_path.rglob("*.pos"):
        each.unlink()
    with opened(watched, tmp_path) as index:
        assert ids(index, "thing 3") == before
    assert watched.read_whole == 2


class PanicException(BaseException):
    """What the engine raises where a damaged file leads it to what it takes for impossible."""


def test_it_is_made_anew_when_the_engine_gives_up_on_it(watched: Watched, tmp_path: Path) -> None:
    with opened(watched, tmp_path) as index:
        before = ids(index)
    panics = iter([PanicException("index out of bounds")])

    class Damaged(Watched):
        def changes(self, after: int, *, limit: int) -> Sequence[Change]:
            for each in panics:
                raise each
            return super().changes(after, limit=limit)

    damaged = Damaged(watched._catalog)  # noqa: SLF001 - the same catalog, seen otherwise
    with opened(damaged, tmp_path) as index:
        assert ids(index) == before
    assert damaged.read_whole == 1


@pytest.mark.parametrize("error", [PanicException("out of bounds"), ValueError("a bad block")])
def test_it_is_made_anew_when_a_search_finds_it_damaged(
    watched: Watched, tmp_path: Path, error: BaseException
) -> None:
    """Most of the files are looked at only when something in them is asked for."""
    with opened(watched, tmp_path) as index:
        before = ids(index)
    errors = iter([error])

    class Damaged(Watched):
        def products(self, product_ids: Sequence[str]) -> list[Stored | None]:
            for each in errors:
                raise each
            return self._catalog.view.products(product_ids)

    damaged = Damaged(watched._catalog)  # noqa: SLF001 - the same catalog, seen otherwise
    with opened(damaged, tmp_path) as index:
        with pytest.raises(IndexBuilding):
            index.search(replace(EVERYTHING, text="thing", explain=True))
        until(lambda: index.checks()[0].status is CheckStatus.PASS)
        assert ids(index) == before
    assert damaged.read_whole == 1


def test_an_index_of_its_own_is_not_doubted(watched: Watched, tmp_path: Path) -> None:
    """Else a question that the engine chokes on would have it built again and again."""

    class Choking(Watched):
        def products(self, product_ids: Sequence[str]) -> list[Stored | None]:
            raise ValueError(f"no such block for {product_ids}")

    choking = Choking(watched._catalog)  # noqa: SLF001 - the same catalog, seen otherwise
    with opened(choking, tmp_path) as index:
        with pytest.raises(ValueError, match="no such block"):
            index.search(replace(EVERYTHING, text="thing", explain=True))
        assert index.checks()[0].status is CheckStatus.PASS
    assert choking.read_whole == 1
