import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.builders import FULL, LAMP
from tests.contract.conftest import ManualClock, OpenStore, Store
from vitrina.adapters import codec
from vitrina.domain.category import Category
from vitrina.domain.errors import (
    CategoryInUse,
    IdTaken,
    ProductNotFound,
    SkuTaken,
    SlugTaken,
)
from vitrina.domain.product import Product
from vitrina.service_layer.changes import Source
from vitrina.service_layer.ports import Answered, Stored

CHAIRS = Category(id="chairs", name="Chairs")


def save(store: Store, product: Product, source: Source = Source.API) -> Stored:
    with store.write(source) as uow:
        stored = uow.products.save(product)
        uow.commit()
    return stored


def revise(store: Store, product_id: str, **values: object) -> Stored:
    with store.write() as uow:
        product = uow.products.get(product_id)
        stored = uow.products.save(product.become(replace(product, **values)))  # type: ignore[arg-type]
        uow.commit()
    return stored


def remove(store: Store, product_id: str) -> None:
    with store.write() as uow:
        uow.products.remove(uow.products.get(product_id).removed())
        uow.commit()


def test_what_is_committed_is_what_is_read(reopen: OpenStore) -> None:
    with reopen() as store:
        stored = save(store, FULL.created())
        with store.write() as uow:
            again = uow.products.get(FULL.id)

    with reopen() as store:
        assert store.view.product(FULL.id) == stored
        assert codec.load_product(stored.body) == FULL == again
        assert (again.version, again.created_at, again.updated_at) == (
            1,
            again.created_at,
            again.created_at,
        )


def test_without_commit_nothing_happened(store: Store) -> None:
    with store.write() as uow:
        uow.products.save(LAMP.created())
        uow.categories.save(CHAIRS)
        uow.remember("key", Answered("print", codec.store_product(LAMP)))

    with pytest.raises(ProductNotFound):
        store.view.product(LAMP.id)
    assert store.view.seq == store.log.seq == 0
    with store.write() as uow:
        assert uow.products.stored(LAMP.id) is None
        assert uow.products.owner_of_sku("LAMP-1") is None
        assert uow.answered("key") is None
        assert len(uow.categories.tree()) == 0


def test_an_error_inside_lets_the_next_writer_in(store: Store) -> None:
    def fail() -> None:
        with store.write() as uow:
            uow.products.save(LAMP.created())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert save(store, LAMP.created()).version == 1


def test_a_unit_of_work_reads_its_own_writes_and_nobody_else_does(store: Store) -> None:
    save(store, LAMP.created())

    with store.write() as uow:
        lamp = uow.products.get("lamp")
        uow.products.save(lamp.become(replace(lamp, sku="LAMP-2", slug="better-lamp")))
        uow.categories.save(CHAIRS)

        assert uow.products.get("lamp").sku == "LAMP-2"
        assert uow.products.get("lamp").version == 2
        assert uow.products.owner_of_sku("LAMP-2") == "lamp"
        assert uow.products.owner_of_sku("LAMP-1") is None
        assert uow.products.owner_of_slug("better-lamp") == "lamp"
        assert uow.products.owner_of_slug("desk-lamp") is None
        assert uow.categories.tree().path("chairs") == ("Chairs",)
        uow.products.remove(uow.products.get("lamp").removed())
        assert uow.products.stored("lamp") is None
        assert store.view.product("lamp").version == 1
        assert store.view.product_by_slug("desk-lamp").id == "lamp"


def test_saving_without_a_change_changes_nothing(store: Store) -> None:
    first = save(store, LAMP.created())

    assert revise(store, "lamp", title=LAMP.title) == first
    assert store.view.seq == 1


def test_an_unchanged_unit_of_work_answers_the_number_of_the_last_change(store: Store) -> None:
    save(store, LAMP.created())

    with store.write() as uow:
        assert uow.commit() == 1


def test_an_old_version_cannot_be_saved(store: Store) -> None:
    save(store, LAMP.created())
    with store.write() as uow:
        old = uow.products.get("lamp")
    revise(store, "lamp", title="Lamp")

    with store.write() as uow, pytest.raises(ValueError, match="not loaded"):
        uow.products.save(old.become(replace(old, title="Other")))
    with store.write() as uow, pytest.raises(IdTaken):
        uow.products.save(LAMP.created())


def test_skus_and_slugs_are_unique_and_free_again_after_removal(store: Store) -> None:
    save(store, LAMP.created())
    rug = replace(LAMP, id="rug", slug="rug")

    with store.write() as uow, pytest.raises(SkuTaken):
        uow.products.save(rug.created())
    with store.write() as uow, pytest.raises(SlugTaken):
        uow.products.save(replace(LAMP, id="rug", sku="RUG-1").created())

    remove(store, "lamp")
    save(store, rug.created())
    assert store.view.product_by_slug("rug").id == "rug"


