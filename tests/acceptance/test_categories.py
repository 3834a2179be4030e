import httpx2
from pytest_bdd import parsers, scenarios, then, when

from tests.acceptance.shop import CATEGORIES, Shop, items
from tests.acceptance.words import Datatable, Document

scenarios("categories.feature")


@when(
    parsers.parse("the merchant puts the category {category} below {parent}"),
    target_fixture="answer",
)
def merchant_puts_below(shop: Shop, category: str, parent: str) -> httpx2.Response:
    return shop.put_category(category, category.title(), parent)


@when(
    parsers.parse('the merchant renames the category {category} to "{name}"'),
    target_fixture="answer",
)
def merchant_renames(shop: Shop, category: str, name: str) -> httpx2.Response:
    return shop.client.patch(f"{CATEGORIES}/{category}", json={"name": name})


@when(
    parsers.parse("the merchant moves the category {category} below {parent}"),
    target_fixture="answer",
)
def merchant_moves(shop: Shop, category: str, parent: str) -> httpx2.Response:
    return shop.client.patch(f"{CATEGORIES}/{category}", json={"parent_id": parent})


@when(parsers.parse("the merchant makes the category {category} a root"), target_fixture="answer")
def merchant_makes_root(shop: Shop, category: str) -> httpx2.Response:
    return shop.client.patch(f"{CATEGORIES}/{category}", json={"parent_id": None})


@when(parsers.parse("the merchant deletes the category {category}"), target_fixture="answer")
def merchant_deletes(shop: Shop, category: str) -> httpx2.Response:
    return shop.client.delete(f"{CATEGORIES}/{category}")


@when("a client asks for the tree of categories", target_fixture="answer")
def client_asks_for_tree(shop: Shop) -> httpx2.Response:
    return shop.client.get(CATEGORIES, params={"tree": "true"})


@then("the tree is")
def tree_is(answer: httpx2.Response, datatable: Datatable) -> None:
    lines: list[tuple[str, str]] = []

    def walk(category: Document, level: int) -> None:
        lines.append((str(level), str(category["id"])))
        children = category["children"]
        assert isinstance(children, list)
        for child in children:
            assert isinstance(child, dict)
            walk(child, level + 1)

    for root in items(answer.json()):
        walk(root, 1)
    assert lines == [(row[0], row[1]) for row in datatable[1:]]


@then(parsers.parse("there is no category {category}"))
def there_is_no_category(shop: Shop, category: str) -> None:
    assert shop.client.get(f"{CATEGORIES}/{category}").status_code == httpx2.codes.NOT_FOUND
    assert category not in [each["id"] for each in shop.categories()]
