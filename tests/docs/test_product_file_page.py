"""The page about the product file is complete: names, units and problem codes of the code."""

import re
from pathlib import Path

import vitrina.adapters.product_file as package
from vitrina.adapters.product_file.headers import SYNONYMS, fold_name
from vitrina.adapters.product_file.units import UNITS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "product-file.md").read_text("utf-8")
CODE = re.compile(
    r"(?:UnreadableCell|DoubtfulCell|UnreadableFile|JsonFault|FileProblem|Finding|refuse|_note|_find)"
    r"\((?:[^\"()]|\([^()]*\))*\"([a-z][a-z_]+[a-z])\""
)


def test_the_table_has_every_name_of_every_field_in_order() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", PAGE, re.MULTILINE)
    documented = {field: [fold_name(name) for name in names.split(",")] for field, names in rows}
    for field, names in SYNONYMS.items():
        assert documented[field] == list(names), field


def test_every_unit_is_listed() -> None:
    listed = re.search(r"The units are\s+`([^`]+)`", PAGE)
    assert listed is not None
    assert set(listed[1].split()) == UNITS


def test_every_code_is_explained() -> None:
    folder = Path(str(package.__file__)).parent
    sources = [
        path.read_text("utf-8") for path in folder.glob("*.py") if path.stem != "categories_file"
    ]
    codes = {code for source in sources for code in CODE.findall(source)}
    assert len(codes) > 25
    assert not {code for code in codes if f"`{code}`" not in PAGE}
