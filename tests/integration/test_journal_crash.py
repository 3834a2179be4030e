"""What a crash, a cut, or a flipped bit leaves of a journal."""

import re
import shutil
import zlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from tests.integration.stores import contents, drop_snapshots, lamp, save, segments
from vitrina.adapters.journal.folder import open_store
from vitrina.adapters.journal.store import StoreLimits
from vitrina.domain.product import Product
from vitrina.service_layer.opening import CannotOpen
from vitrina.service_layer.ports import CheckStatus

type History = list[dict[str, Product]]

steps = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=8).filter(str.strip),
    ),
    max_size=12,
)


def write_history(state: Path, titles: list[tuple[int, str]], *, segment_bytes: int) -> History:
    """Write one unit of work per step; return the catalog before the first and after each."""
    history: History = [{}]
    with open_store(state, limits=StoreLimits(segment_bytes=segment_bytes)) as opened:
        for number, title in titles:
            save(opened.store, lamp(number, title=title))
            history.append(contents(opened.store))
    drop_snapshots(state)
    return history


@settings(max_examples=150, deadline=None)
@given(titles=steps, segment_bytes=st.sampled_from([1, 700, 2**20]), data=st.data())
def test_cut_anywhere_it_opens_to_a_prefix_of_its_history(
    tmp_path_factory: pytest.TempPathFactory,
    titles: list[tuple[int, str]],
    segment_bytes: int,
    data: st.DataObject,
) -> None:
    """A crash may tear the last write; it never tears the past.

    Method: write a history, cut the live segment at any byte, and reopen. Exactly the units of
    work whose line is whole are there, the next one follows them, and all is there once more.
    """
    state = tmp_path_factory.mktemp("shop") / ".vitrina"
    history = write_history(state, titles, segment_bytes=segment_bytes)
    *sealed, live = segments(state)
    written = live.read_bytes()
    cut = data.draw(st.integers(0, len(written)), label="cut")
    live.write_bytes(written[:cut])
    whole = sum(each.read_bytes().count(b"\n") for each in sealed) + written[:cut].count(b"\n")
    states = [
        history[0],
        *(each for before, each in pairwise(history) if each != before),
    ]

    with open_store(state) as opened:
        assert contents(opened.store) == states[whole]
        save(opened.store, lamp(9, title="next"))
        expected = contents(opened.store)
    drop_snapshots(state)
    with open_store(state) as opened:
        assert contents(opened.store) == expected
        assert opened.store.seq == whole + 1


def test_every_byte_of_one_journal(tmp_path: Path) -> None:
    """The same without chance, for each byte of a short journal."""
    state = tmp_path / "a" / ".vitrina"
    state.parent.mkdir()
    history = write_history(state, [(1, "One"), (2, "Zwei 🛋"), (1, "Eins")], segment_bytes=2**20)
    written = segments(state)[0].read_bytes()
    for cut in range(0, len(written) + 1, 3):
        copy = tmp_path / f"b{cut}" / ".vitrina"
        shutil.copytree(state, copy)
        segments(copy)[0].write_bytes(written[:cut])
        with open_store(copy) as opened:
            assert contents(opened.store) == history[written[:cut].count(b"\n")]
        shutil.rmtree(copy.parent)


def test_a_torn_end_is_kept_aside_and_told(tmp_path: Path) -> None:
    state = tmp_path / ".vitrina"
    write_history(state, [(1, "One")], segment_bytes=2**20)
    with segments(state)[0].open("ab") as file:
        file.write(b'{"crc":"0000')

    with open_store(state) as opened:
        torn = [each for each in opened.checks() if each.name == "journal"]
        assert [each.status for each in torn] == [CheckStatus.WARN]
        assert "12 bytes" in torn[0].detail
    assert [each.read_bytes() for each in (state / "aside").iterdir()] == [b'{"crc":"0000']
    with open_store(state) as opened:
        assert [each.name for each in opened.checks()] == ["store"]


@pytest.mark.parametrize(
    "end", [b"\0" * 4096, b"\0" * 100 + b"\n", b"garbage\n", b"\n", b"{}\n\n{}"]
)
def test_an_unsynced_end_may_be_anything(tmp_path: Path, end: bytes) -> None:
    """A file system may leave zeros, or one page and not the one before it."""
    state = tmp_path / ".vitrina"
    history = write_history(state, [(1, "One"), (2, "Two")], segment_bytes=2**20)
    with segments(state)[0].open("ab") as file:
        file.write(end)

    with open_store(state) as opened:
        assert contents(opened.store) == history[-1]


def test_a_lost_page_before_a_whole_record_that_was_never_synced(tmp_path: Path) -> None:
    """Two units of work wait for one sync; the crash loses the first record's page only."""
    state = tmp_path / ".vitrina"
    history = write_history(state, [(1, "One"), (2, "Two"), (3, "Three")], segment_bytes=2**20)
    live = segments(state)[0]
    first, second, third = live.read_bytes().splitlines(keepends=True)
    # The third record as it would be had it been written before the second one was durable.
    rewritten = _claiming(third, durable=1)
    live.write_bytes(first + b"\0" * len(second) + rewritten)

    with open_store(state) as opened:
        assert contents(opened.store) == history[1]


