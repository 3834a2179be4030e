"""The product: something a merchant sells, and the consistency boundary of every change to it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final, Self

from vitrina.domain.attributes import (
    ATTRIBUTES_MAX,
    LIST_LENGTH_MAX,
    UNIT_LENGTH_MAX,
    AttributeValue,
    Measure,
    check_number,
    check_text,
    parse_name,
)
from vitrina.domain.errors import Fault, InvalidDocument, InvalidValue, TransitionRefused
from vitrina.domain.events import (
    Event,
    PriceChanged,
    ProductCreated,
    ProductRemoved,
    ProductRevised,
    StatusChanged,
)
from vitrina.domain.identifiers import (
    parse_gtin,
    parse_id,
    parse_product_id,
    parse_sku,
    parse_slug,
)
from vitrina.domain.money import Money
from vitrina.domain.pointers import format_pointer
from vitrina.domain.text import clean_text

TITLE_LENGTH_MAX: Final = 500
DESCRIPTION_LENGTH_MAX: Final = 65_536
BRAND_LENGTH_MAX: Final = 200
MPN_LENGTH_MAX: Final = 128
URL_LENGTH_MAX: Final = 2_048
ALT_LENGTH_MAX: Final = 500
IMAGES_MAX: Final = 100
TAGS_MAX: Final = 100
TAG_LENGTH_MAX: Final = 100
RATING_MAX: Final = 5
COUNT_MAX: Final = 2**53 - 1

_HTTP_URL: Final = re.compile(r"https?://[^\s/?#]+[^\s]*", re.IGNORECASE)


class Status(StrEnum):
    """Where a product is in its life cycle."""

    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


# An archived product was public once: it returns to the public first, and not to drafts.
_TRANSITIONS: Final[Mapping[Status, frozenset[Status]]] = {
    Status.DRAFT: frozenset({Status.ACTIVE, Status.ARCHIVED}),
    Status.ACTIVE: frozenset({Status.DRAFT, Status.ARCHIVED}),
    Status.ARCHIVED: frozenset({Status.ACTIVE}),
}


class Condition(StrEnum):
    """The state of the goods (schema.org ``OfferItemCondition``)."""

    NEW = "new"
    REFURBISHED = "refurbished"
    USED = "used"


class Availability(StrEnum):
    """Whether the product can be had (schema.org ``ItemAvailability``)."""

    IN_STOCK = "in_stock"
    OUT_OF_STOCK = "out_of_stock"
    PREORDER = "preorder"
    BACKORDER = "backorder"

    @classmethod
    def of(cls, quantity: int | None) -> "Availability":
        """Return what *quantity* says; stock that is not tracked counts as there."""
        return cls.OUT_OF_STOCK if quantity == 0 else cls.IN_STOCK


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of the product; ``alt`` is its text for those who cannot see it."""

    url: str
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Rating:
    """What buyers think: the average of *count* ratings, 0 to 5."""

    average: int | float
    count: int


