"""Entity tags and preconditions as RFC 9110 has them."""

import pytest

from vitrina.domain.errors import PreconditionFailed
from vitrina.entrypoints.http.conditional import is_fresh, precondition_of
from vitrina.entrypoints.http.problems import Refusal


def fields(**values: str) -> dict[bytes, bytes]:
    return {name.replace("_", "-").encode(): each.encode() for name, each in values.items()}


@pytest.mark.parametrize(
    ("none_match", "answered"),
    [
        ('"3-ab"', '"3-ab"'),
        ('W/"3-ab"', '"3-ab"'),
        ('"x", "3-ab"', '"3-ab"'),
        ('"x" ,,\t"3-ab",', '"3-ab"'),
        ("*", '"3-ab"'),
        ('"3-ab.gzip"', '"3-ab.gzip"'),
        ('W/"3-ab.gzip"', '"3-ab.gzip"'),
        ('"2-cd"', None),
        ('"3-ab.c1a5"', None),
        ('""', None),
        ('"a,b"', None),
    ],
)
def test_a_cached_answer_is_fresh(none_match: str, answered: str | None) -> None:
    assert is_fresh(fields(if_none_match=none_match), "3-ab") == answered


def test_a_view_is_fresh_only_for_its_own_tag() -> None:
    assert is_fresh(fields(if_none_match='"3-ab.c1a5"'), "3-ab.c1a5") == '"3-ab.c1a5"'
    assert is_fresh(fields(if_none_match='"3-ab"'), "3-ab.c1a5") is None


def test_if_match_is_evaluated_first_also_on_reads() -> None:
    assert is_fresh(fields(if_match='"3-ab"', if_none_match='"x"'), "3-ab") is None
    with pytest.raises(PreconditionFailed):
        is_fresh(fields(if_match='"2-ab"', if_none_match='"3-ab"'), "3-ab")


@pytest.mark.parametrize("match", ['"3-ab"', '"x", "3-ab"', "*", '"3-ab.c1a5"', '"3-ab.c1a5.gzip"'])
def test_a_precondition_that_holds(match: str) -> None:
    precondition_of(fields(if_match=match)).check("3-ab")
    assert is_fresh(fields(if_match=match), "3-ab") is None


@pytest.mark.parametrize("match", ['"2-ab"', 'W/"3-ab"', '"*"', '""', '"3-ab x"'.replace(" ", "")])
def test_a_precondition_that_does_not_hold(match: str) -> None:
    with pytest.raises(PreconditionFailed):
        precondition_of(fields(if_match=match)).check("3-ab")
    with pytest.raises(PreconditionFailed):
        is_fresh(fields(if_match=match), "3-ab")


def test_if_match_star_needs_a_resource() -> None:
    with pytest.raises(PreconditionFailed):
        precondition_of(fields(if_match="*")).check(None)


def test_if_none_match_star_only_creates() -> None:
    precondition = precondition_of(fields(if_none_match="*"))

    precondition.check(None)
    with pytest.raises(PreconditionFailed):
        precondition.check("3-ab")


def test_if_none_match_of_a_write_compares_weakly() -> None:
    with pytest.raises(PreconditionFailed):
        precondition_of(fields(if_none_match='W/"3-ab"')).check("3-ab")


@pytest.mark.parametrize(
    "value", ["3-ab", "'3-ab'", '"3-ab', '"a" "b"', "", ",", '* , "a"', 'w/"a"', '"a b"']
)
@pytest.mark.parametrize("name", ["if_match", "if_none_match"])
def test_a_malformed_header_is_refused(name: str, value: str) -> None:
    headers = fields(**{name: value})

    with pytest.raises(Refusal, match="entity tags in double quotes") as raised:
        precondition_of(headers)
    assert raised.value.code == "malformed_header"
    with pytest.raises(Refusal):
        is_fresh(headers, "3-ab")


def test_a_demanded_precondition() -> None:
    with pytest.raises(Refusal) as raised:
        precondition_of({}, required=True)

    assert raised.value.code == "precondition_required"
    precondition_of(fields(if_none_match="*"), required=True)
    precondition_of({})
