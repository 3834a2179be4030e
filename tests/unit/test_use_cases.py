"""Use cases over the memory adapter; each test looks again as the next reader would."""

from collections.abc import Callable
from dataclasses import dataclass

import orjson
import pytest

from vitrina.adapters.memory import MemoryCatalog
from vitrina.domain.errors import (
    CategoryInUse,
    CategoryNotFound,
    IdempotencyKeyReused,
    IdTaken,
    InvalidDocument,
    PreconditionFailed,
    ProductNotFound,
    SkuTaken,
    SlugTaken,
    TransitionRefused,
)
from vitrina.service_layer.categories import put_category, remove_category, revise_category
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.preconditions import ANY, Precondition
from vitrina.service_layer.products import (
    IdempotencyKey,
    add_product,
    put_product,
    remove_product,
    revise_product,
)

LAMP: Document = {"id": "lamp", "title": "Desk lamp", "sku": "L-1", "quantity": 5}


@dataclass(frozen=True)
class Setting:
    """A patch that sets some fields."""

    fields: Document

    def apply(self, document: Json) -> Json:
        assert isinstance(document, dict)
        return document | self.fields

    def touches(self, field: str) -> bool:
        return field in self.fields


@pytest.fixture
def catalog() -> MemoryCatalog:
    """A catalog of one lamp."""
    catalog = MemoryCatalog()
    add_product(catalog.unit_of_work(), LAMP)
    return catalog


def seen(catalog: MemoryCatalog, product_id: str = "lamp") -> Document:
    document = orjson.loads(catalog.view.product(product_id).body)
    assert isinstance(document, dict)
    return document


def pointers(refused: pytest.ExceptionInfo[InvalidDocument]) -> list[str]:
    return [each.pointer for each in refused.value.faults]


def test_an_added_product_is_seen(catalog: MemoryCatalog) -> None:
    assert seen(catalog)["title"] == "Desk lamp"
    assert seen(catalog)["version"] == 1


def test_an_absent_id_is_made(catalog: MemoryCatalog) -> None:
    first = add_product(catalog.unit_of_work(), {"title": "A"}).product
    second = add_product(catalog.unit_of_work(), {"title": "B", "id": None}).product

    assert first.id < second.id
    assert seen(catalog, first.id)["title"] == "A"


def test_an_id_can_be_taken_once(catalog: MemoryCatalog) -> None:
    with pytest.raises(IdTaken):
        add_product(catalog.unit_of_work(), {"id": "lamp", "title": "Another"})

    assert seen(catalog)["title"] == "Desk lamp"


def test_a_sku_belongs_to_one_product(catalog: MemoryCatalog) -> None:
    with pytest.raises(SkuTaken, match="'lamp'"):
        add_product(catalog.unit_of_work(), {"title": "Another", "sku": "L-1"})


def test_a_sku_is_free_again_once_given_up(catalog: MemoryCatalog) -> None:
    revise_product(catalog.unit_of_work(), "lamp", Setting({"sku": None}))

    assert add_product(catalog.unit_of_work(), {"title": "Another", "sku": "L-1"}).created


def test_slugs_are_made_from_titles_and_unique(catalog: MemoryCatalog) -> None:
    add_product(catalog.unit_of_work(), {"id": "two", "title": "Desk Lamp!"})

    assert seen(catalog)["slug"] == "desk-lamp"
    assert str(seen(catalog, "two")["slug"]).startswith("desk-lamp-")
    assert catalog.view.product_by_slug("desk-lamp").id == "lamp"


def test_a_title_without_letters_has_a_slug_too(catalog: MemoryCatalog) -> None:
    stored = add_product(catalog.unit_of_work(), {"id": "x", "title": "!!!"}).product

    assert catalog.view.product_by_slug(str(seen(catalog, stored.id)["slug"])).id == "x"


def test_a_chosen_slug_belongs_to_one_product(catalog: MemoryCatalog) -> None:
    with pytest.raises(SlugTaken):
        add_product(catalog.unit_of_work(), {"title": "x", "slug": "desk-lamp"})


def test_a_category_must_exist(catalog: MemoryCatalog) -> None:
    with pytest.raises(InvalidDocument, match="create it first"):
        add_product(catalog.unit_of_work(), {"title": "x", "category_id": "nowhere"})


def test_read_only_fields_are_not_for_callers(catalog: MemoryCatalog) -> None:
    with pytest.raises(InvalidDocument) as refused:
        add_product(catalog.unit_of_work(), {"title": "x", "version": 7})

    assert pointers(refused) == ["/version"]


