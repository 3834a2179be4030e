import pytest
from hypothesis import given, strategies as st

from vitrina.domain.attributes import Measure
from vitrina.domain.units import comparable, find_unit, parse_quantity


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Measure(1, "m"), Measure(100, "cm")),
        (Measure(1, "in"), Measure(2.54, "cm")),
        (Measure(55, "in"), Measure(1397, "mm")),
        (Measure(55, '"'), Measure(55, "Inches")),
        (Measure(3, "ft"), Measure(1, "yard")),
        (Measure(1, "lb"), Measure(16, "oz")),
        (Measure(1, "lb"), Measure(453.59237, "g")),
        (Measure(0.1, "kg"), Measure(100, "g")),
        (Measure(1, "gal"), Measure(3.785411784, "L")),
        (Measure(32, "°F"), Measure(0, "°C")),
        (Measure(90, "min"), Measure(1.5, "h")),
        (Measure(1, "kWh"), Measure(3600, "kJ")),
        (Measure(1, "GB"), Measure(1000, "MB")),
        (Measure(36, "km/h"), Measure(10, "m/s")),
        (Measure(7, "Dots"), Measure(7, "dots")),
        (Measure(10, "dm"), Measure(1, "m")),
        (Measure(500, "cc"), Measure(0.5, "L")),
        (Measure(1, "ft³"), Measure(1728, "in³")),
        (Measure(1, "hl"), Measure(100, "dm³")),
        (Measure(1, "km²"), Measure(100, "ha")),
        (Measure(1, "ms"), Measure(1000, "µs")),
        (Measure(2, "years"), Measure(24, "months")),
        (Measure(1, "bar"), Measure(1000, "hPa")),
        (Measure(1, "MPa"), Measure(10, "bar")),
        (Measure(1, "MB/s"), Measure(8, "Mbps")),
        (Measure(1, "Gbit"), Measure(125, "MB")),
        (Measure(1, "kVA"), Measure(1000, "VA")),
        (Measure(1, "BTU"), Measure(1055.05585262, "J")),
        (Measure(1, "m³/h"), Measure(1000, "l/h")),
        (Measure(80, "gsm"), Measure(80, "g/m²")),
        (Measure(400, "nits"), Measure(400, "cd/m²")),
    ],
)
def test_equal_measures(left: Measure, right: Measure) -> None:
    assert comparable(left) == comparable(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Measure(1, "m"), Measure(1, "kg")),
        (Measure(1, "mW"), Measure(1, "MW")),
        (Measure(1, "GB"), Measure(1, "GiB")),
        (Measure(1, "dots"), Measure(1, "lines")),
        (Measure(1, "bit"), Measure(1, "byte")),
        (Measure(1, "Nm"), Measure(1, "nm")),
        (Measure(1, "VA"), Measure(1, "W")),
        (Measure(30, "days"), Measure(1, "month")),
    ],
)
def test_different_measures(left: Measure, right: Measure) -> None:
    assert comparable(left) != comparable(right)


def test_a_spelling_that_could_be_two_units_is_neither() -> None:
    assert find_unit("mw").dimension == "mw"
    assert find_unit("KG").dimension == "mass"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("40", (40.0, "")),
        ("-0.5", (-0.5, "")),
        ("27.5in", (27.5, "in")),
        (" 1  fl_oz ", (1.0, "fl_oz")),
        ('55"', (55.0, '"')),
        ("red", None),
        ("1e999", None),
        ("1e+300", (1e300, "")),
        ("2e3 m", (2000.0, "m")),
        ("1" * 21, None),
        ("", None),
        ("1 " + "x" * 40, None),
    ],
)
def test_quantities(text: str, expected: tuple[float, str] | None) -> None:
    assert parse_quantity(text) == expected


@given(st.floats(-1e6, 1e6), st.sampled_from(["in", "kg", "°F", "GiB"]))
def test_a_size_turns_back_into_its_value(value: float, name: str) -> None:
    unit = find_unit(name)

    assert unit.value(unit.size(value)) == pytest.approx(value, abs=1e-9)
