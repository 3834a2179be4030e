"""Makes edits of the catalog of what a file says."""

from collections.abc import Mapping

from vitrina.adapters import codec
from vitrina.adapters.product_file.merge import Edit, EditKind
from vitrina.domain.product import Product
from vitrina.service_layer.documents import Document
from vitrina.service_layer.file_edits import RowEdit
from vitrina.service_layer.ports import Stored


def document_of(stored: Stored | None) -> Document | None:
    """Return a product's document, or None."""
    return None if stored is None else codec.load(stored.body)


def row_edit(edit: Edit, tag: str | None, products: Mapping[str, Product]) -> RowEdit:
    """Return an edit as it is carried out.

    Args:
        edit: As found by comparing.
        tag: The entity tag of the product that was compared with; None when there was none.
        products: The new products, by id.
    """
    match edit.kind:
        case EditKind.CREATE:
            return RowEdit(edit.id, tag, product=products[edit.id])
        case EditKind.UPDATE:
            return RowEdit(edit.id, tag, patch=edit.document)
        case EditKind.DELETE:
            return RowEdit(edit.id, tag)
