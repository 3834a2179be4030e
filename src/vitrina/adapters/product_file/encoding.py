"""The bytes of a product file as text: UTF-8, or UTF-16 with a byte order mark.

A file keeps the encoding and the byte order mark it came with. Anything that is neither is
refused with the place of the first wrong byte: guessing an encoding would damage names.
"""

import codecs
import re
from bisect import bisect_right
from typing import Final, NoReturn

from vitrina.adapters.product_file.model import Dialect, UnreadableFile

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
LINE_END: Final = re.compile(r"\r\n|\r|\n")


def decode(data: bytes) -> tuple[str, Dialect]:
    """Return the text after the byte order mark, and how it was written.

    Raises:
        UnreadableFile: ``invalid_encoding`` or ``nul_character``.
    """
    bom, encoding = next((each for each in _BOMS if data.startswith(each[0])), (b"", "utf-8"))
    if encoding == "utf-8" and (found := data.find(b"\x00")) >= 0:
        _refuse_nul(data[len(bom) : found].decode(errors="replace"))
    try:
        text = data[len(bom) :].decode(encoding)
    except UnicodeDecodeError as error:
        line, column = place(error.object[: error.start].decode(encoding), -1)
        raise UnreadableFile(line, column, "invalid_encoding", _advice(error, encoding)) from None
    if (found := text.find("\x00")) >= 0:
        _refuse_nul(text[:found])
    ends = LINE_END.search(text)
    return text, Dialect(encoding=encoding, bom=bom, line_end=ends[0] if ends else "\n")


def _refuse_nul(before: str) -> NoReturn:
    line, column = place(before, -1)
    detail = "A NUL character: the file is damaged, or UTF-16 without a byte order mark."
    raise UnreadableFile(line, column, "nul_character", f"{detail} Save it as UTF-8.")


def place(text: str, offset: int) -> tuple[int, int]:
    """Return line and column, 1-based, of the character at *offset*; -1 is behind the last."""
    return Lines(text).of(len(text) if offset < 0 else offset)


class Lines:
    """The lines of a text, for many questions about places in it."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(end.end() for end in LINE_END.finditer(text))]

    def of(self, offset: int) -> tuple[int, int]:
        """Return line and column, 1-based, of the character at *offset*."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def _advice(error: UnicodeDecodeError, encoding: str) -> str:
    byte = f"byte 0x{error.object[error.start]:02X}"
    if encoding != "utf-8":
        return f"The file starts like UTF-16, but {byte} is wrong in it. Save it as UTF-8."
    return (
        f"The file is not UTF-8: {byte} is wrong in it. It was probably saved as Latin-1 or "
        "Windows-1252; save it again as 'CSV UTF-8' (UTF-8)."
    )
