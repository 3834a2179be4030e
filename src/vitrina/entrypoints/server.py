"""Runs the application on a socket until it is asked to stop."""

import asyncio
import errno
import gc
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final, cast

import uvicorn

from vitrina.entrypoints.acceptor import Acceptor, Loads
from vitrina.entrypoints.http.app import Application
from vitrina.entrypoints.request_line import RequestLineProtocol

BACKLOG: Final = 2_048
SWITCH_S: Final = 0.001
"""How long a thread that computes, such as the one that rewrites the product file, keeps the event loop
waiting each time that it has something to do; Python's own 5 ms would be felt by every request."""
GARBAGE_FROM: Final = 20_000
"""From how many more objects that could be parts of a cycle the collector looks for cycles; Python's own is 2,000."""

TELL_EVERY: Final = 10
"""Ticks, of 0.1 s each, from one time that a process tells its numbers to the next."""

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Share:
    """What one of several processes on one socket knows of them.

    Attributes:
        loads: How many connections each has.
        place: This one's in them.
        beat: Called ten times a second while this one serves.
        rest: Called when it stops serving.
    """

    loads: Loads
    place: int
    beat: Callable[[], None]
    rest: Callable[[], None]


class PortTaken(Exception):
    """The address cannot be listened on; the message says which, why, and what to do."""


@contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """Listen on an address; before the catalog is opened, so that a taken port is told at once.

    Raises:
        PortTaken: Another program listens there, or the address is none of this machine's.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind)
    except OSError as error:
        raise PortTaken(f"{host} is no address of this machine: {error.strerror}.") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(
                    f"Port {port} of {host} is taken: address already in use. Stop the program "
                    f"that listens there, or choose another port: --port {port + 1}"
                ) from error
            raise PortTaken(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
        yield listener


class _Server(uvicorn.Server):
    """A server for which SIGTERM and SIGINT are orders to stop, and a stop is a success.

    uvicorn itself raises the signal again after it has stopped, so that the process would end by
    it before the catalog is closed, with exit code 143.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        application: Application,
        listener: socket.socket,
        share: Share | None,
    ) -> None:
        super().__init__(config)
        self._application = application
        self._listener = listener
        self._share = share
        self._acceptor: Acceptor | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen; one by one, when other processes listen on the same socket."""
        await super().startup(sockets)
        # What is there now stays. Without this the collector would look at every product of the
        # catalog now and then, and let the requests of that moment wait for it.
        gc.collect()
        gc.freeze()
        # What comes later is mostly kept, too, up to its bounds, and hardly ever a cycle: to look at a hundred
        # thousand of such things holds everything up for 50 ms, so that is done a tenth as often.
        gc.set_threshold(GARBAGE_FROM)
        if self._share is not None and not self.lifespan.should_exit:
            self._acceptor = Acceptor(
                self._listener,
                self._protocol,
                count=lambda: len(self.server_state.connections),
                loads=self._share.loads,
                place=self._share.place,
            )
            self.servers.append(cast("asyncio.Server", self._acceptor))

    async def on_tick(self, counter: int) -> bool:
        """Do what is to be done ten times a second; say whether to stop."""
        if self._acceptor is not None:
            self._acceptor.tell()
        if self._share is not None:
            self._share.beat()
        if counter % TELL_EVERY == 0:
            self._application.tell()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish the requests under way."""
        if self._share is not None:
            self._share.rest()
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        kind = cast("Callable[..., asyncio.Protocol]", self.config.http_protocol_class)
        return kind(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals while serving; afterwards further ones are ignored: it is stopping."""
        for number in SIGNALS:
            signal.signal(number, self.handle_exit)
        try:
            yield
        finally:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """Say to probes that no further requests are wanted, and begin to stop."""
        self._application.drain()
        # To uvicorn a Ctrl-C that follows another order means "at once": it would not close the
        # catalog then. With several workers the two orders always come together.
        super().handle_exit(signal.SIGTERM, frame)


def serve_until_stopped(
    application: Application, listener: socket.socket, *, grace_s: int, share: Share | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; then finish the requests under way.

    Args:
        application: What to serve.
        listener: Where.
        grace_s: How long requests under way may take; afterwards they are cut off.
        share: This process's share, when others listen there, too.
    """
    config = uvicorn.Config(
        application,
        access_log=False,
        log_config=None,
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=grace_s,
        backlog=BACKLOG,
        http=RequestLineProtocol,
    )
    sys.setswitchinterval(SWITCH_S)
    server = _Server(config, application, listener, share)
    server.run(sockets=[listener] if share is None else [])
