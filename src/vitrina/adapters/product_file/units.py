"""The units that make ``55 in`` a measure in a cell; spelled exactly so, after one space.

Only abbreviations: a word such as ``months`` is as often part of a text. Any other unit can be
written as JSON, ``{"value": 24, "unit": "months"}``.
"""

from typing import Final

UNITS: Final = frozenset(
    (
        "nm µm mm cm dm m km in ft yd mi "  # length
        "mm² cm² m² km² ft² cm³ dm³ m³ "  # area, volume
        "ml mL cl dl l L hl gal qt pt cc "  # capacity
        "mg g kg t oz lb lbs gsm g/m² den "  # mass, fabric
        "ns µs ms s min h "  # time
        "Hz kHz MHz GHz rpm fps "  # frequency
        "V mV kV A mA W mW kW MW VA kVA Wh kWh mAh Ah Ω "  # electricity
        "B KB kB MB GB TB PB KiB MiB GiB TiB bit Kbit Mbit Gbit kbps Mbps Gbps Mbit/s Gbit/s MB/s "
        "°C °F K % ° dB dBi bar mbar psi Pa hPa kPa MPa N Nm "  # physics
        "lm lx lux cd nits cd/m² MP px dpi ppi "  # light and pictures
        "J kJ cal kcal BTU km/h mph m/s l/h l/min m³/h"
    ).split()
)
