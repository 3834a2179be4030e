"""Real product data that is not ours to publish, where a machine has it beside the repository."""

import os
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]


def shared_data(name: str) -> Path:
    """Return the path of one file of the data; the test is skipped where it is absent.

    It is looked for in ``VITRINA_SHARED_DATA``, or else in ``../shared/data`` seen from the
    repository.
    """
    folder = Path(os.environ.get("VITRINA_SHARED_DATA", ROOT.parent / "shared" / "data"))
    path = folder / name
    if not path.exists():
        pytest.skip(f"{path} is not on this machine (set VITRINA_SHARED_DATA to its folder)")
    return path
