"""The catalog over HTTP, as steps use it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import quote

import httpx2

from tests.acceptance.words import Document, Json, Refusal

PRODUCTS: Final = "/v1/products"
CATEGORIES: Final = "/v1/categories"
MERGE_PATCH: Final = "application/merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"
EVERY_STATUS: Final = [("status", each) for each in ("draft", "active", "archived")]

type Parameters = Sequence[tuple[str, str]]


class Shop:
    """What merchants and shoppers do with a catalog, one request each."""

    def __init__(self, client: httpx2.Client) -> None:
        self.client = client

    def path(self, product_id: str) -> str:
        return f"{PRODUCTS}/{quote(product_id, safe='')}"

    def add(self, product: Json, **headers: str) -> httpx2.Response:
        return self.client.post(PRODUCTS, json=product, headers=headers)

    def read(self, product_id: str) -> Document:
        """Return a product that must exist."""
        answer = self.client.get(self.path(product_id))
        assert answer.status_code == httpx2.codes.OK, answer.text
        product: Document = answer.json()
        return product

    def has(self, product_id: str) -> bool:
        return self.client.get(self.path(product_id)).status_code == httpx2.codes.OK

    def merge(self, product_id: str, patch: Json, tag: str | None = None) -> httpx2.Response:
        headers = {"Content-Type": MERGE_PATCH} | ({"If-Match": tag} if tag else {})
        return self.client.patch(self.path(product_id), json=patch, headers=headers)

    def remove(self, product_id: str) -> httpx2.Response:
        return self.client.delete(self.path(product_id))

    def find(self, parameters: Parameters = ()) -> httpx2.Response:
        return self.client.get(PRODUCTS, params=list(parameters))

    def pages(self, parameters: Parameters = ()) -> Iterator[Document]:
        """Yield the answers from the first page to the last."""
        cursor: Parameters = ()
        while True:
            answer = self.find([*parameters, *cursor])
            assert answer.status_code == httpx2.codes.OK, answer.text
            page: Document = answer.json()
            yield page
            if page["next"] is None:
                return
            cursor = [("cursor", str(page["next"]))]

    def everything(self) -> dict[str, Document]:
        """Return all products of any status by their ids."""
        found: dict[str, Document] = {}
        for page in self.pages([("limit", "200"), *EVERY_STATUS]):
            for each in items(page):
                found[str(each["id"])] = each
        return found

    def categories(self) -> list[Document]:
        answer = self.client.get(CATEGORIES)
        assert answer.status_code == httpx2.codes.OK, answer.text
        return items(answer.json())

    def put_category(self, category_id: str, name: str, parent: str | None) -> httpx2.Response:
        body = {"name": name, "parent_id": parent}
        return self.client.put(f"{CATEGORIES}/{category_id}", json=body)

    def empty(self) -> None:
        """Remove all products and categories."""
        with ThreadPoolExecutor(8) as pool:
            for answer in pool.map(self.remove, self.everything()):
                assert answer.status_code == httpx2.codes.NO_CONTENT, answer.text
        deepest_first = sorted(self.categories(), key=lambda each: -len(_list(each["path"])))
        for category in deepest_first:
            self.client.delete(f"{CATEGORIES}/{category['id']}").raise_for_status()


def _list(value: Json) -> list[Json]:
    assert isinstance(value, list)
    return value


def items(page: Document) -> list[Document]:
    """Return the items of a list's answer."""
    found: list[Document] = []
    for each in _list(page["items"]):
        assert isinstance(each, dict)
        found.append(each)
    return found


def ids(answer: httpx2.Response) -> list[str]:
    """Return the ids in a list's answer, in order."""
    assert answer.status_code == httpx2.codes.OK, answer.text
    return [str(each["id"]) for each in items(answer.json())]


def check_refused(answer: httpx2.Response, expected: Refusal) -> None:
    """Check that *answer* is the problem that *expected* describes."""
    assert answer.headers["Content-Type"].startswith("application/problem+json"), answer.text
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (expected.status, expected.code), problem
    assert problem["status"] == expected.status
    if expected.parameter:
        assert expected.place in [each["parameter"] for each in problem["errors"]], problem
    elif expected.fault is not None:
        places = [(each["pointer"], each["code"]) for each in problem["errors"]]
        assert (expected.place, expected.fault) in places, problem
