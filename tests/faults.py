"""Makes the system refuse things to a running service, and tells it another time.

A small library (``faults.c``) is compiled and preloaded into the service. It looks into a shared
file, so that faults come and go while the service runs.
"""

import mmap
import shutil
import struct
import subprocess
from enum import IntFlag
from pathlib import Path
from typing import Final

import pytest

SOURCE: Final = Path(__file__).with_name("faults.c")
_LAYOUT: Final = struct.Struct("=6q")
_NUMBER: Final = struct.Struct("=q")
_REFUSED: Final = 4 * _NUMBER.size
_CLOCK: Final = 5 * _NUMBER.size


class Refuse(IntFlag):
    """What the system refuses."""

    NOTHING = 0
    WRITE = 1
    SYNC = 2
    OPEN = 4
    RENAME = 8
    UNLINK = 16
    TRUNCATE = 32
    HALF_WRITE = 64 | 1


class Faults:
    """The faults of one service.

    Attributes:
        environment: What a service needs in its environment to suffer from them.
    """

    def __init__(self, folder: Path, *, path: str = "") -> None:
        """Compile the library in *folder*; skip the test where there is no compiler.

        Args:
            folder: A place for files of this test.
            path: Only files whose path has this part are touched.
        """
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            pytest.skip("there is no C compiler to make faults with")
        library = folder / "faults.so"
        subprocess.run(
            [
                compiler,
                "-O2",
                "-Wall",
                "-Werror",
                "-shared",
                "-fPIC",
                "-o",
                library,
                SOURCE,
                "-ldl",
            ],
            check=True,
        )
        control = folder / "faults.control"
        control.write_bytes(bytes(_LAYOUT.size))
        with control.open("r+b") as file:
            self._control = mmap.mmap(file.fileno(), _LAYOUT.size)
        self.environment = {
            "LD_PRELOAD": str(library),
            "VITRINA_FAULT_CONTROL": str(control),
            "VITRINA_FAULT_PATH": path,
        }

    def refuse(self, what: Refuse, number: int, *, skip: int = 0, times: int = 2**40) -> None:
        """Let the system refuse some operations with this error number.

        Args:
            what: Which.
            number: Of the error, such as ``errno.EIO``.
            skip: So many go well first.
            times: So many are refused then.
        """
        self.mend()
        head = _LAYOUT.pack(what, number, skip, times, 0, 0)[:_REFUSED]
        # What is refused comes last: then all the rest is in place.
        self._control[_NUMBER.size : _REFUSED] = head[_NUMBER.size :]
        self._control[: _NUMBER.size] = head[: _NUMBER.size]

    def mend(self) -> None:
        """Let everything go well again."""
        self._control[: _NUMBER.size] = _NUMBER.pack(Refuse.NOTHING)

    @property
    def refused(self) -> int:
        """How many operations were refused so far."""
        (count,) = _NUMBER.unpack_from(self._control, _REFUSED)
        return int(count)

    def move_clock(self, seconds: int) -> None:
        """Let the service's clock differ from the system's."""
        self._control[_CLOCK:] = _NUMBER.pack(seconds)
