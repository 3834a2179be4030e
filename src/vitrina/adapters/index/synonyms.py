"""``synonyms.csv`` in the catalog folder: words that mean the same.

Each row is a group: ``sofa,couch,settee``. A cell may hold several words: ``tv,television set``. Whoever
asks for one of a group finds all of it. Case and accents do not matter; empty cells and lines that begin
with ``#`` are left out. Cells may be separated by semicolons, tabs or ``|`` instead, as spreadsheets of many
countries do: the one that stands in the file most often separates. At most 10,000 rows of 20 cells of 5 words. The file is read at start-up.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from vitrina.adapters.index.rows import words
from vitrina.domain.text import fold
from vitrina.service_layer.opening import CannotOpen

FILE_NAME: Final = "synonyms.csv"
ROWS_MAX: Final = 10_000
CELLS_MAX: Final = 20
DELIMITERS: Final = ",;\t|"
WORDS_MAX: Final = 5


def read_synonyms(path: Path) -> Mapping[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return what is in the file: words → the words that mean the same; nothing without a file.

    Raises:
        CannotOpen: It cannot be read, or is larger than allowed.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in file if not line.startswith(("#", "sep="))]
        rows = list(csv.reader(lines, delimiter=_delimiter(lines)))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CannotOpen(f"{path} cannot be read: {error}.") from error
    if len(rows) > ROWS_MAX:
        raise CannotOpen(f"{path} has {len(rows)} rows; at most {ROWS_MAX} are allowed.")
    meaning: dict[tuple[str, ...], dict[tuple[str, ...], None]] = {}
    for number, row in enumerate(rows, 1):
        group = [each for cell in row if (each := tuple(words(fold(cell))))]
        if len(group) > CELLS_MAX or any(len(each) > WORDS_MAX for each in group):
            raise CannotOpen(
                f"{path}, row {number}: at most {CELLS_MAX} cells of {WORDS_MAX} words are allowed."
            )
        for each in group:
            others = meaning.setdefault(each, {})
            others.update((other, None) for other in group if other != each)
    return {each: tuple(others) for each, others in meaning.items()}


def _delimiter(lines: Sequence[str]) -> str:
    counts = {each: sum(line.count(each) for line in lines) for each in DELIMITERS}
    return max(DELIMITERS, key=counts.__getitem__)
