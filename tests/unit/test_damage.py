"""What spreadsheets do to values, and when it can be undone."""

import pytest

from vitrina.adapters.product_file.damage import find_damage
from vitrina.service_layer.documents import Json

KILO: Json = {"value": 4.5, "unit": "kg"}
EUR: Json = {"amount": "1299.00", "currency": "EUR"}


@pytest.mark.parametrize(
    ("value", "known", "code"),
    [
        ("12", "0012", "leading_zeros_lost"),
        (12, "0012", "leading_zeros_lost"),
        ("0", "000", "leading_zeros_lost"),
        ("12.0", "12", "leading_zeros_lost"),
        ("4.00638E+12", "4006381333931", "number_rounded"),
        ("4,00638E+12", "4006381333931", "number_rounded"),
        (4.00638e12, "4006381333931", "number_rounded"),
        (12345678901234500, "12345678901234567", "number_rounded"),
        ("12-Oct", "10-12", "became_a_date"),
        ("10. Dez", "10-12", "became_a_date"),
        ("2026-10-12", "10-12", "became_a_date"),
        ("12/10/2026", "10/12", "became_a_date"),
        ("Mar-98", "3-98", "became_a_date"),
        ("2026-12-10 00:00:00", "10/12", "became_a_date"),
        ("4,5", 4.5, "decimal_comma"),
        ("4,5 kg", KILO, "decimal_comma"),
        ("1,299", EUR, "decimal_comma"),
        ("12,0", 12, "decimal_comma"),
        ("say \u201cLamp\u201d", 'say "Lamp"', "smart_quotes"),
        ("it\u2019s", "it's", "smart_quotes"),
    ],
)
def test_what_the_known_value_proves(value: Json, known: Json, code: str) -> None:
    found = find_damage(value, [None, "something else", known])
    assert found is not None
    assert (found.code, found.value) == (code, known)


@pytest.mark.parametrize(
    ("value", "known", "code"),
    [
        ("5.01234E+12", "4006381333931", "number_rounded"),
        ("11-Sep", "10-12", "became_a_date"),
        ("4,7", 4.5, "decimal_comma"),
        ("1,399", EUR, "decimal_comma"),
        ("4,5 g", KILO, "decimal_comma"),
    ],
)
def test_what_is_doubtful(value: Json, known: Json, code: str) -> None:
    found = find_damage(value, [known])
    assert found is not None
    assert (found.code, found.is_proved) == (code, False)


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("13", "0012"),
        ("12", "12"),
        ("Lamp", "Desk lamp"),
        (5, 4),
        (4.7, 4.5),
        ("2026-10-12", "2026-09-11"),
        ("2026-10-12", "soon"),
        ("12-Foo", "10-12"),
        ("\u201cNew\u201d", '"Old"'),
        ("4,5 and more", "4.5"),
        (True, "1"),
        ("11-13", "10-12"),
        ("x", None),
    ],
)
def test_what_a_person_may_have_typed(value: Json, known: Json) -> None:
    assert find_damage(value, [known]) is None
