"""What is written without the care that the journal gets, is never believed at a start.

``.vitrina/run`` and ``.vitrina/file/status.json`` are neither synced nor told to the disk seam that the
crash tests record. So a crash may leave anything in them. Here they hold anything, and the next start
goes as if they held nothing.
"""

from pathlib import Path
from random import Random

import pytest

from tests.integration.stores import lamp, save
from vitrina.adapters.journal.folder import open_store
from vitrina.adapters.journal.marks import Marks, Notice
from vitrina.bootstrap import open_catalog
from vitrina.service_layer.person_file import FileState
from vitrina.settings import Settings

RUN_FILES = ("opening", "members", "lead", "write", "sync", "marks")
SETTINGS = Settings.load(file_delay_s=0.0)
TEXT = "id,title\nLAMP-1,Lamp\n"


def garbage(random: Random, size: int) -> bytes:
    """Return bytes as a crash may leave them: zeros, ones, anything."""
    return random.choice((bytes(size), b"\xff" * size, random.randbytes(size)))


@pytest.mark.parametrize("seed", range(40))
def test_anything_in_the_run_folder(tmp_path: Path, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - reproducible
    state = tmp_path / ".vitrina"
    with open_store(state) as opened:
        save(opened.store, lamp(0))
    for name in RUN_FILES:
        path = state / "run" / name
        match random.randrange(4):
            case 0:
                path.unlink()
            case 1:
                path.write_bytes(garbage(random, random.choice((1, 4_096, 8_192, 70_000))))
            case 2:
                data = path.read_bytes()
                path.write_bytes(data[: random.randrange(len(data) + 1)])
            case _:
                pass  # As it was, marks of the last run and all.
    (state / "run" / "unknown").write_bytes(b"?")

    with open_store(state, join=seed % 2 == 1) as opened, open_store(state, join=True) as other:
        assert [each.status for each in other.checks()] == ["pass"]
        save(opened.store, lamp(1))
        save(other.store, lamp(2))
        for each in (opened, other):
            assert each.store.seq == 3
            assert [each.store.view.product(f"lamp-{n}").version for n in range(3)] == [1, 1, 1]


@pytest.mark.parametrize(
    "left",
    [
        b"",
        b"{",
        b'{"state":"broken","detail":"of the last run"}',
        b'{"state":"nonsense"}',
        b'{"file":"products.csv","state":"in_sync","rows":1,"refused":0,"seq":999}',
        b"\x00" * 300,
        b"\xff\xfe",
    ],
)
@pytest.mark.parametrize("name", ["status.json", "status.json.tmp"])
def test_anything_in_the_state_of_the_file(tmp_path: Path, left: bytes, name: str) -> None:
    (tmp_path / "products.csv").write_text(TEXT)
    desk = tmp_path / ".vitrina" / "file"
    desk.mkdir(parents=True)
    (desk / name).write_bytes(left)

    with open_catalog(tmp_path, SETTINGS) as catalog:
        status = catalog.file.status()
        assert (status.state, status.detail, status.rows) == (FileState.IN_SYNC, "", 1)
        assert {each.status for each in catalog.checks()} == {"pass"}
    assert (tmp_path / "products.csv").read_text() == TEXT


def test_a_new_text_of_a_notice_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    marks, other = Marks(tmp_path / "marks"), Marks(tmp_path / "marks")
    marks.begin(first=1, size=0, oldest=1)
    for text in ("no room", "still no room", None, "ü" * 1_000, "x"):
        marks.say(Notice.REFUSED, text)
        told = other.said(Notice.REFUSED)
        assert told == (text and text[: 768 // 2] if text and text[0] == "ü" else text)
        assert other.said(Notice.SNAPSHOT) is other.failure is None
    marks.close()
    assert marks.said(Notice.REFUSED) == "x"
    other.close()
