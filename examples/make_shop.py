"""Make the example shop from the catalogue of the AWS Retail Demo Store.

    uv run python examples/make_shop.py ../shared/data/aws-retail-demo/products.yaml examples/shop

The source is a YAML list of 2,465 products. Each becomes one row of ``products.csv``, in the
source's order; each pair of category and style becomes a place in ``categories.json``. The same
source gives the same bytes every time.

What is changed on the way, and why:

- ``name`` is called ``title`` and ``current_stock`` ``quantity``, as the catalog calls them.
- ``price`` gets two digits and a currency. The source has bare numbers; its web shop shows dollars.
- ``category`` and ``style`` become one ``category_id``: ``accessories.backpack`` lies below
  ``accessories``. The style also stays as an attribute.
- ``aliases``, other words that people say for a product, become ``tags``.
- ``image`` is only a file name, and no host is known to serve it: it stays as the attribute
  ``image_file``. The source's ``link`` tells where a picture was found: ``image_source``.
- What the source leaves out or has as null is an empty cell.
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

import yaml

CATEGORIES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "accessories": (
        "Accessories",
        {
            "backpack": "Backpacks",
            "bag": "Bags",
            "belt": "Belts",
            "glasses": "Glasses",
            "handbag": "Handbags",
            "watch": "Watches",
        },
    ),
    "apparel": (
        "Apparel",
        {"jacket": "Jackets", "scarf": "Scarves", "shirt": "Shirts", "socks": "Socks"},
    ),
    "beauty": ("Beauty", {"bathing": "Bathing", "grooming": "Grooming"}),
    "books": ("Books", {"cooking": "Cooking", "travel": "Travel"}),
    "cold dispensed": (
        "Cold Drinks",
        {
            "fountain-carbonated": "Soft Drinks",
            "fountain-non-carbonated": "Teas, Juices and Smoothies",
        },
    ),
    "electronics": (
        "Electronics",
        {
            "cable": "Cables",
            "camera": "Cameras",
            "computer": "Computers",
            "headphones": "Headphones",
            "keyboard": "Computer Keyboards",
            "speaker": "Speakers",
            "television": "Televisions",
        },
    ),
    "floral": (
        "Flowers and Plants",
        {
            "arrangement": "Arrangements",
            "bouquet": "Bouquets",
            "centerpiece": "Centerpieces",
            "plant": "Plants",
            "wreath": "Wreaths",
        },
    ),
    "food service": (
        "Hot and Fresh Food",
        {
            "nachos": "Nachos",
            "other cuisine": "World Cuisine",
            "pizza": "Pizza",
            "sandwiches/wraps": "Sandwiches and Wraps",
            "seafood": "Seafood Dishes",
            "soup and salad": "Soups and Salads",
        },
    ),
    "footwear": (
        "Footwear",
        {"boot": "Boots", "formal": "Formal Shoes", "sandals": "Sandals", "sneaker": "Sneakers"},
    ),
    "furniture": (
        "Furniture",
        {"chairs": "Chairs", "dressers": "Dressers", "sofas": "Sofas", "tables": "Tables"},
    ),
    "groceries": (
        "Groceries",
        {
            "bakery": "Bakery",
            "dairy": "Dairy",
            "fruits": "Fruits",
            "meat": "Meat",
            "seafood": "Seafood",
            "vegetables": "Vegetables",
        },
    ),
    "homedecor": (
        "Home Decor",
        {
            "bedroom": "Bedroom",
            "clock": "Clocks",
            "cushion": "Cushions",
            "decorative": "Decoration",
            "lighting": "Lighting",
        },
    ),
    "hot dispensed": ("Hot Drinks", {"hot chocolate": "Hot Chocolate"}),
    "housewares": (
        "Housewares",
        {
            "bowls": "Bowls",
            "consumable": "Consumables",
            "kitchen": "Kitchen",
            "salon": "Salon",
        },
    ),
    "instruments": (
        "Musical Instruments",
        {
            "keys": "Keyboard Instruments",
            "microphone": "Microphones",
            "percussion": "Percussion",
            "strings": "String Instruments",
            "wind": "Wind Instruments",
        },
    ),
    "jewelry": (
        "Jewelry",
        {"bracelet": "Bracelets", "earrings": "Earrings", "necklace": "Necklaces"},
    ),
    "outdoors": (
        "Outdoors",
        {"camping": "Camping", "fishing": "Fishing", "kayaking": "Kayaking", "pet": "Pets"},
    ),
    "salty snacks": (
        "Salty Snacks",
        {"nuts/seeds": "Nuts and Seeds", "potato chips": "Potato Chips"},
    ),
    "seasonal": (
        "Seasonal",
        {
            "christmas": "Christmas",
            "easter": "Easter",
            "halloween": "Halloween",
            "valentine": "Valentine's Day",
        },
    ),
    "tools": (
        "Tools",
        {
            "axe": "Axes",
            "drill": "Drills",
            "hammer": "Hammers",
            "knife": "Knives",
            "plier": "Pliers",
            "saw": "Saws",
            "screwdriver": "Screwdrivers",
            "set": "Tool Sets",
            "wrench": "Wrenches",
        },
    ),
}
"""Category of the source → its name for people, and its styles with theirs."""

COLUMNS: Final = (
    "id",
    "title",
    "description",
    "category_id",
    "price",
    "quantity",
    "tags",
    "style",
    "gender_affinity",
    "promoted",
    "featured",
    "where_visible",
    "image_file",
    "image_license",
    "image_source",
)

KNOWN: Final = frozenset(
    "id current_stock name category style description price image gender_affinity where_visible "
    "promoted featured aliases image_license link".split()
)

CURRENCY: Final = "USD"

type Record = Mapping[str, str | list[str]]


def read_source(path: Path) -> list[Record]:
    """Return the records of the source with every value as the text that stands there.

    Raises:
        SystemExit: The source is not what this script was written for.
    """
    with path.open(encoding="utf-8") as file:
        # BaseLoader makes no floats: a price stays as it was written.
        records: list[Record] = yaml.load(file, Loader=yaml.CBaseLoader)  # noqa: S506 - text only
    for record in records:
        if unknown := record.keys() - KNOWN:
            sys.exit(f"{record['id']}: unknown keys {sorted(unknown)}")
    return records


def category_id(category: str, style: str = "") -> str:
    """Return the id of a category, or of a style below it: ``food-service.soup-and-salad``."""
    text = f"{category}.{style}" if style else category
    return text.replace(" ", "-").replace("/", "-")


def write_categories() -> list[dict[str, str | None]]:
    """Return the categories as documents, parents before children."""
    tree: list[dict[str, str | None]] = []
    for category, (name, styles) in CATEGORIES.items():
        above = category_id(category)
        tree.append({"id": above, "name": name, "parent_id": None})
        tree.extend(
            {"id": category_id(category, style), "name": each, "parent_id": above}
            for style, each in styles.items()
        )
    return tree


def write_row(record: Record) -> list[str]:
    """Return the cells of one product, in the order of :data:`COLUMNS`.

    Raises:
        SystemExit: The product's category or style has no name here.
    """

    def text(key: str) -> str:
        value = record.get(key, "")
        if not isinstance(value, str):
            sys.exit(f"{record['id']}: {key} is not a single value")
        return "" if value == "null" else value

    category, style = text("category"), text("style")
    if style not in CATEGORIES[category][1]:
        sys.exit(f"{text('id')}: the style {style!r} of {category!r} has no name yet")
    cells = {
        "id": text("id"),
        "title": text("name"),
        "description": text("description"),
        "category_id": category_id(category, style),
        "price": f"{Decimal(text('price')):.2f} {CURRENCY}",
        "quantity": text("current_stock"),
        "tags": "|".join(record.get("aliases", ())),
        "style": style,
        "gender_affinity": text("gender_affinity"),
        "promoted": text("promoted"),
        "featured": text("featured"),
        "where_visible": text("where_visible"),
        "image_file": text("image"),
        "image_license": text("image_license"),
        "image_source": text("link"),
    }
    return [cells[column] for column in COLUMNS]


def write_shop(records: Iterable[Record], folder: Path) -> int:
    """Write the catalog's two files into *folder*, and return the number of products."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [write_row(record) for record in records]
    with (folder / "products.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    tree = "[\n" + ",\n".join(json.dumps(each) for each in write_categories()) + "\n]\n"
    (folder / "categories.json").write_text(tree, encoding="utf-8")
    return len(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Make the example shop.")
    parser.add_argument("source", type=Path, help="products.yaml of the AWS Retail Demo Store")
    parser.add_argument("folder", type=Path, help="the catalog folder to write")
    chosen = parser.parse_args(arguments)
    count = write_shop(read_source(chosen.source), chosen.folder)
    print(f"{count} products, {len(write_categories())} categories in {chosen.folder}")


if __name__ == "__main__":
    main()
