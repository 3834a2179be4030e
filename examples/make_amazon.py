"""Make a native JSON Lines catalog from the Amazon products of Vespa's e-commerce sample.

    uv run python examples/make_amazon.py ../shared/data/vespa-amazon/data_0_1_0.json.zst catalog

The source is JSON Lines, compressed with Zstandard: 24,576 lines of ``{"put": …, "fields": {…}}``.
Each becomes one line of ``catalog/products.jsonl``, in the source's order, and none is left out;
each distinct category becomes a place in ``catalog/categories.json``. The same source gives the
same bytes every time. It serves as a catalog of realistic size for tests and benchmarks.

What is changed on the way, and why:

- ``id`` is an integer; identifiers are text.
- ``price`` is an integer in cents: 2334 becomes 23.34 USD. The 167 prices of 0 stand for "not
  known" in the source: such a product has no price, rather than being free.
- ``average_rating`` comes without a number of ratings, so it is the attribute ``average_rating``:
  a rating without its count would be made up.
- One title is empty, and a product needs one: the title stands on the first line of that
  product's description, behind ``**Title:**``.
- Descriptions are Markdown with some damaged characters; they are kept as they are.
"""

import argparse
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import zstandard

CURRENCY: Final = "USD"
TITLE_MARK: Final = "**Title:**"

type Fields = Mapping[str, str | int | float]


def read_source(path: Path) -> Iterator[Fields]:
    """Yield the fields of each product."""
    with (
        path.open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as plain,
        io.TextIOWrapper(plain, encoding="utf-8", newline="\n") as lines,
    ):
        for line in lines:
            yield json.loads(line)["fields"]


def title_of(fields: Fields) -> str:
    """Return the product's title, or the one that its description states.

    Raises:
        SystemExit: It has neither.
    """
    if title := str(fields["title"]).strip():
        return title
    first = str(fields["description"]).split("\n", 1)[0]
    if not first.startswith(TITLE_MARK):
        sys.exit(f"{fields['id']}: no title, and none in the description")
    return first.removeprefix(TITLE_MARK).strip()


def category_id(category: str) -> str:
    """Return the id of a category: ``Toys_and_Games`` → ``toys-and-games``."""
    return category.lower().replace("_", "-")


def write_product(fields: Fields) -> dict[str, object]:
    """Return one product as a document."""
    cents = int(fields["price"])
    amount = f"{cents // 100}.{cents % 100:02}"
    return {
        "id": str(fields["id"]),
        "title": title_of(fields),
        "description": fields["description"],
        "category_id": category_id(str(fields["category"])),
        "price": {"amount": amount, "currency": CURRENCY} if cents else None,
        "quantity": fields["quantity"],
        "attributes": {"average_rating": fields["average_rating"]},
    }


def write_catalog(source: Iterable[Fields], folder: Path) -> int:
    """Write the catalog's two files into *folder*, and return the number of products."""
    folder.mkdir(parents=True, exist_ok=True)
    names: set[str] = set()
    count = 0
    with (folder / "products.jsonl").open("w", encoding="utf-8", newline="\n") as file:
        for fields in source:
            names.add(str(fields["category"]))
            file.write(json.dumps(write_product(fields), ensure_ascii=False) + "\n")
            count += 1
    tree = [
        {"id": category_id(name), "name": name.replace("_", " "), "parent_id": None}
        for name in sorted(names)
    ]
    (folder / "categories.json").write_text(json.dumps(tree, indent=1) + "\n", encoding="utf-8")
    return count


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Make a catalog of Amazon products.")
    parser.add_argument("source", type=Path, help="data_0_1_0.json.zst of Vespa's sample")
    parser.add_argument("folder", type=Path, help="the catalog folder to write")
    chosen = parser.parse_args(arguments)
    count = write_catalog(read_source(chosen.source), chosen.folder)
    print(f"{count} products in {chosen.folder}")


if __name__ == "__main__":
    main()