def parse_url(text: str) -> str:
    """Return *text* as an absolute http or https URL of at most 2,048 characters.

    Raises:
        InvalidValue: ``invalid_url``, ``too_long`` or ``control_character``.
    """
    url = clean_text(text, longest=URL_LENGTH_MAX)
    if not _HTTP_URL.fullmatch(url):
        raise InvalidValue("invalid_url", "A URL is absolute and starts with http:// or https://.")
    return url


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something we sell. Immutable: a change returns the next product and leaves this one alone.

    Every rule about a single product is checked in one place, whenever a product comes to be:
    built from a request, read from a file, or changed. Text comes out in Normalization Form C.

    Attributes:
        id: Identity. Never changes.
        title: 1 to 500 characters.
        sku: The merchant's own identifier; unique over the catalog.
        slug: The product's name in URLs; unique. None until one is chosen for it.
        availability: Only what was said explicitly and differs from what ``quantity`` says.
        quantity: Pieces in stock; None is "not tracked".
        attributes: Never written to after construction.
        version: 0 until first saved, then 1, 2, 3, …; only a repository sets it.
        created_at, updated_at: UTC; only a repository sets them.
        events: What happened since the product was loaded; not part of its value.

    Raises:
        InvalidDocument: One or more rules are broken; each fault has a JSON Pointer.
    """

    id: str
    title: str
    sku: str | None = None
    slug: str | None = None
    description: str | None = None
    status: Status = Status.ACTIVE
    brand: str | None = None
    category_id: str | None = None
    condition: Condition = Condition.NEW
    price: Money | None = None
    list_price: Money | None = None
    quantity: int | None = None
    availability: Availability | None = None
    gtin: str | None = None
    mpn: str | None = None
    images: tuple[Image, ...] = ()
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    rating: Rating | None = None
    url: str | None = None
    created_at: datetime | None = field(default=None, compare=False)
    updated_at: datetime | None = field(default=None, compare=False)
    version: int = field(default=0, compare=False)
    events: tuple[Event, ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        faults = [*self._clean(), *self._prices(), *self._counts()]
        if faults:
            raise InvalidDocument(tuple(faults))
        if self.availability is Availability.of(self.quantity):
            object.__setattr__(self, "availability", None)

    @property
    def effective_availability(self) -> Availability:
        """What was said, or else what the quantity says."""
        return self.availability or Availability.of(self.quantity)

    def created(self) -> Self:
        """Return this product with the fact of its creation recorded."""
        return self._with("events", (*self.events, ProductCreated(self.id)))

    def named(self, slug: str) -> Self:
        """Return this product under another slug.

        Raises:
            InvalidValue: It is no slug.
        """
        return self._with("slug", parse_slug(slug))

    def become(self, target: Self) -> Self:
        """Return the next state of this product, with the values of *target*.

        Becoming what it already is changes nothing and records nothing.

        Raises:
            TransitionRefused: The life cycle does not allow the new status.
        """
        changed = tuple(
            each.name
            for each in fields(self)
            if each.compare and _differ(getattr(self, each.name), getattr(target, each.name))
        )
        if not changed:
            return self
        happened: list[Event] = [ProductRevised(self.id, changed)]
        if "price" in changed:
            happened.append(PriceChanged(self.id, self.price, target.price))
        if "status" in changed:
            if target.status not in _TRANSITIONS[self.status]:
                raise TransitionRefused(self.status, target.status)
            happened.append(StatusChanged(self.id, self.status, target.status))
        return replace(
            target,
            id=self.id,
            version=self.version,
            created_at=self.created_at,
            updated_at=self.updated_at,
            events=(*self.events, *happened),
        )

    def removed(self) -> Self:
        """Return this product with the fact of its removal recorded."""
        return self._with("events", (*self.events, ProductRemoved(self.id)))

    def _with(self, name: str, value: object) -> Self:
        """Return this product with one value exchanged that is known to be right.

        All other values are right already; checking them again is most of what a save costs.
        """
        following = object.__new__(type(self))
        for each in _NAMES:
            object.__setattr__(following, each, getattr(self, each))
        object.__setattr__(following, name, value)
        return following

    def _clean(self) -> Iterator[Fault]:
        """Normalize each value in place of construction, and yield what cannot be."""
        for name, parse in _RULES.items():
            if (value := getattr(self, name)) is not None:
                try:
                    cleaned = parse(value)
                except InvalidValue as error:
                    yield error.at(f"/{name}")
                else:
                    if cleaned is not value:
                        object.__setattr__(self, name, cleaned)
        yield from self._clean_tags()
        yield from self._clean_images()
        yield from self._clean_attributes()

    def _clean_tags(self) -> Iterator[Fault]:
        if len(self.tags) > TAGS_MAX:
            yield Fault("/tags", "too_many", f"At most {TAGS_MAX} tags are allowed.")
            return
        cleaned: list[str] = []
        for place, tag in enumerate(self.tags):
            try:
                cleaned.append(clean_text(tag, longest=TAG_LENGTH_MAX, shortest=1))
            except InvalidValue as error:
                yield error.at(f"/tags/{place}")
        object.__setattr__(self, "tags", tuple(cleaned))

    def _clean_images(self) -> Iterator[Fault]:
        if len(self.images) > IMAGES_MAX:
            yield Fault("/images", "too_many", f"At most {IMAGES_MAX} images are allowed.")
            return
        cleaned: list[Image] = []
        for place, image in enumerate(self.images):
            at = f"/images/{place}"
            try:
                url = parse_url(image.url)
            except InvalidValue as error:
                yield error.at(f"{at}/url")
                continue
            try:
                cleaned.append(Image(url, clean_text(image.alt, longest=ALT_LENGTH_MAX)))
            except InvalidValue as error:
                yield error.at(f"{at}/alt")
        object.__setattr__(self, "images", tuple(cleaned))

    def _clean_attributes(self) -> Iterator[Fault]:
        if len(self.attributes) > ATTRIBUTES_MAX:
            detail = f"At most {ATTRIBUTES_MAX} attributes are allowed."
            yield Fault("/attributes", "too_many", detail)
            return
        cleaned: dict[str, AttributeValue] = {}
        for name, value in self.attributes.items():
            try:
                parsed = parse_name(name)
                if parsed in cleaned:
                    at = format_pointer(("attributes", name))
                    detail = f"The attribute {parsed!r} occurs twice."
                    yield Fault(at, "duplicate_attribute", detail)
                cleaned[parsed] = _clean_attribute(value)
            except InvalidValue as error:
                yield error.at(format_pointer(("attributes", name)))
        object.__setattr__(self, "attributes", cleaned)

    def _prices(self) -> Iterator[Fault]:
        price, list_price = self.price, self.list_price
        if price is None or list_price is None:
            return
        if price.currency != list_price.currency:
            yield Fault(
                "/list_price/currency",
                "currency_mismatch",
                f"The list price is in {list_price.currency}, but the price in {price.currency}.",
            )
        elif list_price.amount < price.amount:
            yield Fault(
                "/list_price/amount",
                "list_price_below_price",
                f"The list price {list_price} is below the price {price}.",
            )

    def _counts(self) -> Iterator[Fault]:
        if self.quantity is not None and not 0 <= self.quantity <= COUNT_MAX:
            yield Fault("/quantity", "out_of_range", "A quantity is an integer from 0 to 2^53 - 1.")
        if self.rating is None:
            return
        if not 0 <= self.rating.average <= RATING_MAX:
            yield Fault("/rating/average", "out_of_range", "An average rating lies from 0 to 5.")
        if not 0 <= self.rating.count <= COUNT_MAX:
            detail = "A number of ratings is an integer from 0 to 2^53 - 1."
            yield Fault("/rating/count", "out_of_range", detail)


_NAMES: Final = tuple(each.name for each in fields(Product))

_RULES: Final[Mapping[str, Callable[[str], str]]] = {
    "id": parse_product_id,
    "title": partial(clean_text, longest=TITLE_LENGTH_MAX, shortest=1),
    "sku": parse_sku,
    "slug": parse_slug,
    "description": partial(clean_text, longest=DESCRIPTION_LENGTH_MAX),
    "brand": partial(clean_text, longest=BRAND_LENGTH_MAX, shortest=1),
    "category_id": parse_id,
    "gtin": parse_gtin,
    "mpn": partial(clean_text, longest=MPN_LENGTH_MAX, shortest=1),
    "url": parse_url,
}
"""The fields that are text, and what makes each of them right."""


def _differ(before: object, after: object) -> bool:
    """Say whether two values of a field differ; to Python alone, ``True`` equals ``1``."""
    if before != after:
        return True
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return False
    return any(isinstance(before[name], bool) != isinstance(after[name], bool) for name in before)


def _clean_attribute(value: AttributeValue) -> AttributeValue:
    match value:
        case bool():
            return value
        case str():
            return check_text(value)
        case int() | float():
            return check_number(value)
        case Measure():
            unit = clean_text(value.unit, longest=UNIT_LENGTH_MAX, shortest=1)
            return Measure(check_number(value.value), unit)
        case tuple():
            if len(value) > LIST_LENGTH_MAX:
                detail = f"A list has at most {LIST_LENGTH_MAX} values."
                raise InvalidValue("too_many", detail)
            return tuple(check_text(each) for each in value)
