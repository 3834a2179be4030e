"""What an operator may set of the HTTP entrypoint."""

from dataclasses import dataclass
from typing import Final

BODY_BYTES_MAX: Final = 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """Settings of the HTTP entrypoint.

    Attributes:
        body_bytes_max: The most bytes that the body of a request about one resource may have.
        body_wait_s_max: How long a body may take to arrive.
        write_wait_s_max: How long a write may wait for those before it.
        require_if_match: Refuse PUT, PATCH and DELETE that carry no precondition (428).
        cors_origins: Origins whose pages may call the service from a browser; ``*`` is any.
        access_log: Log a line for every request. Costs about a tenth of a read.
    """

    body_bytes_max: int = BODY_BYTES_MAX
    body_wait_s_max: float = 30.0
    write_wait_s_max: float = 10.0
    require_if_match: bool = False
    cors_origins: tuple[str, ...] = ()
    access_log: bool = False


DEFAULTS: Final = HttpOptions()
