"""Repairing a damaged store: all that is whole stays, and what is lost is told."""

from pathlib import Path

import pytest

from tests.integration.stores import contents, drop_snapshots, lamp, save, segments
from vitrina.adapters.journal.folder import open_store
from vitrina.adapters.journal.repair import repair
from vitrina.adapters.journal.store import StoreLimits
from vitrina.domain.product import Product
from vitrina.service_layer.opening import CannotOpen


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / ".vitrina"


def write(state: Path, numbers: range, *, segment_bytes: int = 2**20) -> dict[str, Product]:
    with open_store(state, limits=StoreLimits(segment_bytes=segment_bytes)) as opened:
        for number in numbers:
            save(opened.store, lamp(number))
        return contents(opened.store)


def test_a_whole_store_is_left_as_it_is(state: Path) -> None:
    write(state, range(3))
    before = sorted(state.rglob("*"))

    found = repair(state)

    assert (found.seq, found.products, found.damage, found.lost) == (3, 3, (), ())
    assert found.aside is None
    assert sorted(state.rglob("*")) == before


def test_a_damaged_record_costs_what_it_held(state: Path) -> None:
    all_of_them = write(state, range(5))
    drop_snapshots(state)
    live = segments(state)[0]
    data = live.read_bytes()
    live.write_bytes(data.replace(b'"id":"lamp-2"', b'"id":"lamp-7"'))

    found = repair(state)

    assert found.lost == ((3, 3),)
    assert len(found.damage) == 1
    assert str(live) in found.damage[0]
    assert found.products == 4
    assert (Path(found.aside or "") / "journal" / live.name).read_bytes() != data
    with open_store(state) as opened:
        assert contents(opened.store) == {k: v for k, v in all_of_them.items() if k != "lamp-2"}
        save(opened.store, lamp(2))
        assert opened.store.seq == 6
    assert repair(state).aside is None


def test_damage_that_a_snapshot_covers_costs_history_only(state: Path) -> None:
    all_of_them = write(state, range(5), segment_bytes=1)
    first = segments(state)[0]
    first.write_bytes(b"x" * 10)

    found = repair(state)

    assert found.lost == ()
    assert found.products == 5
    with open_store(state) as opened:
        assert contents(opened.store) == all_of_them


def test_a_missing_segment_and_a_bad_snapshot(state: Path) -> None:
    write(state, range(3), segment_bytes=1)
    segments(state)[1].unlink()
    for path in state.glob("snapshot-*"):
        path.write_bytes(b"nonsense")

    found = repair(state)

    assert found.lost == ((2, 2),)
    assert found.seq == 3
    for _ in range(2):
        write(state, range(7, 8))
    assert repair(state).products == 3


def test_a_store_in_use_is_not_repaired(state: Path) -> None:
    with open_store(state), pytest.raises(CannotOpen, match="another process"):
        repair(state)


def test_a_folder_that_is_a_file(state: Path) -> None:
    state.write_text("")

    with pytest.raises(CannotOpen, match="must be able to read and write"):
        repair(state)
