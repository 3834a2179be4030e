"""Compressed answers: gzip (RFC 1952), for callers that ask for it and bodies that gain by it.

Only answers that come in one piece are compressed, of at least 1 KiB and of a type that is text. The
compressed bytes are another representation: a strong entity tag gets the suffix ``.gzip``.
"""

import gzip
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Send

from vitrina.entrypoints.http.conditional import GZIP_SUFFIX
from vitrina.entrypoints.http.exchange import RawHeaders

BYTES_MIN: Final = 1_024
LEVEL: Final = 5
# Beyond this many bytes compressing takes milliseconds, and is kept off the event loop.
_BYTES_ON_LOOP_MAX: Final = 65_536

_TEXTS: Final = (
    b"application/json",
    b"application/problem+json",
    b"text/",
    b"image/svg+xml",
)


@lru_cache(maxsize=256)
def accepts_gzip(accept_encoding: bytes) -> bool:
    """Say whether an Accept-Encoding header names gzip with a weight above zero."""
    for each in accept_encoding.decode("latin-1").lower().split(","):
        coding, *parameters = (part.strip() for part in each.split(";"))
        if coding in {"gzip", "x-gzip"}:
            return not any(_is_zero(part) for part in parameters)
    return False


def _is_zero(parameter: str) -> bool:
    name, _, weight = parameter.partition("=")
    return name.strip() == "q" and not weight.strip(" 0.")


class GzipSend:
    """An ASGI ``send`` that compresses what passes through it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: dict[str, Any] | None = None

    async def __call__(self, message: Message) -> None:
        """Pass *message* on; the head waits until the body is known."""
        if message["type"] == "http.response.start":
            self._start = dict(message)
            return
        if self._start is None:
            await self._send(message)
            return
        start, self._start = self._start, None
        body: bytes = message.get("body", b"")
        if message.get("more_body") or not _gains(start["headers"], body):
            await self._send(start)
            await self._send(message)
            return
        if len(body) > _BYTES_ON_LOOP_MAX:
            packed = await run_in_threadpool(_pack, body)
        else:
            packed = _pack(body)
        start["headers"] = _headers(start["headers"], len(packed))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": packed})


def _pack(body: bytes) -> bytes:
    return gzip.compress(body, LEVEL, mtime=0)


def _gains(headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:
    if len(body) < BYTES_MIN:
        return False
    fields = dict(headers)
    return b"content-encoding" not in fields and fields.get(b"content-type", b"").startswith(_TEXTS)


def _headers(headers: Sequence[tuple[bytes, bytes]], length: int) -> RawHeaders:
    changed: RawHeaders = []
    for name, value in headers:
        if name == b"content-length":
            changed.append((name, b"%d" % length))
        elif name == b"etag" and value.endswith(b'"') and not value.startswith(b"W/"):
            changed.append((name, b'%s%s"' % (value[:-1], GZIP_SUFFIX.encode())))
        else:
            changed.append((name, value))
    changed.append((b"content-encoding", b"gzip"))
    return changed
