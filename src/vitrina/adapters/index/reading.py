"""How the texts of a catalog are read."""

from dataclasses import dataclass, field

from vitrina.adapters.index.planning import Synonyms


@dataclass(frozen=True, slots=True)
class Reading:
    """What a catalog says about its texts.

    Attributes:
        language: A key of :data:`~vitrina.adapters.index.analysis.LANGUAGES`.
        synonyms: Words that mean the same.
    """

    language: str = "en"
    synonyms: Synonyms = field(default_factory=dict)
