"""The change feed, and the history of one product."""

from typing import Annotated, Literal

from pydantic import Field

from vitrina.domain import category
from vitrina.entrypoints.http.schemas.products import Product
from vitrina.entrypoints.http.schemas.values import Id, Strict, Time


class HistoryEntry(Strict):
    """One version of a product."""

    version: Annotated[int, Field(ge=1)]
    seq: Annotated[int, Field(ge=1, description="The number of the change in the change feed.")]
    at: Time
    type: Literal["product.created", "product.updated", "product.deleted"]
    source: Literal["api", "file", "import"]
    changed: list[str] = Field(description="The fields that took other values.")
    product: Product | None = Field(description="As it was then; null when it was deleted.")


class History(Strict):
    """The versions of one product, newest first."""

    items: list[HistoryEntry]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


class CategoryRecord(Strict):
    """A category in the change feed: without what follows from others."""

    id: Id
    name: Annotated[str, Field(min_length=1, max_length=category.NAME_LENGTH_MAX)]
    parent_id: Id | None
    version: Annotated[int, Field(ge=1)]


class ProductChange(Strict):
    """A product changed."""

    seq: Annotated[int, Field(ge=1)]
    at: Time
    type: Literal["product.created", "product.updated", "product.deleted"]
    source: Literal["api", "file", "import"]
    product_id: Id
    version: Annotated[int, Field(ge=1)]
    changed: list[str] = Field(description="The fields that took other values.")
    data: Product | None = Field(description="The product after the change; null: deleted.")


class CategoryChange(Strict):
    """A category changed."""

    seq: Annotated[int, Field(ge=1)]
    at: Time
    type: Literal["category.created", "category.updated", "category.deleted"]
    source: Literal["api", "file", "import"]
    category_id: Id
    version: Annotated[int, Field(ge=1)]
    changed: list[str]
    data: CategoryRecord | None = Field(description="The category after the change; null: deleted.")


class ChangeList(Strict):
    """Changes, oldest first, without gaps in `seq`."""

    items: list[ProductChange | CategoryChange]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")
    last_seq: Annotated[
        int, Field(ge=0, description="Ask for what comes `after` this number next time.")
    ]
    latest_seq: Annotated[int, Field(ge=0, description="The newest change of the catalog.")]
