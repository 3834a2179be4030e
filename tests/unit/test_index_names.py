"""Names found by the beginnings of their words: just as if every name were looked at."""

from hypothesis import given, strategies as st

from vitrina.adapters.index.names import Counted, Name, Names
from vitrina.adapters.index.scan import named

# Few letters, so that there are beginnings, typos and swapped letters among them.
letters = st.text("abé", min_size=1, max_size=11)
texts = st.lists(letters | st.sampled_from(["12", "a12b"]), max_size=3).map(" ".join)


@given(
    st.dictionaries(st.text("xyz", max_size=3), st.tuples(texts, st.integers(0, 3)), max_size=30),
    st.lists(st.text("abe12", min_size=1, max_size=11), min_size=1, max_size=3),
    st.integers(1, 5),
)
def test_names_are_found_as_if_all_were_looked_at(
    known: dict[str, tuple[str, int]], typed: list[str], limit: int
) -> None:
    counted = Counted(
        Names({key: text for key, (text, _) in known.items()}),
        {key: count for key, (_, count) in known.items() if count},
    )

    expected = named([Name(key, *each) for key, each in known.items()], typed, limit)
    assert counted.find(typed, limit) == expected


def test_names_are_kept_while_they_are_the_same() -> None:
    names = Names({"a": "Desk", "b": "Lamp"})

    assert names.renewed({"b": "Lamp", "a": "Desk"}) is names
    assert names.renewed({"a": "Desk", "b": "Lamps"}).texts["b"] == "Lamps"


def test_there_may_be_no_names() -> None:
    assert Counted(Names({}), {}).find(["a"], 5) == []
