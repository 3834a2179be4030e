"""Use cases about categories: put, revise, remove. Moving a category moves its subtree."""

from vitrina.domain.errors import CategoryNotFound
from vitrina.service_layer.document_reading import read_category
from vitrina.service_layer.documents import Json, write_category
from vitrina.service_layer.ports import CatalogView, Patch, Stored, UnitOfWork
from vitrina.service_layer.preconditions import UNCONDITIONAL, Precondition


def put_category(
    uow: UnitOfWork,
    category_id: str,
    document: Json,
    *,
    precondition: Precondition = UNCONDITIONAL,
) -> bool:
    """Create the category with this id, or replace it; say whether it was created.

    Raises:
        PreconditionFailed, InvalidDocument, CategoryCycle, StoreReadOnly, StoreBusy.
    """
    with uow:
        current = uow.categories.stored(category_id)
        precondition.check(current.tag if current else None)
        uow.categories.save(read_category(document, category_id=category_id))
        uow.commit()
    return current is None


def revise_category(
    uow: UnitOfWork,
    view: CatalogView,
    category_id: str,
    patch: Patch,
    *,
    precondition: Precondition = UNCONDITIONAL,
) -> Stored:
    """Apply *patch* to the name or the parent of one category.

    The patch meets the whole document that readers see, so that it may test what is derived; its
    changes to that are not looked at.

    Raises:
        CategoryNotFound, PreconditionFailed, PatchConflict, InvalidDocument, CategoryCycle,
        StoreReadOnly, StoreBusy.
    """
    with uow:
        current = uow.categories.stored(category_id)
        if current is None:
            raise CategoryNotFound(category_id)
        precondition.check(current.tag)
        tree = uow.categories.tree()
        path = tree.path(category_id)
        count = view.category_counts().get(category_id, 0)
        document = write_category(tree.get(category_id), path=path, product_count=count)
        stored = uow.categories.save(read_category(patch.apply(document), category_id=category_id))
        uow.commit()
    return stored


def remove_category(
    uow: UnitOfWork, category_id: str, *, precondition: Precondition = UNCONDITIONAL
) -> None:
    """Take one category out of the tree; it must have neither products nor subcategories.

    Raises:
        CategoryNotFound, CategoryInUse, PreconditionFailed, StoreReadOnly, StoreBusy.
    """
    with uow:
        current = uow.categories.stored(category_id)
        if current is None:
            raise CategoryNotFound(category_id)
        precondition.check(current.tag)
        uow.categories.remove(category_id)
        uow.commit()
