"""Bring uv into a virtual environment of its own, with nothing but a Python 3.8 or newer.

``python3 scripts/bring_uv.py FOLDER`` makes the environment FOLDER and installs uv there from PyPI, so that a system
whose own pip is locked (PEP 668) or missing stays as it is. Debian and Ubuntu ship Python without ``ensurepip``: there pip
itself is taken from PyPI first, one pinned wheel whose digest is checked, and run from the wheel.

Written for the oldest Python that uv's bootstrap may meet, not for the project's.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

UV = "uv>=0.13.8,<0.14"
# The last pip that runs on Python 3.8.
PIP_WHEEL = "pip-25.0.1-py3-none-any.whl"
PIP_URL = (
    "https://files.pythonhosted.org/packages/c9/bc/b7db44f5f39f9d0494071bddae6880eb645970366d0a200022a1a93d57f5/"
    + PIP_WHEEL
)
PIP_SHA256 = "c46efd13b6aa8279f33f2864459c8ce587ea6a1a59ee20de055868d8f7688f7f"


class CannotBring(Exception):
    """A step failed, and what the person can do about it."""


def make_environment(folder: Path) -> str:
    """Make an empty virtual environment and return its Python."""
    try:
        import venv  # noqa: PLC0415  (a minimal Python lacks it; the message below says so)
    except ImportError as missing:
        raise CannotBring(
            "This Python has no module venv. Install it (Debian and Ubuntu: apt-get install python3-venv)."
        ) from missing
    venv.EnvBuilder(clear=True, symlinks=os.name != "nt").create(folder)
    scripts = "Scripts" if os.name == "nt" else "bin"
    return str(folder / scripts / "python")


def has_ensurepip(python: str) -> bool:
    command = [python, "-m", "ensurepip", "--default-pip"]
    return (
        subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        ).returncode
        == 0
    )


def fetch_pip(folder: Path) -> str:
    """Return the path that runs the pinned pip wheel, after its digest was checked."""
    try:
        with urllib.request.urlopen(PIP_URL, timeout=60) as answer:
            wheel = answer.read()
    except OSError as error:
        raise CannotBring(
            f"This Python has no pip, and fetching it failed: {error}.\n"
            "Install pip or uv (Debian and Ubuntu: apt-get install python3-venv), or see https://docs.astral.sh/uv/."
        ) from error
    if hashlib.sha256(wheel).hexdigest() != PIP_SHA256:
        raise CannotBring(f"{PIP_URL} is not the file that was expected; nothing was installed.")
    path = folder / PIP_WHEEL
    path.write_bytes(wheel)
    return str(path / "pip")


def bring(folder: Path) -> None:
    print(f"uv is not on the PATH: installing it into {folder} …", flush=True)
    python = make_environment(folder)
    with tempfile.TemporaryDirectory() as spare:
        pip = ["-m", "pip"] if has_ensurepip(python) else [fetch_pip(Path(spare))]
        install = [python, *pip, "install", "--quiet", "--disable-pip-version-check", UV]
        if subprocess.run(install, check=False).returncode != 0:
            raise CannotBring(
                "pip could not install uv (its message is above). See https://docs.astral.sh/uv/ for other ways."
            )


def main() -> int:
    folder = Path(sys.argv[1]).resolve()
    try:
        bring(folder)
    except CannotBring as error:
        # Half an environment would be taken for a whole one by the next run.
        shutil.rmtree(folder, ignore_errors=True)
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
