"""``kill -9`` of a busy store, again and again; and a disk that really is full."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.stores import contents, lamp, save
from tests.shared_data import ROOT
from vitrina.adapters.journal.folder import open_store
from vitrina.adapters.journal.store import JournalStore
from vitrina.domain.errors import StoreReadOnly

ROUNDS = 20
WRITERS = 8


def test_no_acknowledged_write_is_lost_and_none_is_half_there(tmp_path: Path) -> None:
    """Method: 8 threads write with small segments and constant checkpoints; the process is killed.

    Every write that it told of must be there, or a later one of the same product, whole.
    """
    state = tmp_path / ".vitrina"
    chance = random.Random(5)  # noqa: S311 - a moment to kill at
    acknowledged: dict[str, int] = {}
    for _ in range(ROUNDS):
        with (tmp_path / "told").open("wb") as told:
            writer = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.store_writer", state, str(WRITERS)],
                cwd=ROOT,
                stdout=told,
            )
            while writer.poll() is None and (tmp_path / "told").stat().st_size < 200:
                time.sleep(0.01)
            time.sleep(chance.random() / 4)
            writer.kill()
            assert writer.wait() == -9
        *lines, _torn = (tmp_path / "told").read_text().split("\n")
        for line in lines:
            number, version = line.split()
            key = f"lamp-{number}"
            acknowledged[key] = max(acknowledged.get(key, 0), int(version))

    with open_store(state) as opened:
        found = contents(opened.store)
        assert found.keys() >= acknowledged.keys()
        for key, known in acknowledged.items():
            assert found[key].version >= known
            assert found[key].quantity == found[key].version
            assert found[key].title.startswith(f"Lamp {found[key].version} ")
    assert len(acknowledged) == WRITERS * 5


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB; skipped where one cannot be mounted."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["/bin/mount", "-t", "tmpfs", "-o", "size=2m", "vitrina-test", str(place)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["/bin/umount", str(place)], check=True)


def fill(store: JournalStore) -> None:
    for number in range(10_000):
        save(store, lamp(number, description="x" * 20_000))


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    state = small_disk / ".vitrina"
    with open_store(state) as opened:
        with pytest.raises(StoreReadOnly, match="No space left on device"):
            fill(opened.store)
        saved = len(contents(opened.store))
        assert opened.store.seq == saved > 10
        assert [each.status for each in opened.checks() if each.name == "store"] == ["warn"]

    with open_store(state) as opened:
        assert len(contents(opened.store)) == saved
        for each in state.glob("snapshot-*"):
            each.unlink()  # Somebody makes room.
        with opened.store.unit_of_work() as uow:
            uow.products.remove(uow.products.get("lamp-0").removed())
            uow.commit()
        assert len(contents(opened.store)) == saved - 1
