"""JSON Pointers (RFC 6901): the place of a value in a document, as text."""

import re
from collections.abc import Iterable
from typing import Final

type Pointer = tuple[str, ...]
"""The reference tokens, unescaped; () is the whole document."""

_BAD_ESCAPE: Final = re.compile(r"~(?![01])")


def parse_pointer(text: str) -> Pointer:
    """Read a JSON Pointer in its string form.

    Raises:
        ValueError: It neither is empty nor starts with ``/``, or has a ``~`` that escapes nothing.
    """
    if not text:
        return ()
    if not text.startswith("/"):
        raise ValueError("a JSON Pointer is empty or starts with '/'")
    if _BAD_ESCAPE.search(text):
        raise ValueError("in a JSON Pointer '~' is written '~0' and '/' is written '~1'")
    return tuple(each.replace("~1", "/").replace("~0", "~") for each in text[1:].split("/"))


def format_pointer(tokens: Iterable[str]) -> str:
    """Return the JSON Pointer of these tokens in its string form.

    >>> format_pointer(["attributes", "a/b"])
    '/attributes/a~1b'
    """
    return "".join(f"/{each.replace('~', '~0').replace('/', '~1')}" for each in tokens)
