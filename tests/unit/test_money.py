from decimal import Decimal

import pycountry
import pytest
from hypothesis import given, strategies as st

from tests.builders import eur
from vitrina.domain.errors import InvalidValue
from vitrina.domain.money import MINOR_DIGITS, Money

# ISO 4217 lists these with "N.A." minor units: metals, funds, tests and "no currency".
NO_MINOR_UNIT = {
    *("XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX"),
}


def test_the_table_is_iso_4217() -> None:
    assert {each.alpha_3 for each in pycountry.currencies} - NO_MINOR_UNIT == set(MINOR_DIGITS)


@pytest.mark.parametrize(("code", "digits"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
def test_minor_digits(code: str, digits: int) -> None:
    assert MINOR_DIGITS[code] == digits


@pytest.mark.parametrize("text", ["0", "0.5", "12.5", "1299.90", "999999999999.99"])
def test_an_amount_stays_as_it_was_written(text: str) -> None:
    assert Money.parse(text, "EUR").text == text


def test_amounts_are_equal_by_value() -> None:
    assert eur("12.5") == eur("12.50")
    assert eur("12.5") != Money(Decimal("12.5"), "USD")


@pytest.mark.parametrize(
    ("text", "currency", "rule"),
    [
        ("12.345", "EUR", "too_many_digits"),
        ("12.0", "JPY", "too_many_digits"),
        ("1000000000000", "EUR", "too_many_digits"),
        ("-1", "EUR", "invalid_amount"),
        ("+1", "EUR", "invalid_amount"),
        ("1e3", "EUR", "invalid_amount"),
        ("1,299.90", "EUR", "invalid_amount"),
        ("012", "EUR", "invalid_amount"),
        (".5", "EUR", "invalid_amount"),
        ("5.", "EUR", "invalid_amount"),
        ("", "EUR", "invalid_amount"),
        ("NaN", "EUR", "invalid_amount"),
        ("١٢", "EUR", "invalid_amount"),
        ("1\n", "EUR", "invalid_amount"),
        ("1", "eur", "unknown_currency"),
        ("1", "XXX", "unknown_currency"),
        ("1", "", "unknown_currency"),
    ],
)
def test_what_is_no_amount(text: str, currency: str, rule: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        Money.parse(text, currency)

    assert refused.value.rule == rule


@given(st.decimals(min_value=0, max_value=10**12 - 1, places=2, allow_nan=False))
def test_text_and_value_agree(amount: Decimal) -> None:
    text = format(amount, "f")

    money = Money.parse(text, "EUR")

    assert (money.text, money.amount) == (text, amount)
    assert str(money) == f"{text} EUR"
