"""GTINs as files give them: with hyphens, without their leading zeros, or not GTINs at all.

A spreadsheet drops leading zeros. They do not change the check digit, so a number of 7, 9, 10 or
11 digits whose check digit still fits gets them back (7 → GTIN-8, else → GTIN-12), with a warning.
"""

import re
from typing import Final

from vitrina.adapters.product_file.cells import DoubtfulCell, UnreadableCell, read_identifier
from vitrina.domain.errors import InvalidValue
from vitrina.domain.identifiers import parse_gtin

_SHORTENED: Final = {7: 8, 9: 12, 10: 12, 11: 12}
_GROUPED: Final = re.compile(r"[0-9]+(?:[ -][0-9]+)+")


def read_gtin(cell: str, *, loose: bool) -> str:
    """Return the GTIN in *cell*.

    Args:
        cell: Not empty.
        loose: The column does not promise GTINs: what is none is left out with a warning.

    Raises:
        DoubtfulCell: ``leading_zeros_restored``, or with *loose* ``not_a_gtin``.
        UnreadableCell: ``scientific_notation`` or ``invalid_gtin``.
    """
    try:
        digits = read_identifier(cell)
        if _GROUPED.fullmatch(digits):
            digits = digits.replace("-", "").replace(" ", "")
        restored = _restore(digits)
        gtin = parse_gtin(restored)
    except (UnreadableCell, InvalidValue) as error:
        if loose:
            detail = f"{error} It is left out of the product; the cell stays as it is."
            raise DoubtfulCell("not_a_gtin", detail) from None
        if isinstance(error, InvalidValue):
            raise UnreadableCell(error.rule, error.detail) from None
        raise
    if restored != digits:
        raise DoubtfulCell(
            "leading_zeros_restored",
            f"Read as {gtin}: a spreadsheet dropped leading zeros, and the check digit proves it. "
            "Format the column as text and write the zeros again.",
            value=gtin,
        )
    return gtin


def _restore(digits: str) -> str:
    return digits.zfill(_SHORTENED.get(len(digits), 0)) if digits.isdigit() else digits
