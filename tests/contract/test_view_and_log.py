import threading
from dataclasses import replace

import pytest

from tests.builders import FULL, LAMP
from tests.contract.conftest import OpenStore, Store
from tests.contract.test_unit_of_work import CHAIRS, remove, revise, save
from vitrina.domain.category import Category
from vitrina.domain.errors import CategoryNotFound, ProductNotFound
from vitrina.domain.product import Status
from vitrina.service_layer.changes import ChangeType, Source


def test_an_empty_catalog(store: Store) -> None:
    assert store.view.seq == 0
    seq, products = store.view.snapshot()
    assert (seq, len(products), list(products)) == (0, 0, [])
    assert store.view.products(["lamp"]) == [None]
    assert list(store.log.changes(0, limit=10)) == []
    with pytest.raises(ProductNotFound):
        store.view.product_by_slug("lamp")
    with pytest.raises(CategoryNotFound):
        store.view.category("chairs")


def test_many_products_come_in_the_order_asked_for(store: Store) -> None:
    lamp = save(store, LAMP.created())
    rug = save(store, replace(LAMP, id="rug", sku=None, slug="rug").created())

    assert store.view.products(["rug", "?", "lamp"]) == [rug, None, lamp]
    seq, products = store.view.snapshot()
    assert seq == 2
    assert sorted(products, key=lambda each: each.id) == [lamp, rug]


def test_counts_are_of_active_products_in_the_subtree(reopen: OpenStore) -> None:
    with reopen() as store:
        with store.write() as uow:
            uow.categories.save(CHAIRS)
            uow.categories.save(Category(id="stools", name="Stools", parent_id="chairs"))
            uow.products.save(replace(FULL, status=Status.ACTIVE).created())
            uow.products.save(replace(LAMP, category_id="stools").created())
            draft = replace(LAMP, id="draft", sku=None, slug="draft", category_id="stools")
            uow.products.save(replace(draft, status=Status.DRAFT).created())
            uow.commit()
        counts = store.view.category_counts()
        assert dict(counts) == {"chairs": 2, "stools": 1}
        revise(store, "lamp", title="Lamp")
        assert store.view.category_counts() == counts
        revise(store, "lamp", status=Status.ARCHIVED)
        assert {k: v for k, v in store.view.category_counts().items() if v} == {"chairs": 1}
        revise(store, "lamp", status=Status.ACTIVE)
        with store.write() as uow:
            uow.categories.save(Category(id="stools", name="Stools"))
            uow.commit()
        assert dict(store.view.category_counts()) == {"chairs": 1, "stools": 1}

    with reopen() as store:
        revise(store, "lamp", category_id="chairs")
        assert {k: v for k, v in store.view.category_counts().items() if v} == {"chairs": 2}


def test_the_log_tells_every_change_in_order(reopen: OpenStore) -> None:
    with reopen() as store:
        with store.write(Source.FILE) as uow:
            uow.categories.save(CHAIRS)
            uow.products.save(LAMP.created())
            assert uow.commit() == 2
        lamp = revise(store, "lamp", title="Lamp")
        remove(store, "lamp")

    with reopen() as store:
        changes = store.log.changes(0, limit=10)
        assert [(each.seq, each.type, each.id, each.version, each.source) for each in changes] == [
            (1, ChangeType.CATEGORY_CREATED, "chairs", 1, Source.FILE),
            (2, ChangeType.PRODUCT_CREATED, "lamp", 1, Source.FILE),
            (3, ChangeType.PRODUCT_UPDATED, "lamp", 2, Source.API),
            (4, ChangeType.PRODUCT_DELETED, "lamp", 2, Source.API),
        ]
        assert changes[2].body == lamp.body
        assert changes[3].body is None
        assert changes[2].events == ({"type": "product_revised", "changed": ["title"]},)
        assert [each.seq for each in store.log.changes(1, limit=2)] == [2, 3]
        assert list(store.log.changes(4, limit=10)) == []


def test_the_log_goes_on_after_a_restart(reopen: OpenStore) -> None:
    for expected in range(1, 5):
        with reopen() as store:
            save(store, replace(LAMP, id=f"p{expected}", sku=None, slug=None).created())
            assert store.log.seq == expected

    with reopen() as store:
        assert [each.id for each in store.log.changes(0, limit=9)] == ["p1", "p2", "p3", "p4"]


def test_waiting_for_a_change(store: Store) -> None:
    assert not store.log.wait(0, timeout_s=0.001)

    with store.write() as uow:
        waiter = threading.Thread(target=lambda: seen.append(store.log.wait(0, timeout_s=30)))
        seen: list[bool] = []
        waiter.start()
        uow.products.save(LAMP.created())
        uow.commit()
    waiter.join()

    assert seen == [True]
    assert store.log.wait(0, timeout_s=0)


def test_history_tells_the_versions_of_one_product_newest_first(reopen: OpenStore) -> None:
    with reopen() as store:
        save(store, LAMP.created())
        save(store, replace(LAMP, id="rug", sku=None, slug="rug").created())
        with store.write() as uow:
            uow.categories.save(Category(id="lamp", name="A category of the same id"))
            uow.commit()
        revise(store, "lamp", title="Lamp")
        revise(store, "lamp", description='"id":"lamp","version":')
        remove(store, "lamp")

    with reopen() as store:
        told = list(store.log.history("lamp"))
        assert [(each.seq, each.version, each.body is None) for each in told] == [
            (6, 3, True),
            (5, 3, False),
            (4, 2, False),
            (1, 1, False),
        ]
        assert [each.seq for each in store.log.history("lamp", before=5)] == [4, 1]
        assert list(store.log.history("lamp", before=0)) == []
        assert list(store.log.history("lam")) == []
        assert store.log.oldest == 1


def test_history_tells_many_versions_of_one_commit(store: Store) -> None:
    with store.write() as uow:
        for title in ("A", "B"):
            uow.products.save(replace(LAMP, id=title, title=title, sku=None, slug=None).created())
        uow.commit()

    assert [each.seq for each in store.log.history("A")] == [1]
    assert [each.seq for each in store.log.history("B")] == [2]
