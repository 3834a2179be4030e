"""Valid values to start from; a test changes one thing."""

from decimal import Decimal
from typing import Final

from vitrina.domain.attributes import Measure
from vitrina.domain.money import Money
from vitrina.domain.product import Availability, Condition, Image, Product, Rating, Status


def eur(amount: str) -> Money:
    """Return an amount in euros."""
    return Money(Decimal(amount), "EUR")


LAMP: Final = Product(
    id="lamp", title="Desk lamp", sku="LAMP-1", slug="desk-lamp", price=eur("129.90")
)

FULL: Final = Product(
    id="Full.1_~:-",
    title="Läsk 🛋",
    sku="SKU 0012",
    slug="lask",
    description="Two\nlines",
    status=Status.DRAFT,
    brand="Ærø",
    category_id="chairs",
    condition=Condition.USED,
    price=eur("12.5"),
    list_price=eur("12.50"),
    quantity=7,
    availability=Availability.PREORDER,
    gtin="4006381333931",
    mpn="0042",
    images=(Image("https://shop.example/a.jpg", "front"), Image("http://shop.example/b.jpg")),
    attributes={
        "color": "red",
        "weight": 2,
        "ratio": 0.5,
        "wireless": True,
        "ports": ("usb-c", "hdmi"),
        "screen": Measure(55, "in"),
    },
    tags=("new", "sale"),
    rating=Rating(4.5, 12),
    url="https://shop.example/full",
)
"""A product whose every field differs from its default, so that a dropped field shows up."""
