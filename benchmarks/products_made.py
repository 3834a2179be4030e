"""The products that the search benchmarks ask for: as many as wanted, the same ones in each run.

They are those of ``../shared/data/vespa-amazon`` (``VITRINA_SHARED_DATA`` names another folder), each
repeated under new ids with other prices, brands and colours until there are enough, and filed in one of
a hundred subcategories of its own category, some of which hold many more than others. Where that data
is not at hand, products are made up from a list of words instead: of the same form and size, with
words as unevenly frequent as in real titles, but without the misspellings and oddities of people.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final

import orjson
import zstandard

from vitrina.adapters import codec
from vitrina.domain.category import Category, CategoryTree
from vitrina.domain.identifiers import slugify
from vitrina.domain.money import Money
from vitrina.domain.product import Product, Rating
from vitrina.service_layer.documents import Document
from vitrina.service_layer.ports import Stored

ROOT: Final = Path(__file__).resolve().parents[1]
SHARED: Final = Path(os.environ.get("VITRINA_SHARED_DATA", ROOT.parent / "shared" / "data"))
FILE: Final = SHARED / "vespa-amazon" / "data_0_1_0.json.zst"
BRANDS: Final = [f"Brand {n}" for n in range(1_500)]
COLORS: Final = ["red", "green", "blue", "black", "white", "silver", "gold", "pink"]
DESCRIPTION_LENGTH_MAX: Final = 300
AISLES: Final = 100
"""How many subcategories each category has."""

MADE_UP: Final = 5_000
"""How many different products are made up where there are no real ones."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_TIME: Final = "2026-01-01T00:00:00.000000Z"
_KINDS: Final = """\
backpack lamp chair desk kettle toaster blender headphones keyboard monitor tripod camera lens tent
jacket boots gloves scarf helmet bicycle pump wrench drill saw hammer notebook pencil marker brush
easel guitar piano drum microphone speaker cable adapter charger battery flashlight mug plate bowl
knife pan skillet cutter scale thermometer pillow blanket towel curtain rug shelf cabinet drawer
puzzle robot train kite ball racket goggles paddle rope carabiner compass watch ring bracelet""".split()
_QUALITIES: Final = """\
adjustable compact portable durable waterproof wireless foldable lightweight heavy duty premium classic
modern vintage ergonomic professional universal rechargeable magnetic stainless wooden ceramic cotton
leather silicone bamboo insulated quiet fast smart digital analog large small mini double single outdoor
indoor travel kitchen office garden sports kids adult replacement original soft firm bright warm""".split()


@dataclass(frozen=True, slots=True)
class Template:
    """What the products that are made of it have in common."""

    title: str
    description: str
    category: str
    price_cents: int
    rating: float


def templates() -> list[Template]:
    """Return the different products, real or made up."""
    if not FILE.exists():
        return [_made_up(number) for number in range(MADE_UP)]
    data = zstandard.ZstdDecompressor().stream_reader(FILE.read_bytes()).read()
    rows = (orjson.loads(line)["fields"] for line in data.splitlines())
    return [
        Template(
            title=_CONTROL.sub(" ", row["title"]).strip()[:500] or "Untitled",
            description=_CONTROL.sub(" ", row["description"])[:DESCRIPTION_LENGTH_MAX],
            category=row["category"],
            price_cents=int(row["price"]),
            rating=float(row["average_rating"] or 0),
        )
        for row in rows
    ]


def stored_products(count: int) -> Iterator[Stored]:
    """Yield products as the catalog keeps them."""
    chosen = Random(7)  # noqa: S311 - the same products in each run
    documents = [_document(each) for each in templates()]
    weights = [1 / (place + 10) for place in range(AISLES)]
    aisles = chosen.choices(range(AISLES), weights, k=count)
    for number, aisle in enumerate(aisles):
        document = dict(documents[number % len(documents)])
        document["id"] = f"product-{number:07}"
        document["slug"] = document["id"]
        document["sku"] = f"SKU-{number:07}"
        document["brand"] = chosen.choice(BRANDS)
        if document["category_id"] is not None:
            document["category_id"] = _aisle_id(str(document["category_id"]), aisle)
        amount = f"{chosen.randrange(100, 99_999) / 100:.2f}"
        document["price"] = {"amount": amount, "currency": "USD"}
        document["attributes"] = {
            "color": chosen.choice(COLORS),
            "size": {"value": chosen.randrange(10, 90), "unit": "in"},
        }
        yield Stored.of(str(document["id"]), 1, codec.dump(document))


def categories() -> Sequence[Category]:
    """Return the categories that the products are filed in, parents before children."""
    names = sorted({each.category for each in templates()})
    roots = [Category(id=slugify(each), name=each.replace("_", " ")) for each in names if _id(each)]
    aisles = [
        Category(id=_aisle_id(root.id, number), name=f"Aisle {number}", parent_id=root.id)
        for root in roots
        for number in range(AISLES)
    ]
    return [*roots, *aisles]


def _aisle_id(root: str, number: int) -> str:
    return f"{root}-aisle-{number}"


def build_tree() -> CategoryTree:
    """Return the categories as a tree."""
    return CategoryTree({each.id: each for each in categories()})


def _id(category: str) -> str | None:
    return slugify(category) or None


def _document(template: Template) -> Document:
    product = Product(
        id="x",
        title=template.title,
        description=template.description,
        category_id=_id(template.category),
        rating=Rating(template.rating, 10),
        price=Money(Decimal(template.price_cents) / 100, "USD"),
    )
    document = codec.load(codec.store_product(product).body)
    return {**document, "created_at": _TIME, "updated_at": _TIME, "version": 1}


def _made_up(number: int) -> Template:
    chosen = Random(number)  # noqa: S311 - the same products in each run

    def words(known: Sequence[str], count: int) -> list[str]:
        # By Zipf's law, as words are: the second half as frequent as the first, and so on.
        weights = [1 / place for place in range(1, len(known) + 1)]
        return chosen.choices(known, weights, k=count)

    kind = words(_KINDS, 1)[0]
    title = [*words(_QUALITIES, chosen.randrange(2, 7)), kind, "for", *words(_KINDS, 1)]
    text = " ".join(words([*_QUALITIES, *_KINDS, "and", "with", "the"], 60))
    return Template(
        title=f"{' '.join(title).capitalize()}, model {chosen.randrange(2_000)}",
        description=text[:DESCRIPTION_LENGTH_MAX],
        category=f"{words(_KINDS, 1)[0]} supplies",
        price_cents=chosen.randrange(100, 99_999),
        rating=chosen.randrange(10, 51) / 10,
    )
