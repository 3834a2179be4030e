"""Whether what concurrent clients saw of one product could have happened one step at a time.

A history is a list of operations, each with the moments of its call and its return and with what
the client was told. It is *linearizable* when every operation can be given one moment between its
call and its return so that, taken in the order of those moments, each answer is right. (Herlihy and
Wing, 1990: a history is linearizable when it is for each object alone, so products are checked one
by one.)

The search is that of Wing and Gong (1993) with Lowe's memory of what was tried (2017): take any
operation that no other one must come before, apply it to the model, and go on; never try the same
set of operations with the same outcome twice. An operation that the model allows and that changes
nothing is taken at once, unless an operation without an outcome would come too late by it: else
nothing can be lost by it.

An operation whose answer never came, because the service was killed under it, has no outcome: it
took place between its call and its return, or never. Its return is then the moment from which it
can no longer take place, such as the end of the killed process.

The search takes exponential time at worst, in the number of operations that overlap; a few hundred
operations of ten clients take some milliseconds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

type Fields = Mapping[str, str | int | None]
type Model[State] = Callable[[State, "Operation"], tuple[State, ...]]
"""The states that may follow a state by an operation with its outcome; none when it cannot be."""

FIELDS: Final = ("title", "brand", "mpn", "quantity")
"""The fields that the histories write and compare."""


@dataclass(frozen=True, slots=True)
class Create:
    """``POST`` of a product with this id."""

    fields: Fields


@dataclass(frozen=True, slots=True)
class Put:
    """``PUT``: with ``If-Match`` *match*, or with ``If-None-Match: *`` when *absent*."""

    fields: Fields
    match: str | None = None
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Patch:
    """``PATCH`` of some fields, perhaps with ``If-Match``."""

    fields: Fields
    match: str | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """``DELETE``, perhaps with ``If-Match``."""

    match: str | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """``GET`` of the product, alone or among others by ``ids=``."""


@dataclass(frozen=True, slots=True)
class Find:
    """A list by a filter or a search that has the product when its *field* is *value*."""

    field: str
    value: str


type Action = Create | Put | Patch | Delete | Read | Find


@dataclass(frozen=True, slots=True)
class Shown:
    """The product as an answer showed it.

    Attributes:
        version: Its version.
        fields: All of :data:`FIELDS`.
        tag: Its entity tag; None where the answer carried none, as in a list.
        created: The answer was 201.
    """

    version: int
    fields: Fields
    tag: str | None = None
    created: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """An answer without a product.

    Attributes:
        status: 204 deleted, 404 none there (or not in the list), 409 taken, 412 not as expected,
            503 refused: nothing happened.
    """

    status: int


@dataclass(frozen=True, slots=True)
class Operation:
    """What one client did to one product.

    Attributes:
        client: Who.
        product: Which; histories of one product are checked together.
        action: What was asked for.
        called, returned: When, on one clock.
        outcome: What was answered; None when nobody knows.
    """

    client: str
    product: str
    action: Action
    called: int
    returned: int
    outcome: Shown | Told | None


@dataclass(frozen=True, slots=True)
class Present:
    """A product that is there.

    Attributes:
        version: 1, 2, 3, …
        fields: All of :data:`FIELDS` in their order.
        tag: Its entity tag; None until an answer shows it.
    """

    version: int
    fields: tuple[str | int | None, ...]
    tag: str | None = None


type ProductState = Present | None


@dataclass(frozen=True, slots=True)
class Violation:
    """Why a history is not linearizable.

    Attributes:
        product: Whose history it is.
        placed: The longest order that was found.
        state: The product after it.
        stuck: What had to come next and could not.
    """

    product: str
    placed: Sequence[Operation]
    state: object
    stuck: Sequence[Operation]

    def __str__(self) -> str:
        lines = [f"The history of {self.product!r} is not linearizable. Last in order:"]
        lines += [f"  {_tell(each)}" for each in self.placed[-8:]]
        lines += [f"then the product was {self.state}, and none of these fits:"]
        lines += [f"  {_tell(each)}" for each in self.stuck]
        return "\n".join(lines)


def check(operations: Iterable[Operation]) -> list[Violation]:
    """Return what is wrong with a history of many products; nothing when it is linearizable.

    All products are absent at its beginning.
    """
    by_product: dict[str, list[Operation]] = {}
    for each in operations:
        by_product.setdefault(each.product, []).append(each)
    found = (find_violation(each, step, None) for each in by_product.values())
    return [each for each in found if each is not None]


def find_violation[State](
    operations: Iterable[Operation], model: Model[State], initial: State
) -> Violation | None:
    """Return why the history of one product is not linearizable, or None.

    Args:
        operations: In any order; their moments tell.
        model: What each operation may do to a state, which can be hashed.
        initial: The state before all of them.
    """
    ordered = sorted(operations, key=lambda each: (each.called, each.returned))
    search = _Search(ordered, model)
    if search.run(initial):
        return None
    return search.violation()


@dataclass(frozen=True, slots=True)
class _Place[State]:
    """A point of the search.

    Attributes:
        taken: The operations placed so far, as bits.
        first: All operations before this one are placed, or can no longer take place.
        began: The latest call among those placed.
        state: The state after them.
        trail: The last one placed, and the point before; None at the beginning.
    """

    taken: int
    first: int
    began: int
    state: State
    trail: "tuple[int, _Place[State]] | None"


@dataclass(slots=True)
class _Search[State]:
    operations: Sequence[Operation]
    model: Model[State]
    _deepest: _Place[State] | None = None
    _tried: set[tuple[int, State]] = field(default_factory=set)

    def run(self, initial: State) -> bool:
        """Say whether an order was found."""
        stack = [_Place(0, 0, -1, initial, None)]
        while stack:
            place = stack.pop()
            deepest = self._deepest
            if deepest is None or place.taken.bit_count() > deepest.taken.bit_count():
                self._deepest = place
            candidates = self._candidates(place)
            if all(self.operations[each].outcome is None for each in candidates):
                return True  # What is left need not have happened.
            stack.extend(self._following(place, candidates))
        return False

    def violation(self) -> Violation:
        place = self._deepest
        assert place is not None
        stuck = [self.operations[each] for each in self._candidates(place)]
        state: object = place.state
        placed: list[Operation] = []
        while place.trail is not None:
            number, place = place.trail
            placed.append(self.operations[number])
        return Violation(self.operations[0].product, placed[::-1], state, stuck)

    def _candidates(self, place: _Place[State]) -> list[int]:
        """Return the operations one of which comes next, those that return first last."""
        found = []
        ends: float = float("inf")
        for number in range(place.first, len(self.operations)):
            each = self.operations[number]
            if each.called > ends:
                break
            if place.taken >> number & 1 or each.returned < place.began:
                continue  # Placed, or nobody knows and it is too late.
            found.append(number)
            if each.outcome is not None:
                ends = min(ends, each.returned)
        return sorted(found, key=lambda each: self.operations[each].returned, reverse=True)

    def _following(self, place: _Place[State], candidates: Sequence[int]) -> list[_Place[State]]:
        following = []
        for number in candidates:
            for state in self.model(place.state, self.operations[number]):
                after = self._after(place, number, state)
                known = (after.taken, state) in self._tried
                if state == place.state and not self._shuts_out(number, candidates):
                    self._tried.add((after.taken, state))
                    return [] if known else [after]
                if not known:
                    following.append(after)
        self._tried.update((each.taken, each.state) for each in following)
        return following

    def _shuts_out(self, number: int, candidates: Sequence[int]) -> bool:
        """Say whether something that may have happened could no longer, once this one is placed."""
        called = self.operations[number].called
        others = (self.operations[each] for each in candidates if each != number)
        return self.operations[number].outcome is None or any(
            each.outcome is None and each.returned < called for each in others
        )

    def _after(self, place: _Place[State], number: int, state: State) -> _Place[State]:
        taken = place.taken | 1 << number
        began = max(place.began, self.operations[number].called)
        first = place.first
        while first < len(self.operations) and (
            taken >> first & 1 or self.operations[first].returned < began
        ):
            first += 1
        return _Place(taken, first, began, state, (number, place))


def step(state: ProductState, operation: Operation) -> tuple[ProductState, ...]:
    """What an operation may do to one product, as the HTTP contract says; see :data:`Model`."""
    action, outcome = operation.action, operation.outcome
    match outcome:
        case None:
            return tuple(each for each in _effect(state, action) if each != state)
        case Told(204):
            return _effect(state, action) if isinstance(action, Delete) else ()
        case Told(status):
            return (state,) if _refuses(state, action, status) else ()
        case Shown(created=created):
            if isinstance(action, Delete) or created != (_creates(action) and state is None):
                return ()
            after = _effect(state, action)
            return tuple(known for each in after for known in _learn(each, outcome))


def _creates(action: Action) -> bool:
    return isinstance(action, Create | Put)


def _learn(state: ProductState, shown: Shown) -> tuple[ProductState, ...]:
    """Return the state as it is known once an answer has shown it; nothing when it differs."""
    fields = tuple(shown.fields[each] for each in FIELDS)
    if state is None or (state.version, state.fields) != (shown.version, fields):
        return ()
    if shown.tag is None or state.tag == shown.tag:
        return (state,)
    return () if state.tag is not None else (replace(state, tag=shown.tag),)


def _effect(state: ProductState, action: Action) -> tuple[ProductState, ...]:
    """Return the state after an action that succeeds; nothing where it cannot."""
    match action:
        case Read() | Find():
            return (state,)
        case Create(fields) if state is None:
            return (_write(None, fields),)
        case Put(fields, match, absent) if _matches(state, match) and not (absent and state):
            return (_write(state, dict.fromkeys(FIELDS) | dict(fields)),)
        case Patch(fields, match) if state is not None and _matches(state, match):
            return (_write(state, fields),)
        case Delete(match) if state is not None and _matches(state, match):
            return (None,)
        case _:
            return ()


def _write(state: ProductState, fields: Fields) -> Present:
    """Return the next version with these fields changed; the same one when nothing differs."""
    before = (
        dict.fromkeys(FIELDS) if state is None else dict(zip(FIELDS, state.fields, strict=True))
    )
    after = tuple((before | dict(fields))[each] for each in FIELDS)
    if state is None:
        return Present(1, after)
    return state if after == state.fields else Present(state.version + 1, after)


def _matches(state: ProductState, match: str | None) -> bool:
    """Say whether ``If-Match`` holds, as far as anybody knows."""
    return match is None or (state is not None and state.tag in {None, match})


def _refuses(state: ProductState, action: Action, status: int) -> bool:
    """Say whether an answer without a product, and without an effect, is right."""
    match status, action:
        case 404, Read() | Patch() | Delete():
            right = state is None
        case 404, Find(field, value):
            right = state is None or state.fields[FIELDS.index(field)] != value
        case 409, Create():
            right = state is not None
        case 412, Put(absent=True):
            right = state is not None
        case 412, Put(_, str() as match):
            right = state is None or state.tag != match
        case 412, Patch(_, str() as match) | Delete(str() as match):
            right = state is not None and state.tag != match
        case _:
            right = status == 503
    return right


def _tell(operation: Operation) -> str:
    when = f"[{operation.called}, {operation.returned}]"
    return f"{when} {operation.client}: {operation.action} → {operation.outcome or 'nobody knows'}"
