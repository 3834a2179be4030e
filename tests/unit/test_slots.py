"""The hash table of keys: against a dictionary of sets."""

from collections import defaultdict

import pytest
from hypothesis import given, strategies as st

from vitrina.adapters.journal.pace import at_full_speed
from vitrina.adapters.journal.slots import NO_SLOTS, Slots, SlotsInTheMaking

# Few hashes, so that many rows share one; some that differ in their upper bits only.
hashes = st.sampled_from([0, 1, 2, 7, 8, 9, 2**31, 2**32 - 1, 2**32 - 8])
steps = st.lists(st.tuples(hashes, st.integers(0, 40)), max_size=60)


@given(rounds=st.lists(steps, max_size=4))
def test_it_finds_what_was_put_and_not_taken(rounds: list[list[tuple[int, int]]]) -> None:
    """Each round makes a new table of the last one; a row that is there already is taken."""
    table = NO_SLOTS
    there: defaultdict[int, set[int]] = defaultdict(set)
    for round_ in rounds:
        making = SlotsInTheMaking(table, adding=len(round_), pace=at_full_speed)
        for key_hash, row in round_:
            if row in there[key_hash]:
                making.take(key_hash, row)
                there[key_hash].remove(row)
            else:
                making.put(key_hash, row)
                there[key_hash].add(row)
        table = making.done()
        check(table, there)


def check(table: Slots, there: dict[int, set[int]]) -> None:
    assert table.live == sum(map(len, there.values()))
    assert 3 * table.used <= 2 * len(table.words)
    assert len(table.words).bit_count() == 1
    for key_hash in [*there, 3, 2**32 - 2]:
        assert sorted(table.rows(key_hash)) == sorted(there.get(key_hash, ()))


def test_a_row_that_is_not_there_cannot_be_taken() -> None:
    making = SlotsInTheMaking(NO_SLOTS, adding=1, pace=at_full_speed)
    making.put(5, 1)
    with pytest.raises(KeyError):
        making.take(5, 2)


def test_slots_of_what_is_gone_are_free_again_in_time() -> None:
    table = NO_SLOTS
    for row in range(2_000):
        making = SlotsInTheMaking(table, adding=1, pace=at_full_speed)
        making.put(row * 77, row)
        making.take(row * 77, row)
        table = making.done()
    assert len(table.words) == len(NO_SLOTS.words)
    assert table.live == 0
