"""The answers to lists that are kept."""

import tracemalloc

from vitrina.entrypoints.http.answers import (
    ENTRY_BYTES,
    LATELY,
    SHARE_MAX,
    Answer,
    Answers,
)

ROOM = 16_000
GREATEST = int(ROOM * SHARE_MAX)
"""The bytes of the greatest answer that is kept."""

FIT = ROOM // GREATEST
"""How many of the greatest answers fit."""


def answer(size: int = 2) -> Answer:
    return Answer(b"x" * size, "tag", None)


def test_an_answer_is_good_for_one_state() -> None:
    answers = Answers(ROOM)
    kept = answer()
    answers.keep(7, b"q=a", kept)

    assert answers.get(7, b"q=a") is kept
    assert answers.get(7, b"q=b") is None
    assert answers.get(8, b"q=a") is None


def test_the_answers_of_an_earlier_state_go() -> None:
    answers = Answers(ROOM)
    answers.keep(7, b"q=a", answer())
    answers.keep(8, b"q=b", answer())

    assert answers.get(8, b"q=b") is not None
    assert answers.get(8, b"q=a") is None
    assert answers.get(7, b"q=a") is None


def ask(answers: Answers, name: bytes) -> bool:
    """Ask as a request does; say whether the answer was kept. Each takes as much as one may."""
    if answers.get(1, name) is not None:
        return True
    answers.keep(1, name, answer(GREATEST - ENTRY_BYTES - len(name)))
    return False


def names(count: int) -> list[bytes]:
    return [b"%03d" % number for number in range(count)]


def test_those_not_asked_for_the_longest_make_room_for_what_is_asked_for_more_often() -> None:
    answers = Answers(ROOM)
    for name in [*names(FIT), b"000"]:  # All of them fit exactly; the first one is now fresh.
        ask(answers, name)

    assert [ask(answers, b"new") for _ in range(3)] == [False, False, True]

    kept = [name for name in names(FIT) if answers.get(1, name) is not None]
    assert len(kept) == FIT - 1
    assert b"000" in kept


def test_what_is_asked_for_once_pushes_out_nothing() -> None:
    answers = Answers(ROOM)
    for name in names(FIT):
        ask(answers, name)
    for number in range(100):
        ask(answers, b"once-%d" % number)

    assert all(ask(answers, name) for name in names(FIT))


def test_of_a_round_of_more_questions_than_fit_most_are_kept() -> None:
    answers = Answers(ROOM)
    for name in names(FIT + 4) * 2:
        ask(answers, name)

    found = [ask(answers, name) for name in names(FIT + 4)]
    assert found.count(True) >= FIT - 4


def test_what_was_asked_for_long_ago_is_forgotten() -> None:
    answers = Answers(ROOM)
    for name in names(FIT) * 10:
        ask(answers, name)
    for _ in range(4 * LATELY):
        answers.get(1, b"other")

    later = [b"later-%d" % number for number in range(FIT)]
    for name in later * 2:
        ask(answers, name)
    assert all(ask(answers, name) for name in later)


def test_a_great_answer_is_not_kept() -> None:
    answers = Answers(ROOM)
    answers.keep(1, b"q=a", answer(GREATEST))

    assert answers.get(1, b"q=a") is None


def test_an_answer_kept_twice_is_counted_once() -> None:
    answers = Answers(ROOM)
    size = GREATEST - ENTRY_BYTES - 3
    for _ in range(2 * FIT):
        answers.keep(1, b"q=a", answer(size))
    answers.keep(1, b"q=b", answer(size))

    assert answers.get(1, b"q=a") is not None
    assert answers.get(1, b"q=b") is not None


def test_the_bound_holds_also_for_answers_that_found_nothing() -> None:
    room = 2**20
    answers = Answers(room)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(3 * room // ENTRY_BYTES):
            answers.keep(1, b"q=%d" % number, answer(33))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < room * 1.5
