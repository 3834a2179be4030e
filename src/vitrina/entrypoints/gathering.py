"""Sends the head and the body of an answer together.

uvicorn writes them one after the other, and each would be a system call for the server, and a packet and
another system call for the caller: a quarter of what a read costs. Here all that is written in one turn
of the event loop is sent at its end.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.auto import AutoHTTPProtocol

GATHERED_BYTES_MAX: Final = 64 * 1024
"""More is sent at once, so that the transport can say when it is too much for the caller."""


class GatheringTransport:
    """A transport that keeps what is written until the end of the turn."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Write to *transport*, of a connection on *loop*."""
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._send)
        self._parts.append(data)
        self._size += len(data)
        if self._size > GATHERED_BYTES_MAX:
            self._send()

    def close(self) -> None:
        """Close, once what was written is sent."""
        self._send()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        """Return what else a transport has."""
        return getattr(self._transport, name)

    def _send(self) -> None:
        if self._parts:
            parts, self._parts, self._size = self._parts, [], 0
            self._transport.write(b"".join(parts))


class GatheringProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's HTTP over a transport that gathers."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin with a connection."""
        super().connection_made(GatheringTransport(transport, self.loop))
