"""Folders with a product file, as people have them."""

from pathlib import Path


def shop_with(place: Path, text: str) -> Path:
    """Return a new folder in *place* whose ``products.csv`` is *text*."""
    folder = place / "shop"
    folder.mkdir()
    (folder / "products.csv").write_text(text)
    return folder


def numbered_products(count: int) -> str:
    """Return the text of a product file: ``P-00`` and so on, each with a SKU, a price and a quantity."""
    return "id,sku,title,price,quantity\n" + "".join(
        f"P-{number:02},000{number:02},Product {number},{number + 1}.90 EUR,{number}\n"
        for number in range(count)
    )
