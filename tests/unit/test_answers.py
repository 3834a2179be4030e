"""The answers to lists that are kept."""

from vitrina.entrypoints.http.product_list import (
    ANSWER_BYTES_MAX,
    ANSWERS_BYTES_MAX,
    Answer,
    Answers,
)


def answer(size: int = 2) -> Answer:
    return Answer(b"x" * size, "tag", None)


def test_an_answer_is_good_for_one_state() -> None:
    answers = Answers()
    kept = answer()
    answers.keep(7, b"q=a", kept)

    assert answers.get(7, b"q=a") is kept
    assert answers.get(7, b"q=b") is None
    assert answers.get(8, b"q=a") is None


def test_the_answers_of_an_earlier_state_go() -> None:
    answers = Answers()
    answers.keep(7, b"q=a", answer())
    answers.keep(8, b"q=b", answer())

    assert answers.get(8, b"q=b") is not None
    assert answers.get(8, b"q=a") is None
    assert answers.get(7, b"q=a") is None


def test_those_not_asked_for_the_longest_make_room() -> None:
    answers = Answers()
    count = ANSWERS_BYTES_MAX // ANSWER_BYTES_MAX
    names = [b"%03d" % number for number in range(count + 1)]
    for name in names[:-1]:
        answers.keep(1, name, answer(ANSWER_BYTES_MAX - len(name)))
    assert answers.get(1, names[0]) is not None  # All of them fit exactly; this one is now fresh.

    answers.keep(1, names[-1], answer())

    kept = [name for name in names if answers.get(1, name) is not None]
    assert kept == [names[0], *names[2:]]


def test_a_great_answer_is_not_kept() -> None:
    answers = Answers()
    answers.keep(1, b"q=a", answer(ANSWER_BYTES_MAX))

    assert answers.get(1, b"q=a") is None


def test_an_answer_kept_twice_is_counted_once() -> None:
    answers = Answers()
    size = ANSWER_BYTES_MAX - 3
    for _ in range(2 * ANSWERS_BYTES_MAX // ANSWER_BYTES_MAX):
        answers.keep(1, b"q=a", answer(size))
    answers.keep(1, b"q=b", answer(size))

    assert answers.get(1, b"q=a") is not None
    assert answers.get(1, b"q=b") is not None
