"""Several processes on one listening socket get about as many connections each."""

import asyncio
import errno
import socket
from collections.abc import Iterator

import pytest

from vitrina.entrypoints.acceptor import Acceptor, Loads

CALLERS = 10


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener


class Process:
    """One of several processes, on the event loop of the test."""

    def __init__(
        self, listener: socket.socket, loads: Loads, place: int, more: asyncio.Event
    ) -> None:
        self.transports: list[asyncio.Transport] = []
        self.acceptor = Acceptor(
            listener,
            lambda: Busy(self.transports, more),
            count=lambda: len(self.transports),
            loads=loads,
            place=place,
        )

    async def end(self) -> None:
        self.acceptor.close()
        await self.acceptor.wait_closed()
        for each in self.transports:
            each.close()


class Busy(asyncio.Protocol):
    """Keeps its connection."""

    def __init__(self, transports: list[asyncio.Transport], more: asyncio.Event) -> None:
        self.transports = transports
        self.more = more

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transports.append(transport)
        self.more.set()


async def accept(listener: socket.socket, loads: Loads, places: int, callers: int) -> list[int]:
    """Let so many call at once, and return how many connections each place got."""
    more = asyncio.Event()
    listeners = [listener, *(listener.dup() for _ in range(places - 1))]
    processes = [Process(each, loads, place, more) for place, each in enumerate(listeners)]
    clients = [(await asyncio.open_connection(*listener.getsockname()))[1] for _ in range(callers)]
    while sum(len(each.transports) for each in processes) < callers:
        more.clear()
        await more.wait()
    for each in processes:
        await each.end()
    for client in clients:
        client.close()
    for other in listeners[1:]:
        other.close()
    return [len(each.transports) for each in processes]


def test_each_gets_its_share(listener: socket.socket) -> None:
    loads = Loads(3)  # Nobody is at the last place.
    assert asyncio.run(accept(listener, loads, 2, CALLERS)) == [5, 5]
    assert not any(map(loads.has_more, range(3)))


def test_one_alone_gets_all(listener: socket.socket) -> None:
    assert asyncio.run(accept(listener, Loads(1), 1, CALLERS)) == [CALLERS]


def test_a_process_that_does_not_come_is_not_waited_for(listener: socket.socket) -> None:
    loads = Loads(2)
    loads.tell(1, 0)  # It has few, and is busy with something else.
    assert asyncio.run(accept(listener, loads, 1, CALLERS)) == [CALLERS]


class Refusing(socket.socket):
    """A listening socket of a process that has no descriptor left, for a moment."""

    refusals = 1

    def accept(self) -> tuple[socket.socket, object]:
        if self.refusals:
            self.refusals -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


def test_it_goes_on_when_there_are_descriptors_again(listener: socket.socket) -> None:
    with Refusing(fileno=listener.detach()) as refusing:
        assert asyncio.run(accept(refusing, Loads(1), 1, 2)) == [2]
        assert refusing.refusals == 0
