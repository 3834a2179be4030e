"""What several processes count, told as one: with real processes, which are forked."""

import os
from collections.abc import Callable

import pytest

from vitrina.adapters.meters import Board, SharedMeters
from vitrina.service_layer import metrics
from vitrina.service_layer.metrics import Kind


def in_a_process(board: Board, place: int, work: Callable[[SharedMeters], object]) -> None:
    """Let a forked process do *work* in a place, and end."""
    pid = os.fork()
    if pid == 0:
        work(board.at(place))
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0


def counted(meters: SharedMeters, metric: metrics.Metric) -> float:
    return sum(each.value for each in meters.figures() if each.metric is metric)


def test_counts_of_all_are_added_up_and_outlive_who_counted() -> None:
    board = Board(3)
    meters = board.at(0)
    for place in (1, 2, 1):
        in_a_process(board, place, lambda mine: mine.counter(metrics.COMMITS).add(5))
        board.leave(place)
    meters.counter(metrics.COMMITS).add()

    assert counted(meters, metrics.COMMITS) == 16


def test_gauges_go_with_the_process() -> None:
    board = Board(3)
    meters = board.at(0)
    meters.gauge(metrics.FEED_SUBSCRIBERS).set(1)
    for place in (1, 2):
        in_a_process(board, place, lambda mine: mine.gauge(metrics.FEED_SUBSCRIBERS).set(4))
        in_a_process(board, place, lambda mine: mine.gauge(metrics.INDEX_LAG).set(7))
    assert counted(meters, metrics.FEED_SUBSCRIBERS) == 9
    assert counted(meters, metrics.INDEX_LAG) == 7
    assert sorted(meters.processes()) == [0, 1, 2]

    board.leave(1)
    board.died(1)
    assert counted(meters, metrics.FEED_SUBSCRIBERS) == 5
    assert list(meters.processes()) == [0, 2]
    assert meters.processes()[0] == os.getpid()
    assert counted(meters, metrics.WORKER_DEATHS) == 1


def test_a_histogram_of_all() -> None:
    board = Board(2)
    meters = board.at(0)

    def observe(mine: SharedMeters) -> None:
        for value in (1, 3, 256, 1_000):
            mine.histogram(metrics.BATCH).observe(value)

    observe(meters)
    in_a_process(board, 1, observe)
    (found,) = [each for each in meters.tallies() if each.metric is metrics.BATCH]

    assert found.counts == (2, 0, 2, 0, 0, 0, 0, 0, 2, 2)
    assert found.total == 2 * 1_260


def test_what_is_counted_has_one_place_whoever_asks_first() -> None:
    """One process leads, and counts what the others do not."""
    board = Board(2)
    one = board.at(0)
    one.counter(metrics.FILE_FAILURES).add()
    one.counter(metrics.REQUESTS, "GET", "/", "2xx").add()

    def otherwise(mine: SharedMeters) -> None:
        mine.counter(metrics.FEED_DROPPED).add(2)
        mine.counter(metrics.REQUESTS, "GET", "/", "2xx").add()
        mine.counter(metrics.FILE_FAILURES).add(4)

    in_a_process(board, 1, otherwise)
    assert counted(one, metrics.FILE_FAILURES) == 5
    assert counted(one, metrics.FEED_DROPPED) == 2
    assert counted(one, metrics.REQUESTS) == 2


def test_there_is_an_end_of_room() -> None:
    meters = Board(1).at(0)

    def ask_for_more() -> None:
        for number in range(10_000):
            meters.counter(metrics.REQUESTS, "GET", f"/{number}", "2xx")

    with pytest.raises(OverflowError):
        ask_for_more()


def test_names_follow_the_conventions() -> None:
    """https://prometheus.io/docs/practices/naming/ as far as a program can tell."""
    names = [each.name for each in metrics.ALL]
    assert len(set(names)) == len(names)
    for each in metrics.ALL:
        assert each.name.startswith("vitrina_")
        assert each.name.endswith("_total") == (each.kind is Kind.COUNTER)
        assert each.text.endswith(".")
        assert list(each.bounds) == sorted(each.bounds)
        assert bool(each.bounds) == (each.kind is Kind.HISTOGRAM)
