"""Units of measure: what makes 1 m the same length as 100 cm.

A unit belongs to one dimension and converts to that dimension's base unit by
``base = value * factor + offset``, exactly, in rationals; only the result is rounded, to the nearest
IEEE 754 double. So equal measures have equal sizes, however they are written. The factors are those
of the SI brochure and of the international yard and pound agreement (1959); a gallon and its parts
are those of the United States. A unit that is not listed is a dimension of its own: it compares with
itself only.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from vitrina.domain.attributes import Measure

# Dimension: unit and its spellings, factor to the base unit (the one with factor 1), offset.
_TABLE: Final = """
length: mm millimeter millimeters millimetre millimetres = 1/1000
length: cm centimeter centimeters centimetre centimetres = 1/100
length: dm decimeter decimeters decimetre decimetres = 1/10
length: m meter meters metre metres = 1
length: km kilometer kilometers kilometre kilometres = 1000
length: µm μm um micron microns micrometer micrometers = 1/1000000
length: nm nanometer nanometers = 1/1000000000
length: in inch inches " \N{DOUBLE PRIME} \N{RIGHT DOUBLE QUOTATION MARK} = 127/5000
length: ft foot feet ' \N{PRIME} = 381/1250
length: yd yard yards = 1143/1250
length: mi mile miles = 1609344/1000
mass: mg milligram milligrams = 1/1000000
mass: g gram grams = 1/1000
mass: kg kilogram kilograms kilo kilos = 1
mass: t tonne tonnes = 1000
mass: oz ounce ounces = 45359237/1600000000
mass: lb lbs pound pounds = 45359237/100000000
volume: ml milliliter milliliters millilitre millilitres = 1/1000
volume: cl centiliter centiliters = 1/100
volume: dl deciliter deciliters = 1/10
volume: hl hectoliter hectoliters hectolitre hectolitres = 100
volume: mm³ mm3 = 1/1000000
volume: cm³ cm3 cc ccm = 1/1000
volume: dm³ dm3 = 1
volume: in³ in3 cuin = 2048383/125000000
volume: ft³ ft3 cuft = 55306341/1953125
volume: l liter liters litre litres = 1
volume: m³ m3 = 1000
volume: fl_oz floz fl.oz. = 473176473/16000000000
volume: cup cups = 473176473/2000000000
volume: pt pint pints = 473176473/1000000000
volume: qt quart quarts = 473176473/500000000
volume: gal gallon gallons = 473176473/125000000
area: mm² mm2 = 1/1000000
area: cm² cm2 = 1/10000
area: m² m2 sqm = 1
area: km² km2 = 1000000
area: ha hectare hectares = 10000
area: in² in2 sqin = 16129/25000000
area: ft² ft2 sqft = 145161/1562500
time: ns nanosecond nanoseconds = 1/1000000000
time: µs μs us microsecond microseconds = 1/1000000
time: ms millisecond milliseconds = 1/1000
time: s sec second seconds = 1
time: min minute minutes = 60
time: h hr hrs hour hours = 3600
time: d day days = 86400
time: week weeks = 604800
calendar time: month months = 1
calendar time: year years = 12
temperature: K kelvin = 1
temperature: °C C celsius = 1 + 27315/100
temperature: °F F fahrenheit = 5/9 + 45967/180
speed: m/s = 1
speed: km/h kmh kph = 5/18
speed: mph = 44704/100000
power: mW = 1/1000
power: W watt watts = 1
power: kW kilowatt kilowatts = 1000
power: MW = 1000000
power: hp horsepower = 37284993579113511/50000000000000
apparent power: VA = 1
apparent power: kVA = 1000
energy: BTU = 52752792631/50000000
energy: MJ = 1000000
energy: J joule joules = 1
energy: kJ = 1000
energy: Wh = 3600
energy: kWh = 3600000
energy: cal = 523/125
energy: kcal = 4184
torque: Nm N·m = 1
voltage: mV = 1/1000
voltage: V volt volts = 1
voltage: kV = 1000
current: mA = 1/1000
current: A amp amps ampere amperes = 1
charge: mAh = 1/1000
charge: Ah = 1
resistance: Ω ohm ohms = 1
resistance: kΩ = 1000
resistance: MΩ = 1000000
frequency: Hz hertz = 1
frequency: kHz = 1000
frequency: MHz = 1000000
frequency: GHz = 1000000000
pressure: Pa = 1
pressure: hPa mbar = 100
pressure: kPa = 1000
pressure: MPa = 1000000
pressure: bar = 100000
pressure: psi = 8896443230521/1290320000
data: bit bits = 1/8
data: kbit Kbit = 125
data: Mbit = 125000
data: Gbit = 125000000
data: B byte bytes = 1
data: kB KB kilobyte kilobytes = 1000
data: MB megabyte megabytes = 1000000
data: GB gigabyte gigabytes = 1000000000
data: TB terabyte terabytes = 1000000000000
data: PB petabyte petabytes = 1000000000000000
data: KiB = 1024
data: MiB = 1048576
data: GiB = 1073741824
data: TiB = 1099511627776
data rate: bit/s bps = 1
data rate: kbit/s kbps = 1000
data rate: Mbit/s Mbps = 1000000
data rate: Gbit/s Gbps = 1000000000
data rate: kB/s = 8000
data rate: MB/s = 8000000
data rate: GB/s = 8000000000
flow: l/h = 1
flow: l/min = 60
flow: m³/h m3/h = 1000
areal weight: g/m² g/m2 gsm = 1
illuminance: lx lux = 1
luminance: cd/m² cd/m2 nit nits = 1
angle: ° deg degree degrees = 1
"""

_NUMBER: Final = re.compile(
    r"\s*(-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:e[+-]?[0-9]{1,3})?)\s*(\D.{0,31})?", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit, and how it converts to its dimension's base unit.

    Attributes:
        dimension: What it measures, such as ``length``; the unit itself when it is not listed.
        factor, offset: ``base = value * factor + offset``.
    """

    dimension: str
    factor: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)

    def size(self, value: float) -> float:
        """Return *value* of this unit in the base unit: the nearest double."""
        # Through its shortest text: 0.1 was meant, not the binary fraction beside it.
        return float(Fraction(repr(value)) * self.factor + self.offset)

    def value(self, size: float) -> float:
        """Return what *size* in the base unit is in this unit: the nearest double."""
        return float((Fraction(repr(size)) - self.offset) / self.factor)


