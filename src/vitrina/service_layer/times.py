"""Times as text: the one form that documents and records have."""

import re
from datetime import UTC, datetime
from typing import Final

from vitrina.domain.errors import InvalidValue

_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def format_time(time: datetime) -> str:
    """Return *time* as RFC 3339 in UTC with microseconds: ``2026-01-31T12:00:00.000000Z``."""
    utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    return utc.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 time with any offset.

    Raises:
        InvalidValue: ``invalid_time``.
    """
    if _TIME.fullmatch(text):
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # A day or hour out of range: the same answer as for a wrong form.
    raise InvalidValue("invalid_time", "A time looks like 2026-01-31T12:00:00Z (RFC 3339).")
