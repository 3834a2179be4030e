"""What a caller expects of the resource it changes (RFC 9110, section 13)."""

from dataclasses import dataclass
from typing import Final

from vitrina.domain.errors import PreconditionFailed

ANY: Final = frozenset({"*"})


@dataclass(frozen=True, slots=True)
class Precondition:
    """The expectation behind ``If-Match`` and ``If-None-Match`` of a request that writes.

    Attributes:
        match: Entity tags one of which must be the current one; ``{"*"}``: the resource must
            exist; None: no expectation.
        none_match: Entity tags none of which may be the current one; ``{"*"}``: the resource
            must not exist yet.
    """

    match: frozenset[str] | None = None
    none_match: frozenset[str] | None = None

    def check(self, tag: str | None) -> None:
        """Compare with the current entity *tag*; None is a resource that does not exist.

        Raises:
            PreconditionFailed: The expectation does not hold; the method must not be performed.
        """
        if self.match is not None and (
            tag is None or (self.match != ANY and tag not in self.match)
        ):
            raise PreconditionFailed(tag)
        if (
            self.none_match is not None
            and tag is not None
            and (self.none_match == ANY or tag in self.none_match)
        ):
            raise PreconditionFailed(tag)


UNCONDITIONAL: Final = Precondition()
