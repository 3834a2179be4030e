"""Text as the catalog keeps it: Unicode NFC, without control characters, of bounded length."""

import re
import unicodedata
from typing import Final

from vitrina.domain.errors import InvalidValue

# C0 and C1 controls and DEL, except tab, line feed and carriage return.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


def clean_text(text: str, *, longest: int, shortest: int = 0) -> str:
    """Return *text* in Unicode Normalization Form C.

    Args:
        text: What was sent or read.
        longest: The most characters allowed, counted after normalization.
        shortest: The fewest; 1 also refuses text of nothing but white space.

    Raises:
        InvalidValue: ``control_character``, ``too_long`` or ``too_short``.
    """
    if not text.isascii():
        if _SURROGATE.search(text):
            raise InvalidValue("control_character", "Lone surrogates are not text.")
        text = unicodedata.normalize("NFC", text)
    if not text.isprintable() and (found := _CONTROL.search(text)):
        raise InvalidValue(
            "control_character",
            f"Control character U+{ord(found.group()):04X} at position {found.start()}; "
            "only line breaks and tabs are allowed.",
        )
    if len(text) > longest:
        raise InvalidValue("too_long", f"{len(text)} characters; at most {longest} are allowed.")
    if len(text) < shortest or (shortest and not text.strip()):
        raise InvalidValue("too_short", "The text is empty.")
    return text


def fold(text: str) -> str:
    """Return *text* without case and accents, as people compare titles: ``"Éclair"`` → ``eclair``."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
