"""Imports into a catalog that nobody else serves, and beside others that write."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.shops import shop_with
from vitrina.adapters.journal.marks import Marks
from vitrina.bootstrap import Catalog, import_file, open_catalog
from vitrina.service_layer.changes import Source
from vitrina.service_layer.file_edits import EDITS_PER_UNIT
from vitrina.service_layer.imports import (
    CannotImport,
    Imported,
    ImportMode,
    ImportRules,
    OnError,
    Progress,
)
from vitrina.service_layer.patches import MergePatch
from vitrina.service_layer.products import add_product, revise_product
from vitrina.settings import Settings

SETTINGS = Settings.load(file_delay_s=0.0, currency="EUR")
OWN = "id,sku,title,price,quantity,brand\nLAMP-1,L-1,Desk lamp,129.90,12,Lumen\nRUG-1,R-1,Rug,89.00,5,\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return shop_with(tmp_path, OWN)


def load(
    shop: Path,
    text: str,
    *,
    name: str = "supplier.csv",
    mode: ImportMode = ImportMode.UPSERT,
    on_error: OnError = OnError.SKIP,
    dry_run: bool = False,
    file_format: str | None = None,
    currency: str | None = None,
    progress: Progress = lambda _done, _all: None,
) -> Imported:
    source = shop.parent / name
    source.write_text(text)
    rules = ImportRules(mode=mode, on_error=on_error, dry_run=dry_run)
    return import_file(
        source,
        shop,
        SETTINGS,
        rules,
        file_format=file_format,
        currency=currency,
        progress=progress,
    )


def counts(done: Imported) -> tuple[int, int, int, int, int]:
    return done.created, done.updated, done.unchanged, done.deleted, done.rejected


def codes(done: Imported) -> list[tuple[int, str]]:
    return [(each.line, each.code) for each in done.problems]


def served(shop: Path) -> dict[str, dict[str, Any]]:
    with open_catalog(shop, SETTINGS) as catalog:
        return products(catalog)


def products(catalog: Catalog) -> dict[str, dict[str, Any]]:
    return {each.id: orjson.loads(each.body) for each in catalog.view.snapshot()[1]}


def test_rows_make_and_change_products(shop: Path) -> None:
    done = load(
        shop,
        "sku;name;qty;vendor;color\nL-1;Desk lamp;11;;red\nR-1;Rug;5;;\nS-1;Sofa;1;Oslo;blue\n",
    )

    assert counts(done) == (1, 1, 1, 0, 0)
    found = served(shop)
    lamp, sofa = found["LAMP-1"], found["S-1"]
    assert (lamp["quantity"], lamp["attributes"]) == (11, {"color": "red"})
    assert lamp["brand"] is None  # The cell is empty.
    assert lamp["price"] == {"amount": "129.90", "currency": "EUR"}  # There is no such column.
    assert (sofa["title"], sofa["brand"], sofa["version"]) == ("Sofa", "Oslo", 1)
    assert found["RUG-1"]["version"] == 1
    assert "S-1" in (shop / "products.csv").read_text()


def test_what_it_does_is_told_as_an_import(shop: Path) -> None:
    with open_catalog(shop, SETTINGS) as catalog:
        before = catalog.log.seq
        load(shop, "id,title,category\nLAMP-1,Reading lamp,Home > Lamps\nNEW-1,New,Home\n")
        changes = catalog.log.changes(before, limit=100)
        (newest, *_) = catalog.log.history("LAMP-1")

        assert {each.source for each in changes} == {Source.IMPORT}
        assert sorted(each.type for each in changes) == [
            "category.created",
            "category.created",
            "product.created",
            "product.updated",
        ]
        assert newest.events[0]["changed"] == ["title", "category_id"]
        assert [each.id for each in catalog.view.categories()] == ["home", "home-lamps"]


def test_only_new_products(shop: Path) -> None:
    done = load(shop, "id,title\nRUG-1,Other\nLAMP-1,Other\nNEW-1,New\n", mode=ImportMode.CREATE)

    assert counts(done) == (1, 0, 0, 0, 2)
    assert codes(done) == [(2, "id_taken"), (3, "id_taken")]
    assert served(shop)["RUG-1"]["title"] == "Rug"


def test_the_file_and_nothing_else(shop: Path) -> None:
    done = load(shop, "id,title\nRUG-1,Rug\nNEW-1,New\n", mode=ImportMode.REPLACE_ALL)

    assert counts(done) == (1, 0, 1, 1, 0)
    assert set(served(shop)) == {"RUG-1", "NEW-1"}


def test_a_product_whose_row_is_wrong_is_not_deleted(shop: Path) -> None:
    done = load(shop, "id,title,price\nRUG-1,Rug,cheap\nNEW-1,New,1\n", mode=ImportMode.REPLACE_ALL)
    assert counts(done) == (1, 0, 0, 1, 1)
    assert set(served(shop)) == {"RUG-1", "NEW-1"}


def test_nothing_is_deleted_while_a_row_has_no_readable_id(shop: Path) -> None:
    done = load(shop, "id,title,price\nNEW-1,New,1\n,,5\n", mode=ImportMode.REPLACE_ALL)

    assert done.deleted == 0
    assert "deletion_withheld" in [each.code for each in done.problems]
    assert set(served(shop)) == {"LAMP-1", "RUG-1", "NEW-1"}


def test_a_file_without_products_deletes_nothing(shop: Path) -> None:
    with pytest.raises(CannotImport, match="would delete every product"):
        load(shop, "id,title\n", mode=ImportMode.REPLACE_ALL)
    assert len(served(shop)) == 2


def test_wrong_rows_are_left_out_and_told(shop: Path) -> None:
    done = load(
        shop,
        "id,sku,title,price\nA,,A,1\nB,,B,cheap\nC,R-1,C,3\nD,,D,4\nE,,E,5\n".replace(
            "D,,D", "D,,"
        ),
    )
    assert counts(done) == (2, 0, 0, 0, 3)
    assert codes(done) == [(3, "invalid_amount"), (4, "sku_taken"), (5, "required")]
    assert [(each.column, each.header) for each in done.problems] == [
        (4, "price"),
        (2, "sku"),
        (3, "title"),
    ]
    assert set(served(shop)) == {"LAMP-1", "RUG-1", "A", "E"}


def test_a_wrong_row_stops_it_before_it_begins(shop: Path) -> None:
    done = load(shop, "id,title,price\nA,A,1\nB,B,cheap\n", on_error=OnError.STOP)

    assert counts(done) == (0, 0, 0, 0, 1)
    assert done.stopped == "1 row is wrong, so nothing was imported"
    assert len(served(shop)) == 2


def many(number: int, wrong: int = -1, **cells: str) -> str:
    """Return a file of new products, one of which has other cells."""
    usual = {"sku": "", "category_id": ""}
    rows = [{**usual, **(cells if each == wrong else {})} for each in range(number)]
    lines = [f"N-{at},New,{row['sku']},{row['category_id']}" for at, row in enumerate(rows)]
    return "\n".join(("id,title,sku,category_id", *lines, ""))


def test_what_only_the_catalog_can_refuse_stops_it_at_the_unit_of_work(shop: Path) -> None:
    wrong = EDITS_PER_UNIT + 7
    text = many(3 * EDITS_PER_UNIT, wrong, category_id="nowhere")
    done = load(shop, text, on_error=OnError.STOP)

    assert done.stopped == "the catalog refused a row; what was committed before it stays"
    assert codes(done) == [(wrong + 2, "unknown_category")]
    assert counts(done) == (EDITS_PER_UNIT, 0, 0, 0, 1)
    assert len(served(shop)) == 2 + EDITS_PER_UNIT


def test_what_may_come_free_is_waited_for_before_it_stops(shop: Path) -> None:
    text = many(2 * EDITS_PER_UNIT, 3, sku="R-1")
    done = load(shop, text, on_error=OnError.STOP)

    assert done.stopped is not None
    assert codes(done) == [(5, "sku_taken")]
    assert counts(done) == (2 * EDITS_PER_UNIT - 1, 0, 0, 0, 1)


def test_a_product_has_one_row(shop: Path) -> None:
    """One by its id and one by its SKU: the id goes before."""
    text = '{"id": "LAMP-1", "title": "A"}\n{"sku": "L-1", "title": "B"}\n'
    done = load(shop, text, name="new.jsonl")

    assert counts(done) == (0, 1, 0, 0, 1)
    assert codes(done) == [(2, "sku_taken")]
    assert served(shop)["LAMP-1"]["title"] == "A"


FILES = [
    "id,title\nLAMP-1,Desk lamp\nRUG-1,Silk rug\nNEW-1,New\n",
    "id,sku,title\nLAMP-1,R-1,Desk lamp\nRUG-1,L-1,Rug\n",  # They exchange their SKUs.
    "id,sku,title\nRUG-1,L-1,Rug\nLAMP-1,X-1,Desk lamp\n",  # One after the other.
    "id,sku,title,price\nNEW-1,L-1,Taken,1\nNEW-2,N-2,New,1 XYZ\nNEW-3,N-3,New,3\n",
    "id,title,category_id\nNEW-1,New,nowhere\n",
    "id,title,category\nNEW-1,New,Home > Lamps\nLAMP-1,Desk lamp,Home\n",
    "id,title,_version\nLAMP-1,Lamp,1\nRUG-1,Other,7\n",
]


@pytest.mark.parametrize("text", FILES)
@pytest.mark.parametrize("mode", ImportMode)
def test_a_dry_run_says_what_would_be_and_changes_nothing(
    shop: Path, text: str, mode: ImportMode
) -> None:
    before = served(shop)
    told = load(shop, text, mode=mode, dry_run=True)
    assert served(shop) == before
    assert (shop / "products.csv").read_text() == OWN

    done = load(shop, text, mode=mode)
    assert counts(told) == counts(done)
    assert codes(told) == codes(done)
    assert told.categories == done.categories


def test_a_row_with_an_old_version_is_rejected(shop: Path) -> None:
    done = load(shop, FILES[-1])
    assert counts(done) == (0, 1, 0, 0, 1)
    assert codes(done) == [(3, "stale_version")]
    assert served(shop)["RUG-1"]["title"] == "Rug"


@pytest.mark.parametrize(
    ("name", "text", "file_format"),
    [
        ("new.csv", "id\ttitle\nNEW-1\tNew\n", None),
        ("new.json", '[{"id": "NEW-1", "title": "New"}]', None),
        ("new.jsonl", '{"id": "NEW-1", "title": "New"}\n', None),
        ("new", '[{"id": "NEW-1", "title": "New"}]', None),
        ("new.txt", '{"id": "NEW-1", "title": "New"}\n', "jsonl"),
        ("new.json", "id,title\nNEW-1,New\n", "csv"),
    ],
)
def test_the_formats(shop: Path, name: str, text: str, file_format: str | None) -> None:
    done = load(shop, text, name=name, file_format=file_format)
    assert counts(done) == (1, 0, 0, 0, 0)
    assert served(shop)["NEW-1"]["title"] == "New"


def test_prices_without_a_currency(shop: Path) -> None:
    done = load(shop, "id,title,price\nNEW-1,New,5\n", currency="BRL")

    assert done.understood.currency == "BRL"
    found = served(shop)
    assert found["NEW-1"]["price"]["currency"] == "BRL"
    assert found["RUG-1"]["price"]["currency"] == "EUR"


def test_what_cannot_be_imported(shop: Path) -> None:
    with pytest.raises(CannotImport, match=r"line 1, column 9"):
        load(shop, '[{"id": ', name="new.json")
    with pytest.raises(CannotImport, match="is the catalog's own product file"):
        import_file(shop / "products.csv", shop, SETTINGS, ImportRules(), progress=lambda *_: None)
    with pytest.raises(CannotImport, match="No such file"):
        import_file(shop / "none.csv", shop, SETTINGS, ImportRules(), progress=lambda *_: None)
    assert len(served(shop)) == 2


def test_what_others_change_meanwhile_is_compared_anew(shop: Path) -> None:
    with open_catalog(shop, SETTINGS) as catalog:
        once = iter([True])

        def meanwhile(_done: int, _all: int) -> None:
            if next(once, False):
                uow = catalog.unit_of_work()
                revise_product(uow, "LAMP-1", MergePatch({"brand": "Other", "quantity": 1}))
                add_product(catalog.unit_of_work(), {"id": "NEW-1", "title": "Theirs", "mpn": "M"})

        done = load(shop, "id,title,quantity\nLAMP-1,Lamp,9\nNEW-1,Ours,3\n", progress=meanwhile)
        assert counts(done) == (0, 2, 0, 0, 0)
        found = products(catalog)
        assert (found["LAMP-1"]["brand"], found["LAMP-1"]["quantity"]) == ("Other", 9)
        assert (found["NEW-1"]["title"], found["NEW-1"]["mpn"]) == ("Ours", "M")


def test_what_was_committed_is_told_when_the_store_gives_way(shop: Path) -> None:
    def give_way(done: int, _all: int) -> None:
        if done == EDITS_PER_UNIT:
            marks = Marks(shop / ".vitrina" / "run" / "marks")
            marks.fail("the disk is gone")
            marks.close()

    with open_catalog(shop, SETTINGS):
        done = load(shop, many(3 * EDITS_PER_UNIT), progress=give_way)
    assert done.stopped is not None
    assert "the disk is gone" in done.stopped
    assert counts(done) == (EDITS_PER_UNIT, 0, 0, 0, 0)
    assert len(served(shop)) == 2 + EDITS_PER_UNIT


def test_what_was_committed_is_told_when_the_store_cannot_be_read(shop: Path) -> None:
    with open_catalog(shop, SETTINGS):
        pass  # What is there now is looked up in the snapshot of its end.
    with open_catalog(shop, SETTINGS):
        (snapshot,) = (shop / ".vitrina").glob("snapshot-*.jsonl")
        data = snapshot.read_bytes()
        snapshot.write_bytes(data.replace(b"Lumen", b"Lunen"))
        done = load(shop, "id,title\nNEW-1,New\nLAMP-1,Lamp\n")
    assert done.stopped is not None
    assert "is not what was written" in done.stopped


def test_it_is_told_how_far_it_is(shop: Path) -> None:
    told: list[tuple[int, int]] = []
    load(shop, many(1_200), progress=lambda *now: told.append(now))
    assert told == [(0, 1_200), (500, 1_200), (1_000, 1_200), (1_200, 1_200)]
