"""The checker accepts what can have happened and refuses what cannot."""

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import assume, given, settings, strategies as st

from tests.linearizability import (
    FIELDS,
    Action,
    Create,
    Delete,
    Fields,
    Find,
    Operation,
    Patch,
    Present,
    ProductState,
    Put,
    Read,
    Shown,
    Told,
    check,
    step,
)

NEVER: Final = 10_000


def fields(**given: str | int | None) -> Fields:
    return dict.fromkeys(FIELDS) | given


def did(
    action: Action,
    when: tuple[int, int],
    outcome: Shown | Told | None,
    *,
    client: str = "a",
) -> Operation:
    return Operation(client, "lamp", action, *when, outcome)


def created(when: tuple[int, int], title: str = "Lamp") -> Operation:
    shown = Shown(1, fields(title=title), "t1", created=True)
    return did(Create({"title": title}), when, shown)


LAMP: Final = fields(title="Lamp")
BRANDED: Final = fields(title="Lamp", brand="Lumen")


def test_one_thing_after_another_is_linearizable() -> None:
    assert not check(
        [
            did(Read(), (0, 1), Told(404)),
            created((2, 3)),
            did(Create({"title": "Again"}), (4, 5), Told(409)),
            did(Patch({"brand": "Lumen"}, match="t1"), (6, 7), Shown(2, BRANDED, "t2")),
            did(Patch({"brand": "Other"}, match="t1"), (8, 9), Told(412)),
            did(Patch({"brand": "Lumen"}), (10, 11), Shown(2, BRANDED, "t2")),
            did(Find("brand", "Lumen"), (12, 13), Shown(2, BRANDED)),
            did(Find("brand", "Other"), (14, 15), Told(404)),
            did(Put({"title": "Lamp"}), (16, 17), Shown(3, LAMP, "t3")),
            did(Put({"title": "Lamp"}, absent=True), (18, 19), Told(412)),
            did(Delete(match="t2"), (20, 21), Told(412)),
            did(Delete(match="t3"), (22, 23), Told(204)),
            did(Delete(), (24, 25), Told(404)),
            did(Put({"title": "Lamp"}, match="t3"), (26, 27), Told(412)),
            did(Put({"title": "Lamp"}, absent=True), (28, 29), Shown(1, LAMP, "t4", created=True)),
        ]
    )


def test_operations_that_overlap_may_come_in_any_order() -> None:
    read_nothing = did(Read(), (0, 9), Told(404), client="b")
    read_it = did(Read(), (1, 8), Shown(1, LAMP, "t1"), client="c")
    assert not check([created((2, 7)), read_nothing, read_it])


def test_products_are_independent() -> None:
    other = replace(did(Read(), (4, 5), Told(404)), product="rug")
    assert not check([created((0, 3)), other])


@pytest.mark.parametrize(
    "late",
    [
        pytest.param(did(Read(), (4, 5), Told(404)), id="a read misses a write"),
        pytest.param(did(Find("title", "Lamp"), (4, 5), Told(404)), id="a list misses a write"),
        pytest.param(
            did(Create({"title": "B"}), (4, 5), Shown(1, fields(title="B"), "t9", created=True)),
            id="created twice",
        ),
        pytest.param(
            did(Patch({"brand": "Lumen"}), (4, 5), Shown(3, BRANDED, "t2")), id="a version skipped"
        ),
        pytest.param(
            did(Patch({"brand": "Lumen"}, match="t0"), (4, 5), Shown(2, BRANDED, "t2")),
            id="If-Match not heeded",
        ),
        pytest.param(
            did(Patch({"title": "Lamp"}, match="t0"), (4, 5), Shown(1, LAMP, "t1")),
            id="If-Match not heeded where nothing changes",
        ),
        pytest.param(
            did(Patch({"brand": "Lumen"}), (4, 5), Shown(2, fields(brand="Lumen"), "t2")),
            id="a field lost",
        ),
        pytest.param(did(Patch({"brand": "x"}, match="t1"), (4, 5), Told(412)), id="412 for none"),
        pytest.param(did(Delete(), (4, 5), Told(404)), id="404 for what is there"),
        pytest.param(did(Read(), (4, 5), Shown(1, LAMP, "t2")), id="another tag, nothing written"),
        pytest.param(
            did(Put({"title": "Lamp"}), (4, 5), Shown(1, LAMP, "t1", created=True)),
            id="201 for what is there",
        ),
        pytest.param(did(Read(), (4, 5), Told(204)), id="204 for a read"),
    ],
)
def test_what_cannot_be_is_refused(late: Operation) -> None:
    (violation,) = check([created((0, 3)), late])
    assert violation.placed == [created((0, 3))]
    assert violation.stuck == [late]
    assert "'lamp' is not linearizable" in str(violation)


