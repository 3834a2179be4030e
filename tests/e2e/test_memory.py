"""What a process keeps back of the system's memory stays small, however many threads come and go."""

import platform
from pathlib import Path

import httpx2
import pytest

from tests.e2e.test_kill import children
from tests.running import RunningService

GLIBC = platform.libc_ver()[0] == "glibc"
CHANGES = 10
HEAP_BYTES = 64 * 2**20
"""Of each arena beside the main one glibc reserves so much address space, from a multiple of it on."""


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service choose, whatever whoever runs the tests has chosen."""
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A catalog of one product."""
    (tmp_path / "products.csv").write_text("id,title,quantity\nLAMP-1,Lamp,5\n")
    return tmp_path


def arenas(pid: int) -> int:
    """Return how many arenas a process has beside the main one, by what is mapped (proc_maps(5)).

    Each begins with what is in use, and is followed by what is only reserved.
    """
    maps = [line.split() for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    places = [[int(each, 16) for each in fields[0].split("-")] for fields in maps]
    return sum(
        used[1] == "rw-p"
        and rest[1] == "---p"
        and first % HEAP_BYTES == 0
        and begin == end
        and last == first + HEAP_BYTES
        for used, rest, (first, end), (begin, last) in zip(
            maps, maps[1:], places, places[1:], strict=False
        )
    )


def work(service: RunningService) -> None:
    """Let the index take changes in one by one, each in a thread of the engine's own."""
    for number in range(CHANGES):
        with httpx2.Client(base_url=service.url, timeout=60) as client:
            change = {"quantity": number}
            assert client.patch("/v1/products/LAMP-1", json=change).status_code == 200
            found = client.get("/v1/products", params={"q": "lamp", "quantity": number})
            assert found.json()["total"] == 1


@pytest.mark.skipif(not GLIBC, reason="no other C library has arenas")
def test_threads_share_one_arena_beside_the_main_one(shop: Path) -> None:
    with RunningService(shop) as service:
        work(service)

        assert arenas(service.pid) == 1


@pytest.mark.skipif(not GLIBC, reason="no other C library has arenas")
def test_it_is_the_same_in_each_of_several_workers(shop: Path) -> None:
    with RunningService(shop, "--workers", "2") as service:
        work(service)

        assert [arenas(each) for each in children(service.pid)] == [1, 1]


@pytest.mark.skipif(not GLIBC, reason="no other C library has arenas")
@pytest.mark.parametrize(
    "chosen",
    [{"MALLOC_ARENA_MAX": "4"}, {"GLIBC_TUNABLES": "glibc.malloc.arena_max=4"}],
    ids=str,
)
def test_a_number_that_somebody_chose_stands(shop: Path, chosen: dict[str, str]) -> None:
    with RunningService(shop, settings=chosen) as service:
        work(service)

        assert arenas(service.pid) == 3
