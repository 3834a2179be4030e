"""A shop, and its catalog opened over it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.projection.shop import CSV, Open
from tests.shops import shop_with
from vitrina.bootstrap import Catalog, open_catalog
from vitrina.settings import Settings


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return shop_with(tmp_path, CSV)


@pytest.fixture
def opened(shop: Path) -> Open:
    """Return a function that opens the catalog; the file is written when it is closed."""

    @contextmanager
    def opened(file_delay_s: float = 3600.0) -> Iterator[Catalog]:
        settings = Settings.load(file_delay_s=file_delay_s, file_rest_s=0, watch="off")
        with open_catalog(shop, settings) as catalog:
            yield catalog

    return opened