def test_two_products_swap_their_skus_in_one_unit_of_work(store: Store) -> None:
    save(store, LAMP.created())
    save(store, replace(LAMP, id="rug", sku="RUG-1", slug="rug").created())

    with store.write() as uow:
        lamp, rug = uow.products.get("lamp"), uow.products.get("rug")
        free = uow.products.save(lamp.become(replace(lamp, sku=None)))
        uow.products.save(rug.become(replace(rug, sku="LAMP-1")))
        lamp = uow.products.get("lamp")
        uow.products.save(lamp.become(replace(lamp, sku="RUG-1")))
        uow.commit()

    assert free.version == 2
    with store.write() as uow:
        assert uow.products.owner_of_sku("LAMP-1") == "rug"
        assert uow.products.owner_of_sku("RUG-1") == "lamp"


def test_a_removed_product_is_gone_and_its_id_is_free(store: Store) -> None:
    save(store, LAMP.created())
    remove(store, "lamp")

    with pytest.raises(ProductNotFound):
        store.view.product("lamp")
    with pytest.raises(ProductNotFound), store.write() as uow:
        uow.products.remove(LAMP)
    assert save(store, LAMP.created()).version == 1


def test_categories_count_the_products_filed_under_them(store: Store) -> None:
    with store.write() as uow:
        uow.categories.save(CHAIRS)
        uow.products.save(FULL.created())
        assert uow.products.count_in_category("chairs") == 1
        uow.commit()

    with store.write() as uow:
        assert uow.products.count_in_category("chairs") == 1
        with pytest.raises(CategoryInUse):
            uow.categories.remove("chairs")
        uow.products.remove(uow.products.get(FULL.id).removed())
        assert uow.products.count_in_category("chairs") == 0
        uow.categories.remove("chairs")
        uow.commit()

    assert len(store.view.categories()) == 0


def test_categories_have_versions(reopen: OpenStore) -> None:
    with reopen() as store, store.write() as uow:
        uow.categories.save(CHAIRS)
        uow.categories.save(Category(id="stools", name="Stools", parent_id="chairs"))
        uow.categories.save(replace(CHAIRS, name="Seats"))
        assert uow.categories.save(replace(CHAIRS, name="Seats")).version == 2
        uow.commit()

    with reopen() as store:
        assert store.view.category("chairs").version == 2
        assert store.view.categories().path("stools") == ("Seats", "Stools")


def test_answers_are_kept_with_the_changes_for_a_day(reopen: OpenStore, clock: ManualClock) -> None:
    with reopen() as store, store.write() as uow:
        stored = uow.products.save(LAMP.created())
        uow.remember("key", Answered("print", stored))
        assert uow.answered("key") == Answered("print", stored)
        uow.commit()

    clock.move(hours=23)
    with reopen() as store:
        revise(store, "lamp", title="Another lamp")
        with store.write() as uow:
            assert uow.answered("key") == Answered("print", stored)

    clock.move(hours=2)
    with reopen() as store, store.write() as uow:
        assert uow.answered("key") is None


def test_an_answer_alone_is_kept_too(reopen: OpenStore) -> None:
    with reopen() as store:
        stored = save(store, LAMP.created())
        with store.write() as uow:
            uow.remember("key", Answered("print", stored))
            assert uow.commit() == 1
        revise(store, "lamp", title="Another lamp")

    with reopen() as store, store.write() as uow:
        assert uow.answered("key") == Answered("print", stored)


def test_time_never_goes_back(reopen: OpenStore, clock: ManualClock) -> None:
    with reopen() as store:
        first = save(store, LAMP.created())
        clock.move(hours=-5)
        second = revise(store, "lamp", title="Lamp")
    with reopen() as store:
        third = revise(store, "lamp", title="A lamp")

    times = [codec.load(each.body)["updated_at"] for each in (first, second, third)]
    assert times == [times[0]] * 3


def test_units_of_work_of_many_threads_follow_one_another(reopen: OpenStore) -> None:
    """Each thread counts one product's quantity up: a lost update would show."""
    with reopen() as store:
        save(store, replace(LAMP, quantity=0).created())

        def count(_: int) -> None:
            with store.write() as uow:
                lamp = uow.products.get("lamp")
                uow.products.save(lamp.become(replace(lamp, quantity=(lamp.quantity or 0) + 1)))
                uow.commit()
            seen = codec.load_product(store.view.product("lamp").body)
            assert (seen.version, seen.quantity) >= (2, 1)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(count, range(64)))

    with reopen() as store:
        lamp = codec.load_product(store.view.product("lamp").body)
        assert (lamp.quantity, lamp.version) == (64, 65)
        assert [each.version for each in store.log.changes(0, limit=100)] == list(range(1, 66))


def test_a_second_unit_of_work_waits_for_the_first(store: Store) -> None:
    inside, left = threading.Event(), threading.Event()

    def second() -> None:
        inside.wait()
        save(store, LAMP.created())
        assert left.is_set()

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(second)
        with store.write() as uow:
            inside.set()
            uow.products.save(replace(LAMP, id="rug", sku=None, slug="rug").created())
            left.set()
            uow.commit()
        waiting.result()

    assert store.view.seq == 2
