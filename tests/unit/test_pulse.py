import time
from itertools import count

from tests.waiting import until
from vitrina.entrypoints.pulse import Heart, Pulses, Watch

LIMIT_S = 10.0


def watched(places: int = 2) -> tuple[Pulses, Watch]:
    pulses = Pulses(places)
    return pulses, Watch(pulses, LIMIT_S)


def test_one_that_goes_round_is_never_found() -> None:
    pulses, watch = watched()
    for now in range(100, 200):
        pulses.beat(0)
        assert watch.look(now) == []


def test_one_that_stands_still_is_found_once_after_the_limit() -> None:
    pulses, watch = watched()
    pulses.beat(0)
    pulses.beat(1)
    found = []
    for now in range(100, 113):
        pulses.beat(0)
        if watch.look(now):
            found.append(now)

    assert found == [110]


def test_one_that_never_began_is_not_watched() -> None:
    _, watch = watched()

    assert not any(watch.look(now) for now in range(100, 200))


def test_one_that_has_gone_is_not_watched_any_more() -> None:
    pulses, watch = watched()
    pulses.beat(1)
    watch.look(100)
    pulses.leave(1)

    assert not any(watch.look(now) for now in range(101, 200))


def test_nobody_is_to_blame_when_the_machine_was_asleep() -> None:
    pulses, watch = watched()
    pulses.beat(0)
    for now in range(100, 105):
        watch.look(now)

    assert watch.look(100_000) == []
    pulses.beat(0)
    assert not any(watch.look(now) for now in range(100_001, 100_010))


def test_a_new_one_in_the_same_place_begins_anew() -> None:
    pulses, watch = watched()
    pulses.beat(0)
    moments = count(100)
    while not watch.look(next(moments)):
        pass
    pulses.leave(0)
    watch.look(next(moments))
    pulses.beat(0)
    began = next(moments)
    watch.look(began)
    while watch.look(now := next(moments)) != [0]:
        pass

    assert now - began == LIMIT_S


def test_a_process_beats_by_itself_before_and_after_it_serves() -> None:
    """It may be opening a big catalog, however long that takes."""
    pulses, _ = watched(1)
    heart = Heart(pulses, 0)
    heart.start()
    until(lambda: next(iter(pulses)) > 2)

    heart.beat()
    time.sleep(0.5)  # A beat that was under way is over.
    count_while_serving = next(iter(pulses))
    time.sleep(0.5)
    assert next(iter(pulses)) == count_while_serving

    heart.rest()
    until(lambda: next(iter(pulses)) > count_while_serving)
