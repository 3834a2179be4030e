"""Characters that a program before us read in the wrong encoding.

The control characters U+0080 to U+009F are never meant. They come from Windows-1252 text that
was read as Latin-1: ``™`` became U+0099. HTML reads them back the same way (WHATWG Encoding).
"""

import re
from typing import Final

from vitrina.adapters.product_file.cells import DoubtfulCell

_C1: Final = re.compile("[\x80-\x9f]")
_MEANT: Final = {
    byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0xA0)
}

MISREAD: Final = DoubtfulCell(
    "misread_character",
    "A control character between U+0080 and U+009F was read as the Windows-1252 character that "
    "was meant, such as ™. Write that character itself.",
)
"""What is told of text that :func:`mend` changes."""


def is_misread(text: str) -> bool:
    return _C1.search(text) is not None


def mend(text: str) -> str:
    """Return *text* with the characters that were meant."""
    return text.translate(_MEANT)
