"""Facts about products, in the past tense. An aggregate records them; a commit stores them."""

from dataclasses import dataclass

from vitrina.domain.money import Money


@dataclass(frozen=True, slots=True)
class ProductCreated:
    """A product was added to the catalog."""

    product_id: str


@dataclass(frozen=True, slots=True)
class ProductRevised:
    """Fields of a product took other values.

    Attributes:
        changed: The names of the changed top-level fields, in the order of the document.
    """

    product_id: str
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PriceChanged:
    """The price rose, fell, appeared or went away."""

    product_id: str
    before: Money | None
    after: Money | None


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A product moved on in its life cycle."""

    product_id: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ProductRemoved:
    """A product left the catalog."""

    product_id: str


type Event = ProductCreated | ProductRevised | PriceChanged | StatusChanged | ProductRemoved
