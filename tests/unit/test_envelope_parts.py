"""The small parts of the HTTP entrypoint: ids of requests, accepting, compression, problem types."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vitrina.domain import errors
from vitrina.domain.errors import CatalogError
from vitrina.entrypoints.http.compression import accepts_gzip
from vitrina.entrypoints.http.exchange import Exchange
from vitrina.entrypoints.http.problem_types import (
    FAULT_CODES,
    OF_ERROR,
    PROBLEM_TYPES,
    QUERY_FAULT_CODES,
)
from vitrina.entrypoints.http.requests import JSON, preferred

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def exchange(*headers: tuple[bytes, bytes]) -> Exchange:
    scope: dict[str, Any] = {"type": "http", "method": "GET", "headers": list(headers)}
    return Exchange.of(scope)


@pytest.mark.parametrize("sane", ["a", "checkout-7f3a", "A1._~:/+=@-", "x" * 128])
def test_a_sane_request_id_is_kept(sane: str) -> None:
    assert exchange((b"x-request-id", sane.encode())).request_id == sane.encode()


@pytest.mark.parametrize("odd", ["", " ", "x" * 129, "a b", "a\tb", '"a"', "é", "a,b", "<b>"])
def test_an_odd_request_id_is_replaced(odd: str) -> None:
    made = exchange((b"x-request-id", odd.encode("latin-1"))).request_id

    assert re.fullmatch(rb"[0-9a-f]{16}-\d+", made)


def test_made_request_ids_differ() -> None:
    assert len({exchange().request_id for _ in range(1_000)}) == 1_000


def test_a_trace_goes_on() -> None:
    parent = f"00-{TRACE}-00f067aa0ba902b7-01"

    traced = exchange((b"traceparent", parent.encode()))

    assert traced.trace_id == TRACE
    child = traced.trace_parent.decode()
    assert re.fullmatch(rf"00-{TRACE}-[0-9a-f]{{16}}-01", child)
    assert child != parent


def test_a_trace_of_a_later_version_goes_on_as_far_as_it_is_known() -> None:
    later = f"01-{TRACE}-00f067aa0ba902b7-01-what-a-later-version-may-say"

    assert exchange((b"traceparent", later.encode())).trace_id == TRACE


@pytest.mark.parametrize(
    "invalid",
    [
        "",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
        f"00-{TRACE}-00f067aa0ba902b7",
        f"00-{TRACE[:-1]}-00f067aa0ba902b7-01",
        f"00-{TRACE}-00f067aa0ba902b7-01x",
        f"00-{TRACE}-00f067aa0ba902b7-01-what-a-later-version-may-say",
    ],
)
def test_an_invalid_traceparent_is_ignored(invalid: str) -> None:
    assert exchange((b"traceparent", invalid.encode())).trace_id == ""


def test_a_field_that_occurs_twice_is_joined() -> None:
    joined = exchange((b"if-match", b'"a"'), (b"host", b"x"), (b"if-match", b'"b"'))

    assert joined.headers == {b"if-match": b'"a", "b"', b"host": b"x"}


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "",
        "application/json",
        "application/*",
        "APPLICATION/JSON",
        "text/html, */*;q=0.1",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "application/json; charset=utf-8",
        "application/json;q=0.5, text/html",
        "*/*;q=0, application/json",
        "application/json;q=odd",
    ],
)
def test_an_accept_header_that_admits_json(accept: str) -> None:
    assert preferred(accept.encode(), (JSON,)) == JSON


@pytest.mark.parametrize(
    "accept", ["text/html", "application/json;q=0", "*/*, application/json;q=0", "text/*", "json"]
)
def test_an_accept_header_that_excludes_json(accept: str) -> None:
    assert preferred(accept.encode(), (JSON,)) is None


@pytest.mark.parametrize(
    ("accept_encoding", "accepted"),
    [
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.5", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip; q = 0", False),
        ("identity", False),
        ("*", False),
        ("", False),
    ],
)
def test_who_accepts_gzip(accept_encoding: str, *, accepted: bool) -> None:
    assert accepts_gzip(accept_encoding.encode()) is accepted


def kinds_of_errors() -> set[type[CatalogError]]:
    return {
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, CatalogError)
    } - {CatalogError}


def test_every_rule_of_the_catalog_has_a_kind_of_problem() -> None:
    assert set(OF_ERROR) == kinds_of_errors()


def test_a_problem_has_the_code_of_the_rule() -> None:
    assert {kind.code: rule.code for rule, kind in OF_ERROR.items()} == {
        rule.code: rule.code for rule in kinds_of_errors()
    }


def test_every_kind_of_problem_is_an_error_and_explained() -> None:
    for code, kind in PROBLEM_TYPES.items():
        assert re.fullmatch(r"[a-z]+(?:_[a-z]+)*", code)
        assert kind.status >= 400
        for text in (kind.meaning, kind.remedy):
            assert text.endswith(".")
            assert text.count("`") % 2 == 0


def test_every_code_of_a_fault_is_explained() -> None:
    source = Path(errors.__file__).parents[1]
    modules = [*source.glob("domain/*.py"), *source.glob("service_layer/document*.py")]
    modules.append(source / "service_layer" / "products.py")
    text = "\n".join(each.read_text() for each in modules)
    raised = set(re.findall(r'(?:InvalidValue|Fault|fault|_refuse)\(\s*[^()"]*?"([a-z_]+)",', text))
    at_a_place = set(re.findall(r'(?:Fault|fault)\([^"()]*"[^"]*", "([a-z_]+)"', text))

    # A name in first place is a field, and its code stands behind it.
    assert at_a_place <= set(FAULT_CODES) | {"id"}
    assert raised - set(FAULT_CODES) <= {"id"}


def codes_in(module: Path) -> Iterator[str]:
    """Yield the codes of the faults that a module speaks of."""
    places = {"InvalidValue": 0, "Fault": 1, "fault": 1, "_fault": 1}
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call):
            name = (
                node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            )
            for given in node.args[places.get(name, 9) :][:1]:
                branches = (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,)
                yield from (ast.literal_eval(e) for e in branches if isinstance(e, ast.Constant))


def test_every_code_of_a_fault_in_a_query_is_explained() -> None:
    source = Path(errors.__file__).parents[1]
    modules = [
        source / "service_layer" / "query_string.py",
        source / "service_layer" / "filter_parameters.py",
        source / "entrypoints" / "http" / "discovery.py",
        source / "adapters" / "index" / "sorting.py",
    ]
    raised = {code for module in modules for code in codes_in(module)}

    assert {"unknown_sort", "invalid_number", "required", "too_many_values"} <= raised
    assert raised <= set(QUERY_FAULT_CODES)
