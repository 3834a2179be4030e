"""How the service is."""

from typing import Literal

from pydantic import Field

from vitrina.entrypoints.http.schemas.values import Strict


class Check(Strict):
    """How one part of the service is."""

    name: str
    status: Literal["pass", "warn", "fail"]
    detail: str


class Health(Strict):
    """How the service is."""

    status: Literal["pass", "warn", "fail"]
    checks: list[Check] = Field([])
