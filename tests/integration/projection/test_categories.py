"""The categories of a catalog and their file, edited on both sides."""

import json
import shutil
from pathlib import Path

import pytest

from tests.integration.projection.shop import Open, edit, get, put
from vitrina.bootstrap import open_catalog
from vitrina.service_layer import categories
from vitrina.service_layer.documents import Json
from vitrina.service_layer.opening import CannotOpen
from vitrina.settings import Settings


def test_categories_come_from_their_file(opened: Open, shop: Path) -> None:
    tree = [
        {"id": "desk", "name": "Desk", "parent_id": "lamps"},
        {"id": "lamps", "name": "Lamps"},
    ]
    (shop / "categories.json").write_text(json.dumps(tree))
    with opened() as catalog:
        assert catalog.view.categories().path("desk") == ("Lamps", "Desk")
    assert json.loads((shop / "categories.json").read_text()) == tree


def test_categories_of_the_api_are_written(opened: Open, shop: Path) -> None:
    with opened() as catalog:
        categories.put_category(catalog.unit_of_work(), "lamps", {"name": "Lamps"})
        put(catalog, "LAMP-1", category_id="lamps")
    assert json.loads((shop / "categories.json").read_text()) == [
        {"id": "lamps", "name": "Lamps", "parent_id": None}
    ]
    (shop / "categories.json").write_text(
        '[{"id": "lamps", "name": "Lights"}, {"id": "rugs", "name": "Rugs"}]'
    )
    with opened() as catalog:
        assert catalog.view.categories().path("lamps") == ("Lights",)
        assert len(catalog.view.categories()) == 2
        categories.put_category(catalog.unit_of_work(), "rugs", {"name": "Carpets"})
        (shop / "categories.json").unlink()
    assert [each["name"] for each in json.loads((shop / "categories.json").read_text())] == [
        "Carpets",
        "Lights",
    ]
    (shop / "categories.json").write_text('[{"id": "lamps", "name": "Lights"}]')
    with opened() as catalog:
        assert [each.id for each in catalog.view.categories()] == ["lamps"]


def test_a_category_in_use_is_not_taken_away(opened: Open, shop: Path) -> None:
    rug = '{"id": "rugs", "name": "Rugs"}'
    (shop / "categories.json").write_text(f'[{{"id": "lamps", "name": "Lamps"}}, {rug}]')
    with opened() as catalog:
        put(catalog, "LAMP-1", category_id="lamps")
    (shop / "categories.json").write_text(f"[{rug}]")

    with opened() as catalog:
        assert [each.id for each in catalog.view.categories()] == ["lamps", "rugs"]
        assert "lamps" in next(each.detail for each in catalog.checks() if each.detail)


def test_categories_changed_on_both_sides(opened: Open, shop: Path) -> None:
    (shop / "categories.json").write_text('[{"id": "a", "name": "A"}, {"id": "b", "name": "B"}]')
    with opened() as catalog:
        categories.put_category(catalog.unit_of_work(), "a", {"name": "A of the API"})
        categories.put_category(catalog.unit_of_work(), "b", {"name": "B of the API"})
        (shop / "categories.json").write_text('[{"id": "a", "name": "A of the file"}]')

    assert [each["name"] for each in json.loads((shop / "categories.json").read_text())] == [
        "A of the API",
        "B of the API",
    ]


def test_a_broken_categories_file(opened: Open, shop: Path) -> None:
    (shop / "categories.json").write_text('[\n{"id": "a", "name": "A"},\n{"id": "a"}]')
    with pytest.raises(CannotOpen, match=r"categories.json cannot be read: line 3"), opened():
        pass
    (shop / "categories.json").unlink()
    with opened():
        pass
    (shop / "categories.json").write_text("{}")
    with opened() as catalog:
        put(catalog, "LAMP-1", quantity=1)
        assert "categories.json" in next(each.detail for each in catalog.checks() if each.detail)
    assert (shop / "categories.json").read_text() == "{}"


def test_a_renamed_category_is_renamed_in_the_paths_of_rows(opened: Open, shop: Path) -> None:
    (shop / "products.csv").write_text(
        "id,title,category\nL-1,Lamp,Home > Lamps\nR-1,Rug,Home > Rugs\n"
    )
    with opened() as catalog:
        lamps = str(get(catalog, "L-1")["category_id"])
        assert catalog.view.categories().path(lamps) == ("Home", "Lamps")
        document: Json = {
            "name": "Lights",
            "parent_id": catalog.view.categories().get(lamps).parent_id,
        }
        categories.put_category(catalog.unit_of_work(), lamps, document)
    assert (shop / "products.csv").read_text() == (
        "id,title,category\nL-1,Lamp,Home > Lights\nR-1,Rug,Home > Rugs\n"
    )
    with opened() as catalog:
        assert get(catalog, "L-1")["category_id"] == lamps
        assert len(catalog.view.categories()) == 3


def test_a_crash_after_renaming_a_category(opened: Open, shop: Path, tmp_path: Path) -> None:
    (shop / "products.csv").write_text("id,title,category\nL-1,Lamp,Lamps\n")
    with opened() as catalog:
        categories.put_category(catalog.unit_of_work(), "lamps", {"name": "Lights"})
        shutil.copytree(shop, tmp_path / "crashed")

    with open_catalog(tmp_path / "crashed", Settings.load()) as catalog:
        assert [each.name for each in catalog.view.categories()] == ["Lights"]
    assert "L-1,Lamp,Lights" in (tmp_path / "crashed" / "products.csv").read_text()


def test_new_paths_in_an_edited_file_make_categories(opened: Open, shop: Path) -> None:
    (shop / "products.csv").write_text("id,title,category\nL-1,Lamp,Lamps\n")
    with opened():
        pass
    edit(shop, "L-1,Lamp,Lamps", "L-1,Lamp,Lamps > Desk")

    with opened() as catalog:
        category = str(get(catalog, "L-1")["category_id"])
        assert catalog.view.categories().path(category) == ("Lamps", "Desk")
