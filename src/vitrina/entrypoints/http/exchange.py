"""What is known of one request before anything is done with it.

The envelope (:mod:`vitrina.entrypoints.http.envelope`) makes it, and leaves it in the ASGI scope.
"""

import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from itertools import count
from secrets import token_hex
from typing import Any, Final

KEY: Final = "vitrina.exchange"
"""Where the exchange is in an ASGI scope."""

REQUEST_ID_PATTERN: Final = r"[A-Za-z0-9._~:/+=@-]{1,128}"

_REQUEST_ID: Final = re.compile(REQUEST_ID_PATTERN.encode())
_TRACE_PARENT: Final = re.compile(
    # Version 00 ends with the flags; later ones may go on behind them (W3C Trace Context, 3.2.4).
    rb"(?:00(?!.{54})|(?!00|ff)[0-9a-f]{2})"
    rb"-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:-.*)?"
)


class _RequestIds:
    """Makes request ids: a random prefix for each process, and a number.

    They are as unique as UUIDs, each of which would cost a tenth of a read.
    """

    def __init__(self) -> None:
        self.begin()
        os.register_at_fork(after_in_child=self.begin)

    def begin(self) -> None:
        """Begin anew, as a process that was forked must: its siblings have the same memory."""
        self._prefix = token_hex(8).encode()
        self._numbers = count(1)

    def make(self) -> bytes:
        return b"%s-%d" % (self._prefix, next(self._numbers))


_IDS: Final = _RequestIds()

type RawHeaders = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, and what its answer is told by.

    Attributes:
        method: As it was sent; a HEAD is routed as a GET.
        headers: Lower-case name → value; fields that occur more than once are joined by commas.
        request_id: The caller's, when it is 1 to 128 harmless characters, or else made.
        trace_id: Of the W3C ``traceparent`` when it is valid: 32 hexadecimal digits, or "".
        trace_flags: Of the same: two hexadecimal digits.
    """

    method: str
    headers: Mapping[bytes, bytes]
    request_id: bytes
    trace_id: str = ""
    trace_flags: str = "00"

    @classmethod
    def of(cls, scope: MutableMapping[str, Any]) -> "Exchange":
        """Return the exchange that a scope begins."""
        raw: RawHeaders = scope["headers"]
        headers = dict(raw)
        if len(headers) != len(raw):
            headers = _joined(raw)
        request_id = headers.get(b"x-request-id")
        if request_id is None or not _REQUEST_ID.fullmatch(request_id):
            request_id = _IDS.make()
        traced = headers.get(b"traceparent")
        if traced is None or not (match := _TRACE_PARENT.fullmatch(traced)):
            return cls(scope["method"], headers, request_id)
        trace_id, flags = match.groups()
        return cls(scope["method"], headers, request_id, trace_id.decode(), flags.decode())

    @property
    def trace_parent(self) -> bytes:
        """The ``traceparent`` that goes on with the caller's trace; a new span each time."""
        return f"00-{self.trace_id}-{token_hex(8)}-{self.trace_flags}".encode()


def _joined(raw: RawHeaders) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for name, value in raw:
        headers[name] = b"%s, %s" % (headers[name], value) if name in headers else value
    return headers


def exchange_of(scope: MutableMapping[str, Any]) -> Exchange:
    """Return the exchange that the envelope left in *scope*."""
    exchange: Exchange = scope[KEY]
    return exchange