def test_a_lost_update_is_refused() -> None:
    history = [
        created((0, 1)),
        did(Patch({"brand": "x"}), (2, 5), Shown(2, fields(title="Lamp", brand="x"), "t2")),
        did(Patch({"mpn": "y"}), (3, 6), Shown(2, fields(title="Lamp", mpn="y"), "t3")),
    ]
    assert check(history)


def test_two_reads_do_not_go_back() -> None:
    history = [
        created((0, 1)),
        did(Patch({"brand": "Lumen"}), (2, 9), Shown(2, BRANDED, "t2")),
        did(Read(), (3, 4), Shown(2, BRANDED, "t2"), client="b"),
        did(Read(), (5, 6), Shown(1, LAMP, "t1"), client="c"),
    ]
    assert check(history)


def lost(returned: int) -> Operation:
    """Return a write that was cut off by a crash."""
    return did(Patch({"brand": "Lumen"}), (2, returned), None)


def test_a_write_whose_answer_was_lost_may_have_happened_or_not() -> None:
    there = did(Read(), (6, 7), Shown(2, BRANDED, "t2"))
    missing = did(Read(), (6, 7), Shown(1, LAMP, "t1"))
    assert not check([created((0, 1)), lost(5), there])
    assert not check([created((0, 1)), lost(5), missing])
    assert not check([created((0, 1)), lost(NEVER)])


def test_a_lost_write_may_be_seen_late_but_not_begin_after_its_time() -> None:
    missing = did(Read(), (6, 7), Shown(1, LAMP, "t1"))
    there = did(Read(), (8, 9), Shown(2, BRANDED, "t2"))
    assert not check([created((0, 1)), lost(NEVER), missing, there])
    assert check([created((0, 1)), lost(5), missing, there])


def test_a_lost_write_does_not_happen_half() -> None:
    half = did(Read(), (6, 7), Shown(2, LAMP, "t2"))
    assert check([created((0, 1)), lost(5), half])


def test_a_lost_write_does_not_come_and_go() -> None:
    there = did(Read(), (6, 7), Shown(2, BRANDED, "t2"))
    missing = did(Read(), (8, 9), Shown(1, LAMP, "t1"))
    assert check([created((0, 1)), lost(NEVER), there, missing])


def test_a_refused_write_did_not_happen() -> None:
    refused = did(Patch({"brand": "Lumen"}), (2, 5), Told(503))
    assert not check([created((0, 1)), refused, did(Read(), (6, 7), Shown(1, LAMP, "t1"))])
    assert check([created((0, 1)), refused, did(Read(), (6, 7), Shown(2, BRANDED, "t2"))])


# Histories that really happened: each operation is given a moment, and around it a call and a return.

TAGS: Final = st.sampled_from(["t1", "t2", "t3", "t4"])
VALUES: Final = st.sampled_from(["x", "y"])
WRITTEN: Final = st.dictionaries(st.sampled_from(FIELDS), VALUES)
ACTIONS: Final = st.one_of(
    st.builds(Create, WRITTEN),
    st.builds(Put, WRITTEN, st.none() | TAGS),
    st.builds(Put, WRITTEN, absent=st.booleans()),
    st.builds(Patch, WRITTEN, st.none() | TAGS),
    st.builds(Delete, st.none() | TAGS),
    st.just(Read()),
    st.builds(Find, st.sampled_from(FIELDS), VALUES),
)


class Product:
    """Answers as the contract says, written without the checker's model."""

    def __init__(self) -> None:
        self.fields: dict[str, str | int | None] | None = None
        self.version = 0
        self.tags = 0

    def shown(self, *, created: bool = False) -> Shown:
        assert self.fields is not None
        return Shown(self.version, dict(self.fields), f"t{self.tags}", created)

    def write(self, after: dict[str, str | int | None]) -> Shown:
        is_new = self.fields is None
        if after != self.fields:
            self.version = 1 if is_new else self.version + 1
            self.tags += 1
            self.fields = after
        return self.shown(created=is_new)

    def do(self, action: Action) -> Shown | Told:
        if isinstance(action, Create):
            return Told(409) if self.fields is not None else self.put(action.fields)
        if isinstance(action, Put):
            exists = self.fields is not None
            stale = action.match is not None and not (exists and action.match == f"t{self.tags}")
            return Told(412) if stale or (action.absent and exists) else self.put(action.fields)
        if self.fields is None:
            return Told(404)
        return self.do_to(self.fields, action)

    def put(self, given: Fields) -> Shown:
        return self.write(dict(fields()) | dict(given))

    def do_to(self, there: dict[str, str | int | None], action: Action) -> Shown | Told:
        answer: Shown | Told
        match action:
            case Patch(_, str() as match) | Delete(str() as match) if match != f"t{self.tags}":
                answer = Told(412)
            case Patch(given):
                answer = self.write(there | dict(given))
            case Delete():
                self.fields = None
                answer = Told(204)
            case Find(name, value) if there[name] != value:
                answer = Told(404)
            case _:
                answer = self.shown()
        return answer


