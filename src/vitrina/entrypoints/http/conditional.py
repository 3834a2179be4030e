"""Conditional requests: entity tags, ``If-Match`` and ``If-None-Match`` (RFC 9110, 8.8.3 and 13).

The tag of a resource is that of its stored form: ``"3-9f86d081"``. Another representation of the
same state has the same tag with suffixes, each behind a dot: ``"3-9f86d081.c1a5"`` for a selection of
its fields, ``"3-9f86d081.gzip"`` for compressed bytes. ``If-Match`` asks for a state, so there suffixes
are left away; ``If-None-Match`` asks for bytes, so there only the compression is.
"""

import re
from collections.abc import Mapping
from typing import Final

from vitrina.domain.errors import PreconditionFailed
from vitrina.entrypoints.http.problems import Refusal
from vitrina.service_layer.preconditions import ANY, Precondition

GZIP_SUFFIX: Final = ".gzip"

# RFC 9110, 8.8.3: etagc = %x21 / %x23-7E / obs-text.
_TAG: Final = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS: Final = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")
_EACH: Final = re.compile(_TAG)
_WEAK: Final = "W/"


def precondition_of(headers: Mapping[bytes, bytes], *, required: bool = False) -> Precondition:
    """Return what a request that writes expects of the resource.

    Args:
        headers: Of the request.
        required: An expectation must be stated.

    Raises:
        Refusal: A header is malformed, or an expectation is missing (``precondition_required``).
    """
    match = _parse(headers, "If-Match")
    none_match = _parse(headers, "If-None-Match")
    if required and match is None and none_match is None:
        detail = "Send If-Match with the entity tag of what you have read."
        raise Refusal("precondition_required", detail)
    # If-Match compares strongly: a weak tag never matches (RFC 9110, 8.8.3.2).
    strong = None if match is None else [each for each in match if not each.startswith(_WEAK)]
    return Precondition(
        match=None if strong is None else frozenset(_state(each) for each in strong),
        none_match=None if none_match is None else frozenset(_state(each) for each in none_match),
    )


def is_fresh(headers: Mapping[bytes, bytes], tag: str) -> str | None:
    """Return the entity tag, quoted, that the caller has and that is still good; else None.

    Args:
        headers: Of a GET or HEAD.
        tag: The present entity tag of what would be answered, without quotes or compression.

    Raises:
        PreconditionFailed: ``If-Match`` does not hold.
        Refusal: A header is malformed.
    """
    match = _parse(headers, "If-Match")
    if match is not None and match != ["*"]:
        states = {_state(each) for each in match if not each.startswith(_WEAK)}
        if _state(f'"{tag}"') not in states:
            raise PreconditionFailed(tag)
    none_match = _parse(headers, "If-None-Match")
    if none_match is None:
        return None
    if none_match == ["*"]:
        return f'"{tag}"'
    for each in none_match:
        strong = each.removeprefix(_WEAK)
        if strong[1:-1].removesuffix(GZIP_SUFFIX) == tag:
            return strong
    return None


def _state(tag: str) -> str:
    """Return the tag of the state that *tag*, quoted, is a representation of."""
    if tag == "*":
        return tag
    state = tag.removeprefix(_WEAK)[1:-1].partition(".")[0]
    return "" if state == "*" else state  # `"*"` in quotes is a tag that nothing has.


def _parse(headers: Mapping[bytes, bytes], name: str) -> list[str] | None:
    """Return the tags that a header lists, quoted; ``["*"]``; or None without the header."""
    value = headers.get(name.lower().encode())
    if value is None:
        return None
    text = value.decode("latin-1").strip()
    if text == "*":
        return list(ANY)
    if not _TAGS.fullmatch(text):
        detail = f"{name} is '*' or a list of entity tags in double quotes, such as \"3-9f86d081\"."
        raise Refusal("malformed_header", detail)
    return _EACH.findall(text)
