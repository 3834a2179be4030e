"""How the product file and the catalog get along."""

from typing import Annotated, Any, Literal

from pydantic import Field

from vitrina.entrypoints.http.schemas.values import Id, Strict, Time
from vitrina.service_layer.person_file import CONFLICTS_MAX, PROBLEMS_SHOWN_MAX


class FileProblem(Strict):
    """Something wrong in the product file."""

    file: str
    line: Annotated[int, Field(ge=0, description="0: the file as a whole.")]
    column: Annotated[
        int, Field(ge=0, description="In CSV the number of the cell, in JSON the character; or 0.")
    ]
    header: str
    value: str
    code: str
    detail: str
    severity: Literal["error", "warning"] = Field(
        description="An error is not served; a warning is."
    )


class PendingEdit(Strict):
    """An edit of the file that waits to be accepted."""

    products: Annotated[int, Field(ge=0, description="How many products had a row.")]
    deleted: Annotated[int, Field(ge=0, description="How many of them would be deleted.")]
    columns: list[str] = Field(description="Columns whose values would go.")
    categories: Annotated[
        int, Field(ge=0, description="How many categories would go, if it is `categories.json`.")
    ]
    fingerprint: str = Field(description="Of the bytes that would be accepted.")


class FileStatus(Strict):
    """How the product file and the catalog get along."""

    file: str = Field(description="Its name.")
    state: Literal["none", "in_sync", "held", "pending", "broken", "blocked"]
    detail: str = Field(description="What is wrong and what to do; empty when nothing is.")
    line: Annotated[int, Field(ge=0)]
    column: Annotated[int, Field(ge=0)]
    code: str = Field(description="The broken rule, when there is one to name.")
    rows: Annotated[int, Field(ge=0)]
    refused: Annotated[int, Field(ge=0, description="How many of the rows are not served.")]
    seq: Annotated[int, Field(ge=0, description="The file holds every change up to this number.")]
    waiting: Annotated[
        int, Field(ge=0, description="How many changed products are not in the file yet.")
    ]
    waiting_since: Time | None = Field(description="When the first of them was changed.")
    pending: PendingEdit | None
    conflicts: Annotated[int, Field(ge=0, description="How many conflicts are open.")]
    problems: Annotated[list[FileProblem], Field(max_length=PROBLEMS_SHOWN_MAX)]
    problems_total: Annotated[int, Field(ge=0)]


class Conflict(Strict):
    """A value of the file that was not taken."""

    id: str
    product_id: Id | None = Field(description="`null`: it is about a category.")
    category_id: Id | None = Field(description="`null`: it is about a product.")
    field: str = Field(description="`price`, `attributes.color`, …; empty: all of it.")
    reason: Literal[
        "both_changed",
        "deleted_in_catalog",
        "deleted_in_file",
        "stale_copy",
        "stale_version",
        "damaged",
    ]
    file_value: Any = Field(description="What the file said.")
    kept_value: Any = Field(description="What the catalog had and has.")
    base_value: Any = Field(description="What both had before.")
    line: Annotated[int, Field(ge=0, description="Of the row; 0: there was none.")]
    at: Time


class ConflictList(Strict):
    """What was not taken from the file, newest first."""

    items: Annotated[list[Conflict], Field(max_length=CONFLICTS_MAX)]
