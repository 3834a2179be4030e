"""The OpenAPI document: valid, complete, and true of what the service does."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.builders import FULL, LAMP
from tests.integration.http_service import application, calling
from vitrina.domain.category import Category
from vitrina.domain.errors import InvalidDocument
from vitrina.entrypoints.http import examples
from vitrina.entrypoints.http.openapi import components
from vitrina.entrypoints.http.problem_types import PROBLEM_TYPES
from vitrina.service_layer.document_reading import read_category, read_product
from vitrina.service_layer.documents import (
    CATEGORY_FIELDS,
    PRODUCT_FIELDS,
    READ_ONLY_FIELDS,
    Document,
    Json,
    write_category,
    write_product,
)
from vitrina.service_layer.query_string import parse_listing

METHODS: Final = ("get", "put", "post", "delete", "patch")
SCHEMAS: Final[dict[str, Any]] = components()["schemas"]


@pytest.fixture(scope="module")
def document() -> Iterator[dict[str, Any]]:
    with calling(application()) as client:
        answer = client.get("/openapi.json")
        assert answer.headers["Content-Type"] == "application/json"
        yield answer.json()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def _pattern(_: object, pattern: str, text: Any, __: object) -> Iterator[ValidationError]:
    """Match as ECMA-262 does, which JSON Schema asks for: ``$`` is the end, no line break before it."""
    if isinstance(text, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), text):
        yield ValidationError(f"{text!r} does not match {pattern!r}")


SchemaValidator: Final = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"pattern": _pattern}
)


def validator(name: str) -> Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    made: Draft202012Validator = SchemaValidator(schema)
    return made


def test_it_is_a_valid_openapi_3_1_document(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_schema_is_one(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    names = []
    for line, operation in operations(document):
        names.append(operation["operationId"])
        assert operation["tags"], line
        assert operation["summary"], line
        assert operation["description"], line
        for parameter in operation["parameters"]:
            assert parameter["description"], line
    assert len(names) == len(set(names))


def test_every_answer_has_a_request_id_and_every_error_is_a_problem(
    document: dict[str, Any],
) -> None:
    for line, operation in operations(document):
        assert {"406", "422", "500"} <= set(operation["responses"]), line
        for status, response in operation["responses"].items():
            assert "X-Request-Id" in response["headers"], (line, status)
            if int(status) >= 400 and "/readyz" not in line:
                (content,) = response["content"].items()
                media_type, body = content
                assert media_type == "application/problem+json", (line, status)
                assert body["schema"] == {"$ref": "#/components/schemas/Problem"}
                for code in body["examples"]:
                    assert PROBLEM_TYPES[code].status == int(status)


def test_operations_with_a_body_tell_what_can_be_wrong_with_it(document: dict[str, Any]) -> None:
    for line, operation in operations(document):
        if "requestBody" in operation:
            assert {"400", "408", "413", "415", "503"} <= set(operation["responses"]), line
            assert operation["requestBody"]["required"]


def test_nothing_of_the_framework_shows(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in json.dumps(document)


def test_links_name_operations_that_exist(document: dict[str, Any]) -> None:
    names = {operation["operationId"] for _, operation in operations(document)}
    linked = [
        link["operationId"]
        for _, operation in operations(document)
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]

    assert linked
    assert set(linked) <= names


def test_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    def check(content: dict[str, Any]) -> int:
        checked = 0
        for body in content.values():
            shown = [body["example"]] if body.get("example") is not None else []
            shown += [each["value"] for each in body.get("examples", {}).values()]
            schema = {**body["schema"], "components": {"schemas": schemas}}
            for sample in shown:
                Draft202012Validator(schema).validate(sample)
                checked += 1
        return checked

    checked = 0
    for _, operation in operations(document):
        checked += check(operation.get("requestBody", {}).get("content", {}))
        for response in operation["responses"].values():
            checked += check(response.get("content", {}))
    assert checked > 100


def test_the_listed_parameters_are_the_known_ones(document: dict[str, Any]) -> None:
    listed = document["paths"]["/v1/products"]["get"]["parameters"]
    pairs = [
        (each["name"], example)
        for each in listed
        if each["in"] == "query"
        for example in _examples(each)
        if each["name"] not in {"ids", "attributes", "facet_query"}
    ]

    for place in range(0, len(pairs), 20):
        assert parse_listing(pairs[place : place + 20]).query.filters
    assert parse_listing([("attributes.color", "beige")]).query.filters
    assert parse_listing([("ids", "a,b")]).ids == ("a", "b")
    assert parse_listing([("facets", "brand"), ("facet_query", "brand:son")]).query.facets


def _examples(parameter: dict[str, Any]) -> list[str]:
    example = parameter.get("example")
    if isinstance(example, list):
        return example
    if example is not None:
        return [str(example)]
    schema = parameter["schema"]
    return [str(schema.get("enum", [schema.get("default", "x")])[0])]


class TestSchemasAgreeWithTheDocuments:
    """The schemas and :mod:`vitrina.service_layer.documents` say the same."""

    def test_fields(self) -> None:
        assert tuple(SCHEMAS["Product"]["properties"]) == PRODUCT_FIELDS
        assert set(SCHEMAS["Product"]["required"]) == set(PRODUCT_FIELDS)
        assert tuple(SCHEMAS["ProductInput"]["properties"]) == PRODUCT_FIELDS
        assert tuple(SCHEMAS["Category"]["properties"]) == CATEGORY_FIELDS
        assert set(SCHEMAS["CategoryInput"]["properties"]) == set(CATEGORY_FIELDS)
        read_only = {
            name
            for name, schema in SCHEMAS["ProductInput"]["properties"].items()
            if schema.get("readOnly")
        }
        assert read_only == READ_ONLY_FIELDS

    @pytest.mark.parametrize("product", [LAMP, FULL], ids=["few fields", "every field"])
    def test_what_is_written_is_a_product(self, product: Any) -> None:
        written = write_product(product) | {
            "created_at": "2026-01-31T12:00:00.000000Z",
            "updated_at": "2026-01-31T12:00:00.000000Z",
            "version": 3,
        }

        validator("Product").validate(written)
        validator("ProductInput").validate(written)
        validator("ProductView").validate({"id": "x"})

    def test_what_is_written_is_a_category(self) -> None:
        category = Category(id="a", name="A", version=1)
        written = write_category(category, path=["A"], product_count=2)

        validator("Category").validate(written)
        validator("CategoryInput").validate(written)

    def test_the_example_is_read(self) -> None:
        assert read_product(examples.PRODUCT_INPUT).id == examples.PRODUCT["id"]
        validator("ProductInput").validate(examples.PRODUCT_INPUT)

    @pytest.mark.parametrize(
        "change",
        [
            {"title": None},
            {"title": ""},
            {"title": " "},
            {"title": "x" * 501},
            {"title": "a\x00b"},
            {"title": 7},
            {"unknown": 1},
            {"id": "a b"},
            {"id": "x" * 129},
            {"id": "."},
            {"id": ".."},
            {"sku": ""},
            {"sku": " x"},
            {"sku": "a\nb"},
            {"slug": "Up"},
            {"slug": "a--b"},
            {"status": "gone"},
            {"condition": "NEW"},
            {"price": "12"},
            {"price": {"amount": "1"}},
            {"price": {"amount": "01", "currency": "EUR"}},
            {"price": {"amount": "-1", "currency": "EUR"}},
            {"price": {"amount": "1", "currency": "eur"}},
            {"price": {"amount": "1", "currency": "EUR", "tax": 1}},
            {"quantity": -1},
            {"quantity": 1.5},
            {"quantity": "1"},
            {"quantity": True},
            {"gtin": "123"},
            {"images": {}},
            {"images": [{"alt": "x"}]},
            {"images": [{"url": "ftp://x"}]},
            {"images": [{"url": "https://x", "size": 1}]},
            {"images": [{"url": "https://x"}] * 101},
            {"attributes": []},
            {"attributes": {"": 1}},
            {"attributes": {" a": 1}},
            {"attributes": {"a": {"value": 1}}},
            {"attributes": {"a": {"value": "1", "unit": "m"}}},
            {"attributes": {"a": [1]}},
            {"attributes": {"a": "x" * 4097}},
            {"attributes": {str(number): 1 for number in range(201)}},
            {"tags": ["x"] * 101},
            {"tags": [""]},
            {"tags": "x"},
            {"rating": {"average": 6, "count": 1}},
            {"rating": {"average": 4}},
            {"url": "shop.example"},
            {"created_at": "yesterday"},
            {"version": "1"},
        ],
        ids=str,
    )
    def test_both_refuse(self, change: Document) -> None:
        body = {**examples.PRODUCT_INPUT, **change}

        assert not validator("ProductInput").is_valid(body)
        with pytest.raises(InvalidDocument):
            read_product(body, product_id=None if "id" in change else str(body["id"]))

    @pytest.mark.parametrize(
        "change",
        [
            {name: None for name in PRODUCT_FIELDS if name not in {"id", "title"}},
            {"price": {"amount": 12.5, "currency": "EUR"}, "list_price": None},
            {"price": {"amount": 12, "currency": "JPY"}, "list_price": None},
            {"quantity": 5.0},
            {"slug": "läsk-🛋".replace("🛋", "9")},
            {"attributes": {"a": None, "b": [], "c": "", "d": -1.5, "e": True}},
            {"images": [{"url": "HTTP://x", "alt": None}]},
            {"tags": []},
            {"description": "two\r\n\tlines"},
            {"rating": {"average": 0, "count": 0}},
        ],
        ids=str,
    )
    def test_both_accept(self, change: Document) -> None:
        body = {**examples.PRODUCT_INPUT, **change}

        validator("ProductInput").validate(body)
        read_product(body)


# What a schema cannot say; see the docstring of the module of schemas.
BEYOND_SCHEMAS: Final = frozenset(
    {
        "currency_mismatch",
        "duplicate_attribute",
        "invalid_attribute_name",
        "invalid_gtin",
        "invalid_sku",
        "invalid_slug",
        "list_price_below_price",
        "number_out_of_range",
        "too_long",
        "too_many_digits",
        "invalid_amount",
    }
)


texts = st.text(max_size=6)
numbers = st.integers(-5, 10**17) | st.floats(allow_nan=False, allow_infinity=False)
money = st.fixed_dictionaries(
    {
        "amount": st.from_regex(r"\A[0-9]{1,3}(\.[0-9]{1,3})?\Z") | numbers,
        "currency": st.sampled_from(["EUR", "JPY", "KWD", "EURO"]),
    }
)
attribute_values = (
    st.none()
    | st.booleans()
    | texts
    | numbers
    | st.lists(texts, max_size=2)
    | st.fixed_dictionaries({"value": numbers, "unit": texts})
)
products = st.fixed_dictionaries(
    {"title": texts},
    optional={
        "sku": st.none() | texts,
        "slug": st.none() | texts,
        "description": texts,
        "status": st.sampled_from(["draft", "active", "sold", None]),
        "brand": texts,
        "category_id": texts,
        "price": st.none() | money,
        "list_price": st.none() | money,
        "quantity": st.none() | numbers | st.booleans(),
        "gtin": st.from_regex(r"\A[0-9]{8}\Z") | texts,
        "mpn": texts,
        "images": st.lists(
            st.fixed_dictionaries(
                {"url": texts.map("https://".__add__)}, optional={"alt": st.none() | texts}
            ),
            max_size=2,
        ),
        "attributes": st.dictionaries(texts, attribute_values, max_size=3),
        "tags": st.none() | st.lists(texts, max_size=3),
        "rating": st.none() | st.fixed_dictionaries({"average": numbers, "count": numbers}),
        "url": texts.map("http://".__add__),
    },
)


@given(products)
@example({"title": "Lamp", "attributes": {"": None}})
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_reader_and_schema_agree_on_any_product(body: dict[str, Json]) -> None:
    faults = {each.code for each in _faults(body)}

    if validator("ProductInput").is_valid(_without_unset_attributes(body)):
        assert faults <= BEYOND_SCHEMAS
    else:
        assert faults


def _without_unset_attributes(body: dict[str, Json]) -> dict[str, Json]:
    """What is null is not there, whatever its name: a schema cannot say that of names that are free."""
    attributes = body.get("attributes")
    if not isinstance(attributes, dict):
        return body
    return body | {
        "attributes": {name: each for name, each in attributes.items() if each is not None}
    }


def _faults(body: dict[str, Json]) -> tuple[Any, ...]:
    try:
        read_product(body, product_id="x")
    except InvalidDocument as error:
        return error.faults
    return ()


@given(st.fixed_dictionaries({"name": texts}, optional={"parent_id": st.none() | texts}))
def test_reader_and_schema_agree_on_any_category(body: dict[str, Json]) -> None:
    try:
        read_category(body, category_id="x")
    except InvalidDocument as error:
        faults = {each.code for each in error.faults}
    else:
        faults = set()
    if validator("CategoryInput").is_valid(body):
        assert faults <= BEYOND_SCHEMAS
    elif "parent_id" not in body:
        assert faults
