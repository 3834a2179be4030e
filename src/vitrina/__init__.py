"""A product catalog service whose database is your product file."""

from typing import Final

__version__: Final = "0.1.0"
