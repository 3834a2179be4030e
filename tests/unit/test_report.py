"""What people are told of a product file."""

from vitrina.entrypoints.report import for_people
from vitrina.service_layer.opening import Understood


def told(*columns: tuple[str, str | None]) -> str:
    return for_people(Understood("products.csv", "csv", columns, 2, 0, None, ()))


def test_columns_are_told_with_what_they_give() -> None:
    report = told(("id", "id"), ("Name", "title"), ("version", None))

    assert "Columns: id, Name → title, version (not read)" in report


def test_columns_without_a_name_are_counted() -> None:
    assert "Columns: name → title, 3 without a name (not read)" in told(
        ("", None), ("name", "title"), ("", None), ("", None)
    )
