"""Exact amounts of money over ISO 4217.

An amount keeps the digits it was written with: ``12.5 EUR`` stays ``12.5`` and equals
``12.50 EUR``. Amounts are never floats. The table lists the active codes of ISO 4217 that have
a minor unit, by the number of digits after the decimal point; funds and metals without one
(XAU, XXX, …) are no currencies to price a product in.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final, Self

from vitrina.domain.errors import InvalidValue

_TWO_DIGITS: Final = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL
MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR
PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""

MINOR_DIGITS: Final[Mapping[str, int]] = (
    dict.fromkeys(_TWO_DIGITS.split(), 2)
    | dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
    )
    | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
    | dict.fromkeys("CLF UYW".split(), 4)
)
"""ISO 4217 code → digits after the decimal point."""

AMOUNT_DIGITS_MAX: Final = 12
"""The most digits before the decimal point."""

_AMOUNT: Final = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?")


def parse_currency(text: str) -> str:
    """Return *text* as an ISO 4217 code.

    Raises:
        InvalidValue: ``unknown_currency``.
    """
    if text not in MINOR_DIGITS:
        raise InvalidValue(
            "unknown_currency",
            f"{text[:8]!r} is not an active ISO 4217 code of three capital letters such as 'EUR'.",
        )
    return text


@dataclass(frozen=True)
class Money:
    """A non-negative amount in one currency.

    Attributes:
        amount: Exact; has at most the currency's digits after the decimal point.
        currency: An ISO 4217 code.
    """

    amount: Decimal
    currency: str

    @classmethod
    def parse(cls, amount: str, currency: str) -> Self:
        """Read a plain decimal such as ``"1299.90"``.

        Raises:
            InvalidValue: ``unknown_currency``; ``invalid_amount``: not a plain decimal (a sign,
                an exponent, a thousands separator, a leading zero); ``too_many_digits``: finer
                than the currency or 10^12 and more.
        """
        digits_max = MINOR_DIGITS[parse_currency(currency)]
        match = _AMOUNT.fullmatch(amount)
        if match is None:
            raise InvalidValue(
                "invalid_amount",
                f"{amount[:40]!r} is not a plain non-negative decimal such as '1299.90'.",
            )
        units, fraction = match.groups("")
        if len(fraction) > digits_max:
            raise InvalidValue(
                "too_many_digits",
                f"{currency} has {digits_max} digits after the decimal point, not {len(fraction)}.",
            )
        if len(units) > AMOUNT_DIGITS_MAX:
            raise InvalidValue(
                "too_many_digits",
                f"An amount has at most {AMOUNT_DIGITS_MAX} digits before the decimal point.",
            )
        return cls(Decimal(amount), currency)

    @cached_property
    def text(self) -> str:
        """The amount as it was written: ``"1299.90"``."""
        return format(self.amount, "f")

    def __str__(self) -> str:
        return f"{self.text} {self.currency}"
