"""Shares the connections of one listening socket fairly among several processes.

An event loop accepts all connections that wait at once. Of several processes on one socket, the first
one awake then gets nearly all of them, and the others have nothing to do. Here each accepts one at a
time, and one that has more connections than another holds back for a moment.
"""

import asyncio
import mmap
import socket
from collections.abc import Callable
from typing import Final

import structlog

HOLD_BACK_S: Final = 0.01
"""How long a process leaves a connection to those that have fewer; then it takes it itself."""

PAUSE_S: Final = 0.1
"""After a connection that could not be accepted, such as for want of a file descriptor."""

_NOBODY: Final = 2**63

_log = structlog.get_logger(__name__)


class Loads:
    """How many connections each of several processes has, in memory that they share when forked."""

    def __init__(self, processes: int) -> None:
        self._words = memoryview(mmap.mmap(-1, 8 * processes)).cast("Q")
        for place in range(processes):
            self.leave(place)

    def tell(self, place: int, connections: int) -> None:
        """Tell how many connections the process at *place* has."""
        self._words[place] = connections

    def leave(self, place: int) -> None:
        """Tell that there is no process at *place*."""
        self._words[place] = _NOBODY

    def has_more(self, place: int) -> bool:
        """Say whether the process at *place* has more connections than another one."""
        return self._words[place] > min(self._words)


class Acceptor:
    """Accepts connections one by one until it is closed; what ``uvicorn`` asks of a server."""

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        *,
        count: Callable[[], int],
        loads: Loads,
        place: int,
    ) -> None:
        """Begin, on the running event loop.

        Args:
            listener: A listening socket that the other processes listen on, too.
            protocol: Makes the protocol of a new connection.
            count: Tells how many connections this process has.
            loads: Of all processes.
            place: This process's in them.
        """
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._protocol = protocol
        self._count = count
        self._loads = loads
        self._place = place
        self._connecting: set[asyncio.Task[object]] = set()
        self._open = True
        self._held_back = False
        listener.setblocking(False)
        self.tell()
        self._listen()

    def tell(self) -> None:
        """Tell the other processes how many connections this one has."""
        if self._open:
            self._loads.tell(self._place, self._count() + len(self._connecting))

    def close(self) -> None:
        """Accept no further connections; those that wait are for the others."""
        self._open = False
        self._loads.leave(self._place)
        self._loop.remove_reader(self._listener)

    async def wait_closed(self) -> None:
        await asyncio.gather(*self._connecting)

    def _listen(self) -> None:
        if self._open:
            self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        self.tell()
        if self._loads.has_more(self._place) and not self._held_back:
            self._held_back = True
            self._pause(HOLD_BACK_S)
            return
        self._held_back = False
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # Another process was faster, or the caller has gone.
        except OSError as error:
            _log.warning("a connection cannot be accepted", reason=str(error))
            self._pause(PAUSE_S)
            return
        task: asyncio.Task[object] = self._loop.create_task(self._connect(connection))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self._listener)
        self._loop.call_later(seconds, self._listen)

    async def _connect(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol, connection)
        except OSError as error:
            _log.debug("a connection broke at once", reason=str(error))
            connection.close()
