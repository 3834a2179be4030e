"""The bell of the change feed rings for everything that is news to a stream."""

from collections.abc import Iterator, Sequence

import pytest

from vitrina.adapters.meters import private_meters
from vitrina.domain.errors import StoreUnreadable
from vitrina.entrypoints.http.live import Bell
from vitrina.service_layer.changes import Change

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Growing:
    """A log that may refuse to be read at first; meets ``ChangeLog``."""

    oldest = 1

    def __init__(self, seq: int, *, refusals: int = 0) -> None:
        self._seq = seq
        self._left = refusals

    @property
    def seq(self) -> int:
        if self._left:
            self._left -= 1
            raise StoreUnreadable("too many open files")
        return self._seq

    def wait(self, after: int, *, timeout_s: float) -> bool:
        assert timeout_s > 0
        return self._seq > after

    def changes(self, after: int, *, limit: int) -> Sequence[Change]:
        raise NotImplementedError

    def history(self, product_id: str, *, before: int | None = None) -> Iterator[Change]:
        raise NotImplementedError


@pytest.mark.parametrize("refusals", [0, 2], ids=["readable", "unreadable at first"])
async def test_what_came_before_the_watch_began_is_rung_for(refusals: int) -> None:
    """A stream may have looked just before that; and a log that cannot be read may recover."""
    bell = Bell(Growing(seq=7, refusals=refusals), private_meters())
    with bell.listening() as listener:
        assert await listener.rung(30)
    bell.close()
