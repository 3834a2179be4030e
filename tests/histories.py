"""Clients of a running service who write down what they did and saw.

Each client is a thread with one connection and one pseudo-random plan. What it did is kept as
:class:`~tests.linearizability.Operation`, in nanoseconds of one monotonic clock, so that the history
of all clients together can be checked. A list is one operation for each product that it could have
shown: so a list that misses a write acknowledged before it was asked for is found out, too.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from random import Random
from threading import Event, Thread
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

from tests.linearizability import (
    FIELDS,
    Action,
    Create,
    Delete,
    Find,
    Operation,
    Patch,
    Put,
    Read,
    Shown,
    Told,
)

TIMEOUT_S: Final = 60
NEVER: Final = 2**63
BRANDS: Final = ("Aldo", "Bruno", "Carla", "Dora")
PRODUCTS: Final = tuple(f"p-{number:02}" for number in range(16))
LIST_LIMIT: Final = 200

type Document = Mapping[str, Any]


class Wrong(AssertionError):
    """The service answered what it must never answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    tag: str | None
    document: Any
    retry_after: str | None = None


@dataclass(slots=True)
class Client:
    """A client and what it did.

    Attributes:
        name: Who it is.
        port: Where the service is, on 127.0.0.1.
        random: Its plan.
        writes, reads: What it does.
        searches: It may use ``q=``.
        goes_on: When its connection breaks it makes another one, because there are other workers.
            These may bring what one of them had begun into effect at any later time.
        operations: What it did, in order.
        words: Titles that it wrote, for it to search for.
        tags: The last entity tag that it saw of each product.
    """

    name: str
    port: int
    random: Random
    writes: bool = True
    reads: bool = True
    searches: bool = False
    goes_on: bool = False
    operations: list[Operation] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    _connection: HTTPConnection | None = None
    _written: int = 0

    def run(self, stop: Event) -> None:
        """Do one thing after another until told to stop, or until the connection breaks."""
        while not stop.is_set():
            try:
                if self.writes and (not self.reads or self.random.random() < 0.5):
                    self._do(self.random.choice(PRODUCTS), self._some_write())
                else:
                    self._read()
            except (OSError, HTTPException):
                # Killed. What was under way is in the history.
                self.close()
                if not self.goes_on:
                    return
        self.close()

    def look(self, products: Sequence[str] = PRODUCTS) -> list[Operation]:
        """Read all these products once, and return what was seen."""
        self._read_ids(products)
        self.close()
        return self.operations

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _some_write(self) -> Action:
        random = self.random
        tag = random.choice([None, None, "known"])
        kind = random.choice(["create", "put", "patch", "patch", "patch", "patch", "delete"])
        match kind:
            case "create":
                return Create(self._fields())
            case "put":
                return Put(self._fields(), match=tag, absent=tag is None and random.random() < 0.5)
            case "patch":
                return Patch(self._some_fields(), match=tag)
            case _:
                return Delete(match=tag)

    def _fields(self) -> dict[str, str | int | None]:
        return {"title": self._word(), **self._some_fields()}

    def _some_fields(self) -> dict[str, str | int | None]:
        random = self.random
        match random.choice(["title", "brand", "brand", "mpn", "quantity"]):
            case "title":
                return {"title": self._word()}
            case "brand":
                return {"brand": random.choice([*BRANDS, None])}
            case "mpn":
                return {"mpn": random.choice(["m1", "m2", None])}
            case _:
                return {"quantity": random.randrange(3)}

    def _word(self) -> str:
        """Return a title that nobody else uses."""
        self._written += 1
        word = f"{self.name}x{self._written}"
        self.words.append(word)
        return word

    def _do(self, product: str, action: Action) -> None:
        if isinstance(action, Put | Patch | Delete) and action.match:
            known = self.tags.get(product, "1-00000000")
            action = type(action)(**{**_members(action), "match": known})
        called = time.monotonic_ns()
        try:
            answer = self._request(*_request(product, action))
        except ConnectionRefusedError:
            raise  # It was not even sent.
        except (OSError, HTTPException) as error:
            if isinstance(error, TimeoutError):
                raise Wrong(f"{action} of {product} was not answered in {TIMEOUT_S} s") from error
            self._note(product, action, called, None)
            raise
        outcome = _outcome(action, answer)
        if isinstance(outcome, Shown) and outcome.tag:
            self.tags[product] = outcome.tag
        self._note(product, action, called, outcome)

    def _read(self) -> None:
        match self.random.choice(["one"] * 6 + ["ids", "brand", "search"]):
            case "ids":
                self._read_ids(self.random.sample(PRODUCTS, 5))
            case "brand":
                self._list("brand", self.random.choice(BRANDS))
            case "search" if self.searches and self.words:
                self._list("title", self.random.choice(self.words[-5:]))
            case _:
                self._do(self.random.choice(PRODUCTS), Read())

    def _read_ids(self, products: Sequence[str]) -> None:
        called = time.monotonic_ns()
        answer = self._request("GET", f"/v1/products?ids={','.join(products)}")
        _expect(answer, 200)
        shown = _by_id(answer.document["items"])
        if sorted([*shown, *answer.document["missing"]]) != sorted(products):
            raise Wrong(f"asked for {products}, got {answer.document}")
        for product in products:
            document = shown.get(product)
            self._note(product, Read(), called, _shown(document) if document else Told(404))

    def _list(self, name: str, value: str) -> None:
        parameter = "q" if name == "title" else name
        query = urlencode({parameter: value, "limit": LIST_LIMIT})
        called = time.monotonic_ns()
        answer = self._request("GET", f"/v1/products?{query}")
        _expect(answer, 200)
        shown = _by_id(answer.document["items"])
        for product in PRODUCTS:
            document = shown.get(product)
            outcome = _shown(document) if document else Told(404)
            self._note(product, Find(name, value), called, outcome)

    def _note(
        self, product: str, action: Action, called: int, outcome: Shown | Told | None
    ) -> None:
        """Write down what was done; a write whose answer is lost may still come into effect."""
        if outcome is None and isinstance(action, Read):
            return
        returned = NEVER if outcome is None and self.goes_on else time.monotonic_ns()
        self.operations.append(Operation(self.name, product, action, called, returned, outcome))

    def _request(
        self,
        method: str,
        path: str,
        document: Document | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        if self._connection is None:
            self._connection = HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        body = None if document is None else json.dumps(document)
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        self._connection.request(
            method,
            path,
            body,
            {"Content-Type": kind, "Accept-Encoding": "identity"} | (headers or {}),
        )
        response = self._connection.getresponse()
        data = response.read()
        tag = response.headers.get("ETag")
        return Answer(
            response.status,
            tag.strip('"') if tag else None,
            json.loads(data) if data else None,
            response.headers.get("Retry-After"),
        )


class Clients:
    """Several clients at work; a context manager that waits for them at its end."""

    def __init__(self, clients: Iterable[Client]) -> None:
        self.clients = list(clients)
        self._stop = Event()
        self._failures: list[Exception] = []
        self._threads = [Thread(target=self._run, args=(each,)) for each in self.clients]

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self._stop.set()
        for each in self._threads:
            each.join()
        if self._failures and exc is None:
            raise self._failures[0]

    @property
    def history(self) -> list[Operation]:
        """What all of them did."""
        return [each for client in self.clients for each in client.operations]

    def _run(self, client: Client) -> None:
        try:
            client.run(self._stop)
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            self._failures.append(error)
            self._stop.set()


def can_search(port: int) -> bool:
    """Say whether the service knows ``q=``."""
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    connection.request("GET", "/v1/products?q=nothing")
    status = connection.getresponse().status
    connection.close()
    return status == 200


def _members(action: Put | Patch | Delete) -> dict[str, Any]:
    return {name: getattr(action, name) for name in action.__dataclass_fields__}


def _request(
    product: str, action: Action
) -> tuple[str, str, Document | None, dict[str, str] | None]:
    path = f"/v1/products/{product}"
    match action:
        case Create(fields):
            return "POST", "/v1/products", {"id": product, **fields}, None
        case Put(fields, match, absent):
            return "PUT", path, fields, {"If-None-Match": "*"} if absent else _if_match(match)
        case Patch(fields, match):
            return "PATCH", path, fields, _if_match(match)
        case Delete(match):
            return "DELETE", path, None, _if_match(match)
        case Read():
            return "GET", path, None, None
        case Find():
            raise ValueError("a list is about many products")


def _if_match(tag: str | None) -> dict[str, str] | None:
    return None if tag is None else {"If-Match": f'"{tag}"'}


def _outcome(action: Action, answer: Answer) -> Shown | Told:
    if answer.status in {200, 201}:
        return _shown(answer.document, tag=answer.tag, created=answer.status == 201)
    if answer.status in {204, 404, 409, 412}:
        return Told(answer.status)
    code = answer.document["code"]
    if answer.status == 503 and code in {"store_read_only", "store_busy"} and answer.retry_after:
        return Told(503)
    raise Wrong(f"{action} was answered {answer.status}: {answer.document}")


def _shown(document: Document, *, tag: str | None = None, created: bool = False) -> Shown:
    fields = {name: document[name] for name in FIELDS}
    return Shown(document["version"], fields, tag=tag, created=created)


def _by_id(items: Sequence[Document]) -> dict[str, Document]:
    return {each["id"]: each for each in items}


def _expect(answer: Answer, status: int) -> None:
    if answer.status != status:
        raise Wrong(f"answered {answer.status}: {answer.document}")
