"""What is remembered until the next change has a bound, also where much is asked for only once."""

from weakref import ref

from vitrina.adapters.index.keeping import ENTRY_BYTES, LONGEST, PAID, Shelf


class Key:
    """Something that may be asked for."""


def test_what_was_pushed_out_is_forgotten_altogether() -> None:
    shelf = Shelf[Key, str](ENTRY_BYTES + 10)
    first, second = Key(), Key()
    for each in (first, second):
        assert shelf.price(each, 0, LONGEST, lambda: 3) == 3
        shelf.put(each, "kept", 10)
    gone = ref(first)
    del first, each
    assert shelf.get(second) == "kept"
    assert gone() is None


def test_what_is_not_kept_is_not_held() -> None:
    """Sixteen thousand of them are counted, and each may be as long as a request."""
    shelf, key = Shelf[Key, str](100), Key()
    assert shelf.price(key, LONGEST, LONGEST, lambda: LONGEST) is None
    gone = ref(key)
    del key
    assert gone() is None


def test_it_is_looked_once_how_many_there_are() -> None:
    shelf = Shelf[str, str](100)
    looks: list[int] = []

    def look() -> int:
        looks.append(2 * PAID + 1)
        return looks[-1]

    assert [shelf.price("a", 0, LONGEST, look) for _ in range(3)] == [None, None, 2 * PAID + 1]
    assert len(looks) == 1


def test_everything_may_be_forgotten_while_somebody_looks() -> None:
    shelf = Shelf[str, str](10_000)

    def taken_in_meanwhile() -> int:
        shelf.put("a", "by another", 1)
        return 1

    assert shelf.price("a", 0, LONGEST, taken_in_meanwhile) == 1
    assert shelf.get("a") == "by another"