def test_what_was_read_can_be_changed_and_sent_back(catalog: MemoryCatalog) -> None:
    put_product(catalog.unit_of_work(), "lamp", seen(catalog) | {"title": "Floor lamp"})

    assert (seen(catalog)["title"], seen(catalog)["version"]) == ("Floor lamp", 2)


def test_sending_back_what_was_read_changes_nothing(catalog: MemoryCatalog) -> None:
    before = catalog.view.product("lamp")

    saved = put_product(catalog.unit_of_work(), "lamp", seen(catalog))

    assert saved.product == before
    assert catalog.seq == 1


def test_sending_back_an_old_reading_is_noticed(catalog: MemoryCatalog) -> None:
    old = seen(catalog)
    revise_product(catalog.unit_of_work(), "lamp", Setting({"title": "New"}))

    with pytest.raises(InvalidDocument) as refused:
        put_product(catalog.unit_of_work(), "lamp", old)

    assert pointers(refused) == ["/updated_at", "/version"]


def test_putting_creates_or_replaces(catalog: MemoryCatalog) -> None:
    assert put_product(catalog.unit_of_work(), "rug", {"title": "Rug"}).created
    assert not put_product(catalog.unit_of_work(), "lamp", {"title": "Bare"}).created
    assert (seen(catalog)["sku"], seen(catalog)["quantity"]) == (None, None)


def test_replacing_keeps_the_slug_that_links_use(catalog: MemoryCatalog) -> None:
    put_product(catalog.unit_of_work(), "lamp", {"title": "Another name"})

    assert seen(catalog)["slug"] == "desk-lamp"


def test_a_slug_set_to_null_is_made_anew(catalog: MemoryCatalog) -> None:
    revise_product(catalog.unit_of_work(), "lamp", Setting({"title": "Rug", "slug": None}))

    assert seen(catalog)["slug"] == "rug"


def test_creating_only_what_does_not_exist(catalog: MemoryCatalog) -> None:
    create_only = Precondition(none_match=ANY)

    assert put_product(
        catalog.unit_of_work(), "rug", {"title": "Rug"}, precondition=create_only
    ).created
    with pytest.raises(PreconditionFailed):
        put_product(catalog.unit_of_work(), "rug", {"title": "2"}, precondition=create_only)


def test_changing_only_the_version_that_was_seen(catalog: MemoryCatalog) -> None:
    tag = catalog.view.product("lamp").tag
    seen_version = Precondition(match=frozenset({tag}))
    revise_product(
        catalog.unit_of_work(), "lamp", Setting({"title": "A"}), precondition=seen_version
    )

    with pytest.raises(PreconditionFailed):
        revise_product(
            catalog.unit_of_work(), "lamp", Setting({"title": "B"}), precondition=seen_version
        )
    with pytest.raises(PreconditionFailed):
        remove_product(catalog.unit_of_work(), "lamp", precondition=seen_version)
    assert seen(catalog)["title"] == "A"


def test_expecting_what_does_not_exist_to_exist(catalog: MemoryCatalog) -> None:
    with pytest.raises(PreconditionFailed, match="does not exist"):
        put_product(
            catalog.unit_of_work(), "x", {"title": "x"}, precondition=Precondition(match=ANY)
        )


def test_availability_follows_the_quantity_unless_stated(catalog: MemoryCatalog) -> None:
    revise_product(catalog.unit_of_work(), "lamp", Setting({"quantity": 0}))
    assert seen(catalog)["availability"] == "out_of_stock"

    revise_product(catalog.unit_of_work(), "lamp", Setting({"availability": "backorder"}))
    revise_product(catalog.unit_of_work(), "lamp", Setting({"quantity": 3}))
    assert seen(catalog)["availability"] == "backorder"


def test_a_patch_may_state_an_availability_against_the_quantity(catalog: MemoryCatalog) -> None:
    revise_product(
        catalog.unit_of_work(), "lamp", Setting({"quantity": 0, "availability": "in_stock"})
    )

    assert seen(catalog)["availability"] == "in_stock"


@pytest.mark.parametrize("field", ["version", "created_at", "updated_at"])
def test_a_patch_cannot_set_what_the_catalog_sets(catalog: MemoryCatalog, field: str) -> None:
    value: Json = 9 if field == "version" else "2020-01-01T00:00:00Z"

    with pytest.raises(InvalidDocument) as refused:
        revise_product(catalog.unit_of_work(), "lamp", Setting({field: value}))

    assert pointers(refused) == [f"/{field}"]


def test_a_patch_cannot_change_the_id(catalog: MemoryCatalog) -> None:
    with pytest.raises(InvalidDocument, match="never changes"):
        revise_product(catalog.unit_of_work(), "lamp", Setting({"id": "other"}))


