"""What is remembered of the writes into a file, and for how long."""

from vitrina.adapters.product_file import Format, ProductFile, parse
from vitrina.adapters.projection.earlier import CHANGES_MAX, TIMES_MAX, Earlier


def file(**quantities: int) -> ProductFile:
    rows = "".join(f"{key},Lamp,{quantity}\n" for key, quantity in quantities.items())
    return parse(f"id,title,quantity\n{rows}".encode(), Format.CSV, currency="EUR")


def test_a_busy_place_is_remembered_for_long() -> None:
    earlier = Earlier()
    writes = TIMES_MAX + 10
    for number in range(writes):
        earlier.note(file(A=number, B=number), file(A=number + 1, B=number + 1), ["A", "B"])
    base = file(A=writes, B=writes)

    assert earlier.sort_out(base, file(A=20, B=20)).places == 2
    forgotten = earlier.sort_out(base, file(A=5, B=5))
    assert (forgotten.places, forgotten.ids) == (0, set())


def test_busy_places_do_not_take_more_than_their_share() -> None:
    earlier = Earlier()
    earlier.note(file(A=1), file(A=2), ["A"])
    for number in range(CHANGES_MAX // 2):
        earlier.note(file(B=number, C=number), file(B=number + 1, C=number + 1), ["B", "C"])
    assert earlier.ids() == {"A", "B", "C"}
    for number in range(CHANGES_MAX):
        earlier.note(file(), file(**{f"P{number}": 1}), [f"P{number}"])
    assert earlier.ids() == {f"P{number}" for number in range(CHANGES_MAX)}
