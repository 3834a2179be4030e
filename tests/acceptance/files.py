"""A catalog in a folder, as a merchant has it on the disk; and the steps' view of its files."""

from dataclasses import dataclass
from pathlib import Path

from tests.running import RunningService


@dataclass
class ProductFile:
    """The merchant's file.

    Attributes:
        path: Where it lies.
        original: Its bytes before anything was served.
    """

    path: Path
    original: bytes

    @classmethod
    def write(cls, folder: Path, name: str, content: bytes) -> "ProductFile":
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_bytes(content)
        return cls(path, content)

    def served(self, **settings: str) -> RunningService:
        """Return a service for the folder of this file, not yet started."""
        return RunningService(self.path.parent, settings=settings)

    @property
    def text(self) -> str:
        return self.path.read_bytes().decode()
