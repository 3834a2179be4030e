"""Cells with money, as people in many countries write it; see :mod:`.cells`."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from vitrina.adapters.product_file.cells import NUMBER, UnreadableCell
from vitrina.domain.money import MINOR_DIGITS
from vitrina.service_layer.documents import Document, Json

_SYMBOLS: Final[Mapping[str, str]] = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₫": "VND",
    "₪": "ILS", "₱": "PHP", "₦": "NGN", "R$": "BRL", "zł": "PLN", "Kč": "CZK", "US$": "USD",
    "CA$": "CAD", "C$": "CAD", "A$": "AUD", "AU$": "AUD", "NZ$": "NZD", "HK$": "HKD",
}  # fmt: skip
_SHARED_SYMBOLS: Final[Mapping[str, Sequence[str]]] = {
    "$": "USD AUD CAD NZD HKD SGD TWD MXN ARS CLP COP UYU".split(),
    "¥": "JPY CNY".split(),
    "kr": "SEK NOK DKK ISK".split(),
}
"""Symbols of several currencies: the row's own if it is one of them, else the first ("kr": none)."""

_MONEY: Final = re.compile(
    r"(?P<before>[^\d\s.,+-]*)\s*(?P<number>-?[0-9.,][0-9., \u00a0\u202f']*)\s*(?P<after>[^\d\s.,]*)"
)
_GROUPED: Final = re.compile(
    r"(?P<units>[0-9]{1,3}(?:(?P<mark>[., \u00a0\u202f'])[0-9]{3})(?:(?P=mark)[0-9]{3})*)"
    r"(?:(?P<point>[.,])(?P<fraction>[0-9]+))?"
)
_DECIMAL_COMMA: Final = re.compile(r"([0-9]+),([0-9]{1,2}|[0-9]{4,})")


def read_money(cell: str, currency: str) -> Document:
    """Read an amount of money; *currency* holds where the cell names none.

    Raises:
        UnreadableCell: ``invalid_amount``, ``ambiguous_amount`` or ``unknown_currency``.
    """
    match = _MONEY.fullmatch(cell)
    if match is None:
        detail = "Expected an amount such as 12.90 or 12.90 EUR."
        raise UnreadableCell("invalid_amount", detail)
    before, after = match["before"], match["after"]
    if before and after:
        raise UnreadableCell("invalid_amount", "The currency is named twice; name it once.")
    return {
        "amount": _amount(match["number"].strip()),
        "currency": _currency(before or after, currency) if before or after else currency,
    }


def names_currency(cell: str) -> bool:
    """Say whether the money in *cell* says its currency itself."""
    match = _MONEY.fullmatch(cell)
    return match is not None and bool(match["before"] or match["after"])


def write_money(money: Json, *, bare_in: str | None) -> str:
    """Write money: the amount alone when its currency is *bare_in*, else with its code."""
    if not isinstance(money, Mapping):
        return ""
    amount, currency = str(money["amount"]), str(money["currency"])
    return amount if currency == bare_in else f"{amount} {currency}"


def read_currency(cell: str) -> str:
    """Read a currency's code.

    Raises:
        UnreadableCell: ``unknown_currency``.
    """
    return _currency(cell, "")


def same_amount(left: str, right: str) -> bool:
    """Say whether two plain decimals are equal: ``12.5`` and ``12.50`` are."""
    plain = NUMBER.fullmatch(left) and NUMBER.fullmatch(right)
    return left == right or bool(plain and Decimal(left) == Decimal(right))


def _currency(mark: str, usual: str) -> str:
    code = mark.upper()
    if code in MINOR_DIGITS:
        return code
    if mark in _SYMBOLS:
        return _SYMBOLS[mark]
    shared = _SHARED_SYMBOLS.get(mark, ())
    if usual in shared:
        return usual
    if shared and mark != "kr":
        return shared[0]
    raise UnreadableCell(
        "unknown_currency", f"{mark!r} is no currency; use an ISO 4217 code such as 12.90 EUR."
    )


def _amount(text: str) -> str:
    """Return the plain decimal that *text* is, if only one reading of it is possible."""
    if match := _DECIMAL_COMMA.fullmatch(text):
        return f"{match[1]}.{match[2]}"
    if text[:1] == "." and text[1:].isdigit():
        return f"0{text}"
    match = _GROUPED.fullmatch(text)
    if match is None or (match["mark"] == "." and not match["point"] and text.count(".") == 1):
        return text  # A plain decimal, or nothing: the rules of money say which.
    if match["point"] == match["mark"]:
        return text
    if match["mark"] == "," and not match["point"] and text.count(",") == 1:
        plain, decimal = text.replace(",", ""), text.replace(",", ".")
        raise UnreadableCell(
            "ambiguous_amount", f"This may be {plain} or {decimal}; write the one that is meant."
        )
    units = match["units"].replace(match["mark"], "")
    return f"{units}.{match['fraction']}" if match["fraction"] else units
