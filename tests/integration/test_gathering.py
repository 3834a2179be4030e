"""What one turn of the event loop writes is sent together, in its order, and nothing is kept back."""

import asyncio

import pytest

from vitrina.entrypoints.gathering import GATHERED_BYTES_MAX, GatheringTransport

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Recorded(asyncio.Transport):
    """A transport that keeps what it was given."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 9)})
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.closed = True


@pytest.fixture
async def transport() -> Recorded:
    return Recorded()


async def test_head_and_body_are_sent_together(transport: Recorded) -> None:
    gathering = GatheringTransport(transport, asyncio.get_running_loop())
    for turn in (b"1", b"2"):
        gathering.write(b"head" + turn)
        gathering.write(b"body" + turn)
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert transport.sent == [b"head1body1", b"head2body2"]


async def test_much_is_sent_at_once(transport: Recorded) -> None:
    gathering = GatheringTransport(transport, asyncio.get_running_loop())
    gathering.write(b"head")
    gathering.write(bytes(GATHERED_BYTES_MAX))
    assert [len(each) for each in transport.sent] == [GATHERED_BYTES_MAX + 4]
    gathering.write(b"tail")
    await asyncio.sleep(0)
    assert transport.sent[1:] == [b"tail"]


async def test_a_close_sends_what_was_written(transport: Recorded) -> None:
    gathering = GatheringTransport(transport, asyncio.get_running_loop())
    gathering.write(b"last")
    gathering.close()
    assert transport.sent == [b"last"]
    assert transport.closed
    await asyncio.sleep(0)
    assert transport.sent == [b"last"]


async def test_all_else_is_the_transports(transport: Recorded) -> None:
    gathering = GatheringTransport(transport, asyncio.get_running_loop())
    assert gathering.get_extra_info("peername") == ("127.0.0.1", 9)
