"""The groups that the operations are documented in."""

from typing import Final

PRODUCTS_TAG: Final = "products"
CATEGORIES_TAG: Final = "categories"
CHANGES_TAG: Final = "changes"
FILE_TAG: Final = "file"
OPERATIONS_TAG: Final = "operations"

TAGS: Final = (
    {"name": PRODUCTS_TAG, "description": "The goods: read, list, add, change and remove them."},
    {"name": CATEGORIES_TAG, "description": "The tree that products are filed in."},
    {"name": CHANGES_TAG, "description": "What happened to the catalog, in order."},
    {
        "name": FILE_TAG,
        "description": "The product file that people edit, and what was not taken from it.",
    },
    {"name": OPERATIONS_TAG, "description": "Whether the service is well."},
)
