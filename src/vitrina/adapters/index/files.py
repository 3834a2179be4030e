"""The engine's files: the lists that tell which belong to an index, and how they are replaced for good."""

import os
from pathlib import Path
from typing import Final

META: Final = "meta.json"
"""The segments of an index."""

MANAGED: Final = ".managed.json"
"""The files that the engine may delete when no segment needs them any more."""


def replace(path: Path, data: bytes) -> None:
    """Put *data* in the place of a file, which is whole at any time."""
    fresh = path.with_name(f"{path.name}.tmp")
    fresh.write_bytes(data)
    force(fresh)
    fresh.replace(path)


def force(path: Path) -> None:
    """Force a file or a folder to the disk."""
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