def test_the_life_cycle_holds_in_use_cases(catalog: MemoryCatalog) -> None:
    revise_product(catalog.unit_of_work(), "lamp", Setting({"status": "archived"}))

    with pytest.raises(TransitionRefused):
        revise_product(catalog.unit_of_work(), "lamp", Setting({"status": "draft"}))


def test_a_removed_product_is_gone(catalog: MemoryCatalog) -> None:
    remove_product(catalog.unit_of_work(), "lamp")

    with pytest.raises(ProductNotFound):
        catalog.view.product("lamp")
    with pytest.raises(ProductNotFound):
        remove_product(catalog.unit_of_work(), "lamp")
    with pytest.raises(ProductNotFound):
        catalog.view.product_by_slug("desk-lamp")
    assert add_product(catalog.unit_of_work(), LAMP).created


@pytest.mark.parametrize(
    "change",
    [
        lambda uow: revise_product(uow, "nowhere", Setting({})),
        lambda uow: remove_product(uow, "nowhere"),
    ],
)
def test_what_does_not_exist_cannot_change(
    catalog: MemoryCatalog, change: Callable[[object], object]
) -> None:
    with pytest.raises(ProductNotFound):
        change(catalog.unit_of_work())


def test_the_same_request_again_gets_the_first_answer(catalog: MemoryCatalog) -> None:
    key = IdempotencyKey("k", "print-1")
    first = add_product(catalog.unit_of_work(), {"title": "Rug"}, idempotency=key)
    revise_product(catalog.unit_of_work(), first.product.id, Setting({"title": "Carpet"}))

    again = add_product(catalog.unit_of_work(), {"title": "Rug"}, idempotency=key)

    assert again.replayed
    assert again.product == first.product


def test_a_key_belongs_to_one_request(catalog: MemoryCatalog) -> None:
    add_product(catalog.unit_of_work(), {"title": "A"}, idempotency=IdempotencyKey("k", "1"))

    with pytest.raises(IdempotencyKeyReused):
        add_product(catalog.unit_of_work(), {"title": "B"}, idempotency=IdempotencyKey("k", "2"))


def test_a_refused_request_does_not_use_up_its_key(catalog: MemoryCatalog) -> None:
    with pytest.raises(SkuTaken):
        add_product(
            catalog.unit_of_work(),
            {"title": "A", "sku": "L-1"},
            idempotency=IdempotencyKey("k", "1"),
        )

    assert add_product(
        catalog.unit_of_work(), {"title": "A", "sku": "L-2"}, idempotency=IdempotencyKey("k", "2")
    ).created


def test_a_category_is_put_moved_and_removed(catalog: MemoryCatalog) -> None:
    assert put_category(catalog.unit_of_work(), "home", {"name": "Home"})
    assert put_category(catalog.unit_of_work(), "light", {"name": "Light"})
    revise_category(catalog.unit_of_work(), catalog.view, "light", Setting({"parent_id": "home"}))
    assert catalog.view.categories().path("light") == ("Home", "Light")

    with pytest.raises(CategoryInUse):
        remove_category(catalog.unit_of_work(), "home")
    remove_category(catalog.unit_of_work(), "light")
    remove_category(catalog.unit_of_work(), "home")
    assert not len(catalog.view.categories())


def test_putting_the_same_category_again_changes_nothing(catalog: MemoryCatalog) -> None:
    put_category(catalog.unit_of_work(), "home", {"name": "Home"})

    assert not put_category(catalog.unit_of_work(), "home", {"name": "Home"})
    assert catalog.view.category("home").version == 1


def test_a_category_with_products_of_any_status_stays(catalog: MemoryCatalog) -> None:
    put_category(catalog.unit_of_work(), "home", {"name": "Home"})
    revise_product(
        catalog.unit_of_work(), "lamp", Setting({"category_id": "home", "status": "draft"})
    )

    with pytest.raises(CategoryInUse, match=r"1 product"):
        remove_category(catalog.unit_of_work(), "home")
    assert catalog.view.category_counts().get("home", 0) == 0


def test_counts_go_up_the_tree(catalog: MemoryCatalog) -> None:
    put_category(catalog.unit_of_work(), "home", {"name": "Home"})
    put_category(catalog.unit_of_work(), "light", {"name": "Light", "parent_id": "home"})
    revise_product(catalog.unit_of_work(), "lamp", Setting({"category_id": "light"}))

    assert catalog.view.category_counts() == {"home": 1, "light": 1}


def test_what_is_no_category(catalog: MemoryCatalog) -> None:
    with pytest.raises(CategoryNotFound):
        revise_category(catalog.unit_of_work(), catalog.view, "nowhere", Setting({"name": "x"}))
    with pytest.raises(CategoryNotFound):
        remove_category(catalog.unit_of_work(), "nowhere")
