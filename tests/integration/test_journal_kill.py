"""``kill -9`` of a busy store, again and again; and a disk that really is full."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.full_disk import CANNOT_MOUNT
from tests.integration.stores import contents
from tests.shared_data import ROOT
from vitrina.adapters.journal.folder import open_store

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


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.integration.full_disk", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    if ran.returncode == CANNOT_MOUNT:
        pytest.skip("no file system can be mounted here")
    assert ran.returncode == 0, ran.stdout + ran.stderr