@st.composite
def histories(draw: st.DrawFn) -> list[Operation]:
    """Draw what up to five clients did, none of whom does two things at a time."""
    product = Product()
    history: list[Operation] = []
    free = dict.fromkeys("abcde", 0)
    for number, action in enumerate(draw(st.lists(ACTIONS, max_size=25))):
        moment = (number + 1) * 10
        client = draw(st.sampled_from([each for each in free if free[each] < moment] or ["a"]))
        assume(free[client] < moment)
        called = draw(st.integers(free[client] + 1, moment))
        returned = draw(st.integers(moment, moment + 45))
        free[client] = returned
        happens = draw(st.integers(0, 9)) > 0
        outcome = product.do(action) if happens else None
        if happens and draw(st.integers(0, 9)) == 0:
            outcome = None  # It happened, and the answer was lost.
        history.append(Operation(client, "lamp", action, called, returned, outcome))
    return draw(st.permutations(history))


@given(histories())
def test_what_happened_is_accepted(history: list[Operation]) -> None:
    assert not check(history)


@given(histories(), st.data())
def test_another_version_in_an_answer_is_refused(
    history: list[Operation], data: st.DataObject
) -> None:
    shown = [place for place, each in enumerate(history) if isinstance(each.outcome, Shown)]
    assume(shown)
    place = data.draw(st.sampled_from(shown))
    outcome = history[place].outcome
    assert isinstance(outcome, Shown)
    wrong = replace(outcome, version=outcome.version + 100)
    history[place] = replace(history[place], outcome=wrong)
    assert check(history)


def test_a_read_does_not_hide_what_may_have_happened_before_it() -> None:
    lost = did(Create({"title": "Lamp"}), (1, 10), None, client="b")
    elsewhere = did(Find("title", "x"), (20, 60), Told(404))
    taken = did(Create({"title": "Rug"}), (30, 60), Told(409), client="c")

    assert not check([lost, elsewhere, taken])


def brute_force(history: list[Operation]) -> bool:
    """Say whether a short history is linearizable by trying every order."""

    def explore(state: ProductState, left: list[Operation], began: int) -> bool:
        if all(each.outcome is None for each in left):
            return True
        for each in left:
            rest = [other for other in left if other is not each]
            if each.outcome is None and each.returned < began:
                continue
            certain = (other for other in rest if other.outcome is not None)
            if any(other.returned < each.called for other in certain):
                continue
            after = max(began, each.called)
            if any(explore(follows, rest, after) for follows in step(state, each)):
                return True
        return False

    return explore(None, history, -1)


OUTCOMES: Final = st.one_of(
    st.none(),
    st.builds(Told, st.sampled_from([204, 404, 409, 412])),
    st.builds(
        Shown,
        st.integers(1, 3),
        st.builds(fields, title=VALUES),
        TAGS,
        st.booleans(),
    ),
)


@st.composite
def guesses(draw: st.DrawFn) -> list[Operation]:
    """Draw something short that mostly did not happen."""
    title = st.builds(lambda value: {"title": value}, VALUES)
    action = st.one_of(
        st.builds(Create, title), st.builds(Patch, title), st.just(Read()), st.just(Delete())
    )
    history = draw(histories())[:4]
    for _ in range(draw(st.integers(0, 2))):
        called = draw(st.integers(0, 60))
        returned = draw(st.integers(called, called + 40))
        history.append(did(draw(action), (called, returned), draw(OUTCOMES), client="z"))
    return history


@settings(max_examples=300)
@given(guesses())
def test_the_search_finds_what_trying_every_order_finds(history: list[Operation]) -> None:
    assert bool(check(history)) != brute_force(history)


def test_a_state_is_told_with_its_violation() -> None:
    (violation,) = check([created((0, 1)), did(Read(), (2, 3), Told(404))])
    assert violation.state == Present(1, tuple(LAMP[each] for each in FIELDS), "t1")
