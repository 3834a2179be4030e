"""Old versions of one product."""

from typing import Final

from vitrina.bootstrap import Catalog
from vitrina.domain.errors import ProductNotFound, VersionNotFound
from vitrina.service_layer.ports import Stored
from vitrina.service_layer.query_string import parse_integer

VERSION_MAX: Final = 2**53 - 1


def read_version(text: str) -> int:
    """Read the number of a version.

    Raises:
        InvalidQuery: It is no positive integer.
    """
    return parse_integer("version", text, lowest=1, highest=VERSION_MAX)


def old_version(catalog: Catalog, product_id: str, version: int) -> Stored:
    """Return one version of a product; reads the disk unless it is the present one.

    Raises:
        ProductNotFound: There neither is nor was such a product.
        VersionNotFound: It never had this version, or the past is not kept that far back.
    """
    (current,) = catalog.view.products([product_id])
    if current is not None and current.version == version:
        return current
    known = current is not None
    for change in catalog.log.history(product_id):
        known = True
        if change.version == version and change.body is not None:
            return Stored.of(product_id, version, change.body)
    if not known:
        raise ProductNotFound(product_id)
    raise VersionNotFound(product_id, version)
