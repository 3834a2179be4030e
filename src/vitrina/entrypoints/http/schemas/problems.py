"""RFC 9457 problems."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Problem(BaseModel):
    """RFC 9457 Problem Details. Members beyond these tell the facts of the kind of problem."""

    model_config = ConfigDict(extra="allow")

    type: Annotated[str, Field(description="Where the kind of problem is explained.")]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    instance: Annotated[str, Field(description="The path of the request.")]
    code: Annotated[str, Field(pattern="^[a-z][a-z_]*$", description="Stable; test for this.")]
    request_id: Annotated[str, Field(description="Also in the service's log.")]
    trace_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] = Field(
        default="", description="Of the request's `traceparent`."
    )
    errors: list["ProblemError"] = Field(
        default=[], description="Every fault found, at most 100 of them."
    )


class ProblemError(BaseModel):
    """One fault of what was sent."""

    pointer: str = Field(default="", description="RFC 6901 JSON Pointer into the body.")
    parameter: str = Field(default="", description="Name of the query parameter.")
    code: str
    detail: str
