"""Several indexes of the engine → one that holds the segments of all of them.

The engine keeps an index as segments that know nothing of each other: files that are named after the segment, and
``meta.json``, which lists the segments. So indexes of one schema become one by a list of all of them, without
anything being read or written anew.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import orjson

from vitrina.adapters.index.files import MANAGED, META, force, replace

_SAME: Final = ("index_settings", "schema")
"""What the lists of all parts must agree in."""


def join(parts: Sequence[Path], folder: Path) -> None:
    """Make the indexes of *parts* one; they are gone afterwards.

    Args:
        parts: Their folders, on one disk; at least one.
        folder: Of the index, where there is none yet.

    Raises:
        OSError: The system refuses.
        ValueError: They are no indexes, or of different schemas.
    """
    metas = [orjson.loads((each / META).read_bytes()) for each in parts]
    if any(each[name] != metas[0][name] for each in metas for name in _SAME):
        raise ValueError("indexes of different schemas cannot become one")
    files: set[str] = set()
    for part in parts:
        managed = set(orjson.loads((part / MANAGED).read_bytes()))
        for name in managed - {META}:
            (part / name).rename(folder / name)
        files |= managed
        shutil.rmtree(part)
    joined = {
        **metas[0],
        "segments": [segment for each in metas for segment in each["segments"]],
        "opstamp": max(each["opstamp"] for each in metas),
    }
    replace(folder / MANAGED, orjson.dumps(sorted(files)))
    replace(folder / META, orjson.dumps(joined))
    force(folder)
