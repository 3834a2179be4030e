"""The reference of problems, written at build time from the registry that the service answers from."""

from collections.abc import Iterator

from generated import page, table

from vitrina.entrypoints.http.problem_types import FAULT_CODES, PROBLEM_TYPES, QUERY_FAULT_CODES

_INTRODUCTION = """\
# Problems

Every error is answered as `application/problem+json` (RFC 9457). Its `code` is stable: test for it, and for nothing in the sentences. Its
`type` is the address of a page about it at the service itself, `/problems/CODE`, with the words below.
"""


def reference() -> str:
    """Return the whole page."""
    return "\n".join([_INTRODUCTION, *_overview(), *_kinds(), *_faults()])


def _overview() -> Iterator[str]:
    ordered = sorted(PROBLEM_TYPES.values(), key=lambda each: (each.status, each.code))
    rows = (
        (f"{each.status:d}", f"[`{each.code}`](#problem-{each.code})", each.title)
        for each in ordered
    )
    yield from table(("status", "code", "title"), rows)


def _kinds() -> Iterator[str]:
    for code, kind in sorted(PROBLEM_TYPES.items()):
        yield from (f"(problem-{code})=", f"## `{code}`", "")
        yield from (f"**{kind.status:d} {kind.title}.** {kind.meaning}", "", kind.remedy, "")
        if kind.retry_after_s is not None:
            yield from (f"`Retry-After: {kind.retry_after_s}`", "")
        yield from ("```text", kind.example, "```", "")


def _faults() -> Iterator[str]:
    yield from ("## Codes of single faults", "")
    yield from (
        "In `errors` of a `validation_failed` problem, each with a JSON Pointer to its place.",
        "",
    )
    yield from table(
        ("code", "meaning"), ((f"`{code}`", text) for code, text in FAULT_CODES.items())
    )
    yield from (
        "",
        "In `errors` of an `invalid_query` problem, each with the name of a parameter.",
        "",
    )
    yield from table(
        ("code", "meaning"), ((f"`{code}`", text) for code, text in QUERY_FAULT_CODES.items())
    )


setup = page("problems", reference)
