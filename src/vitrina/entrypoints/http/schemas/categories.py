"""Categories, as they are answered and as they are sent."""

from typing import Annotated

from pydantic import Field

from vitrina.domain import category
from vitrina.entrypoints.http.schemas.values import CategoryName, Count, Id, Strict


class Category(Strict):
    """A category as it is answered."""

    id: Id
    name: CategoryName
    parent_id: Id | None = Field(description="null for a root.")
    path: Annotated[
        list[CategoryName],
        Field(
            min_length=1,
            max_length=category.DEPTH_MAX,
            description="Names from the root to itself.",
        ),
    ]
    product_count: Annotated[Count, Field(description="Active products in the whole subtree.")]
    version: Annotated[int, Field(ge=1)]


class CategoryBranch(Category):
    """A category with those below it."""

    children: list["CategoryBranch"]


class CategoryInput(Strict):
    """A category as it is sent. The derived fields may be sent back; they are not looked at."""

    id: Id | None = Field(None, description="May repeat the id in the URL.")
    name: CategoryName
    parent_id: Id | None = Field(None, description="Of a category that exists; null for a root.")
    path: object = Field(None, json_schema_extra={"readOnly": True})
    product_count: object = Field(None, json_schema_extra={"readOnly": True})
    version: object = Field(None, json_schema_extra={"readOnly": True})


class CategoryList(Strict):
    """Categories; with `tree=true` the roots, each with its `children`."""

    items: list[Category | CategoryBranch]