def _claiming(line: bytes, *, durable: int) -> bytes:
    rest = re.sub(rb'"durable":\d+', b'"durable":%d' % durable, line[18:-1])
    return b'{"crc":"%08x",' % zlib.crc32(rest) + rest + b"\n"


@pytest.mark.parametrize("place", [25, 60, 200])
def test_a_flipped_bit_in_the_past_stops_the_start(tmp_path: Path, place: int) -> None:
    state = tmp_path / ".vitrina"
    write_history(state, [(1, "One"), (2, "Two"), (3, "Three")], segment_bytes=2**20)
    live = segments(state)[0]
    damaged = bytearray(live.read_bytes())
    damaged[place] ^= 1
    live.write_bytes(damaged)

    with (
        pytest.raises(CannotOpen, match=rf"damaged: {live}, byte 0: .*vitrina repair {tmp_path}"),
        open_store(state),
    ):
        pass
    assert live.read_bytes() == bytes(damaged)


def test_damage_in_a_sealed_segment_stops_the_start_even_behind_a_snapshot(tmp_path: Path) -> None:
    state = tmp_path / ".vitrina"
    with open_store(state, limits=StoreLimits(segment_bytes=1)) as opened:
        for number in range(3):
            save(opened.store, lamp(number))
    first = segments(state)[0]
    first.write_bytes(first.read_bytes()[:-30])

    with pytest.raises(CannotOpen, match="damaged"), open_store(state):
        pass


def test_a_missing_segment_stops_the_start(tmp_path: Path) -> None:
    state = tmp_path / ".vitrina"
    with open_store(state, limits=StoreLimits(segment_bytes=1)) as opened:
        for number in range(3):
            save(opened.store, lamp(number))
    segments(state)[1].unlink()

    with (
        pytest.raises(CannotOpen, match="ends with change 1, but the next file begins with 3"),
        open_store(state),
    ):
        pass


def test_a_record_that_is_gone_without_a_trace_stops_the_start(tmp_path: Path) -> None:
    state = tmp_path / ".vitrina"
    write_history(state, [(1, "One"), (2, "Two"), (3, "Three")], segment_bytes=2**20)
    live = segments(state)[0]
    first, _, third = live.read_bytes().splitlines(keepends=True)
    live.write_bytes(first + third)

    with pytest.raises(CannotOpen, match="change 3 follows change 1"), open_store(state):
        pass


def test_a_journal_that_begins_too_late_stops_the_start(tmp_path: Path) -> None:
    state = tmp_path / ".vitrina"
    write_history(state, [(1, "One"), (2, "Two")], segment_bytes=1)
    segments(state)[0].unlink()

    with pytest.raises(CannotOpen, match="begins with change 2"), open_store(state):
        pass


def test_a_damaged_snapshot_is_set_aside_and_the_journal_used(tmp_path: Path) -> None:
    state = tmp_path / ".vitrina"
    expected: dict[str, Product] = {}
    for number in range(3):
        with open_store(state) as opened:
            save(opened.store, lamp(number))
            expected = contents(opened.store)
    *_, older, newest = sorted(state.glob("snapshot-*.jsonl"))
    newest.write_bytes(newest.read_bytes().replace(b"lamp-2", b"lamp-5"))

    with open_store(state) as opened:
        assert contents(opened.store) == expected
        assert [each.status for each in opened.checks() if each.name == "snapshot"] == ["warn"]
    assert newest.with_name(newest.name + ".damaged").exists()
    assert older.exists()


@pytest.mark.parametrize("damage", [b"", b"x", b'{"crc":"00000000","bytes":0}\n', b"\n\n"])
def test_a_snapshot_of_nonsense_is_set_aside(tmp_path: Path, damage: bytes) -> None:
    state = tmp_path / ".vitrina"
    with open_store(state) as opened:
        save(opened.store, lamp(1))
        expected = contents(opened.store)
    next(state.glob("snapshot-*.jsonl")).write_bytes(damage)

    with open_store(state) as opened:
        assert contents(opened.store) == expected


def test_a_journal_cut_before_its_snapshot_begins_anew(tmp_path: Path) -> None:
    state = tmp_path / ".vitrina"
    with open_store(state) as opened:
        save(opened.store, lamp(1))
        save(opened.store, lamp(2))
        expected = contents(opened.store)
    live = segments(state)[0]
    live.write_bytes(b"".join(live.read_bytes().splitlines(keepends=True)[:1]))

    with open_store(state) as opened:
        assert contents(opened.store) == expected
        save(opened.store, lamp(3))
        assert opened.store.seq == 3
    assert [each.name for each in segments(state)] == ["0000000000000003.jsonl"]
    with open_store(state) as opened:
        assert opened.store.seq == 3


def test_a_write_that_was_interrupted_is_swept_away(tmp_path: Path) -> None:
    state = tmp_path / ".vitrina"
    write_history(state, [(1, "One")], segment_bytes=2**20)
    left = state / "snapshot-0000000000000001.jsonl.tmp"
    left.write_bytes(b"half")

    with open_store(state):
        assert not left.exists()