def _read_table() -> Iterator[tuple[str, Unit]]:
    for line in _TABLE.strip().splitlines():
        dimension, _, rest = line.partition(": ")
        names, _, conversion = rest.partition(" = ")
        factor, _, offset = conversion.partition(" + ")
        unit = Unit(dimension, Fraction(factor), Fraction(offset or 0))
        for name in names.split():
            yield name, unit


_UNITS: Final[Mapping[str, Unit]] = dict(_read_table())
# Units differ by case (mW and MW), so the exact spelling goes first; a case-blind one is taken
# only where it leads to a single unit.
_FOLDED: Final[Mapping[str, frozenset[Unit]]] = {
    folded: frozenset(unit for name, unit in _UNITS.items() if name.casefold() == folded)
    for folded in {name.casefold() for name in _UNITS}
}


def find_unit(text: str) -> Unit:
    """Return the unit that *text* names; a text that is not listed is a unit of its own."""
    name = text.strip()
    if name in _UNITS:
        return _UNITS[name]
    folded = name.casefold()
    candidates = _FOLDED.get(folded, frozenset())
    if len(candidates) == 1:
        return next(iter(candidates))
    return Unit(folded)


def parse_quantity(text: str) -> tuple[float, str] | None:
    """Return *text* as a number and a unit ("" when there is none), or None.

    >>> parse_quantity("27.5 in")
    (27.5, 'in')
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    number = float(match[1])
    return (number, (match[2] or "").strip()) if math.isfinite(number) else None


def comparable(measure: Measure) -> tuple[str, float]:
    """Return a measure's dimension and its size in the base unit; equal means equal."""
    unit = find_unit(measure.unit)
    return unit.dimension, unit.size(measure.value)
