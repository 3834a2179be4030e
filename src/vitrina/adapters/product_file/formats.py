"""Which format a file has, and what an empty one looks like."""

from pathlib import PurePath
from typing import Final

from vitrina.adapters.product_file.model import Format

SUFFIXES: Final = {
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".txt": Format.CSV,
    ".json": Format.JSON,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
}
"""File name suffix → format."""

_NEW: Final = {
    Format.CSV: b"id,sku,title,price,quantity,brand,category,description,images\n",
    Format.JSON: b"[]\n",
    Format.JSONL: b"",
}


def detect_format(name: str, data: bytes = b"") -> Format:
    """Return the format of a file by the suffix of its name, or else by its first character.

    A ``.json`` file with one object on each line is JSON Lines.
    """
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    known = SUFFIXES.get(PurePath(name).suffix.lower())
    if known in {Format.CSV, Format.JSONL}:
        return known
    if start.startswith(b"{"):
        first, *others = start.split(b"\n", 2)[:2]
        lines = first.rstrip().endswith(b"}") and (
            not others or others[0][:1] in {b"{", b"", b"\r"}
        )
        whole = not others and b'"products"' in first
        return Format.JSONL if lines and not whole else Format.JSON
    if known is Format.JSON or start.startswith(b"["):
        return Format.JSON
    return Format.CSV


def new_file(file_format: Format) -> bytes:
    """Return the bytes of a product file without products."""
    return _NEW[file_format]
