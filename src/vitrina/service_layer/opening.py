"""Opening a catalog: what may stand in the way, and what was understood of it."""

from dataclasses import dataclass


class CannotOpen(Exception):
    """A catalog cannot be opened as it is; the message says why, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a product file that somebody should look at.

    Attributes:
        file: The name of the file.
        line: The physical line, from 1; 0 when it is about the file as a whole.
        column: The column's header or the field's name; empty when it is about the whole row.
        value: What stands there, shortened.
        code: The broken rule, stable and in snake_case.
        detail: What is wrong and what to do.
        severity: ``error``: the row is not served as it stands; ``warning``: it is.
    """

    file: str
    line: int
    column: str
    value: str
    code: str
    detail: str
    severity: str = "error"
