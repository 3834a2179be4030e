"""The reference of the HTTP API, written at build time from the OpenAPI document of the code that is documented.

Writes ``docs/reference/http-api.md`` (not committed): the operations by tag with their parameters, bodies, answers and examples,
then the schemas.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from generated import code, page, table

from vitrina.bootstrap import Catalog
from vitrina.entrypoints.http.app import create_app

type Node = Mapping[str, Any]

_METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")
_LIMITS = {
    "minLength": "length ≥ {}",
    "maxLength": "length ≤ {}",
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minItems": "≥ {} entries",
    "maxItems": "≤ {} entries",
    "minProperties": "≥ {} members",
    "maxProperties": "≤ {} members",
    "pattern": "matches {}",
    "format": "{}",
}


def reference(document: Node) -> str:
    """Return the whole page."""
    info = document["info"]
    lines = [
        "# HTTP API",
        "",
        f"Of version {info['version']}. The same as an OpenAPI {document['openapi']} document: `vitrina openapi`, or",
        "`/openapi.json` of a running service, whose `/docs` lets you try it.",
        "",
        _prose(info.get("description", "")),
        "",
    ]
    operations = list(_operations(document))
    described = {tag["name"]: tag.get("description", "") for tag in document.get("tags", ())}
    tags = dict.fromkeys([*described, *(tag for tag, *_ in operations)])
    for tag in tags:
        lines += [f"## {tag[:1].upper()}{tag[1:]}", "", described.get(tag, ""), ""]
        for owner, path, method, operation in operations:
            if owner == tag:
                lines += _operation(document, path, method, operation)
    lines += ["## Schemas", ""]
    for name, schema in document["components"]["schemas"].items():
        lines += _schema(name, schema)
    return "\n".join(lines).rstrip() + "\n"


def _operations(document: Node) -> Iterator[tuple[str, str, str, Node]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                operation = item[method]
                shared = item.get("parameters", [])
                merged = {**operation, "parameters": [*shared, *operation.get("parameters", [])]}
                yield (operation.get("tags") or ["other"])[0], path, method, merged


def _operation(document: Node, path: str, method: str, operation: Node) -> Iterator[str]:
    yield from (f"### `{method.upper()} {path}`", "", f"**{operation['summary']}**", "")
    yield from (_prose(operation.get("description", "")), "")
    parameters = [_resolved(document, each) for each in operation["parameters"]]
    if parameters:
        yield from table(
            ("parameter", "in", "type", "meaning"),
            (
                (
                    f"`{each['name']}`" + (" (required)" if each.get("required") else ""),
                    each["in"],
                    _type(each["schema"]) + _limits(each["schema"]),
                    each.get("description", each["schema"].get("description", "")),
                )
                for each in parameters
            ),
        )
    if "requestBody" in operation:
        body = _resolved(document, operation["requestBody"])
        yield from ("Request body" + ("" if body.get("required") else " (optional)") + ":", "")
        yield from _contents(document, body["content"])
    yield from ("Answers:", "")
    answers = {status: _resolved(document, each) for status, each in operation["responses"].items()}
    yield from table(
        ("status", "when", "body", "headers"),
        (
            (
                status,
                each["description"],
                ", ".join(
                    f"`{media}`: {_type(c.get('schema', {}))}"
                    for media, c in each.get("content", {}).items()
                ),
                ", ".join(f"`{name}`" for name in each.get("headers", {})),
            )
            for status, each in answers.items()
        ),
    )
    for status, each in answers.items():
        if status.startswith("2"):
            yield from _examples(document, each.get("content", {}), f"Example of {status}")


def _contents(document: Node, content: Node) -> Iterator[str]:
    for media, each in content.items():
        yield f"- `{media}`: {_type(each.get('schema', {}))}"
    yield ""
    yield from _examples(document, content, "Example")


def _examples(document: Node, content: Node, title: str) -> Iterator[str]:
    for media, each in content.items():
        named = {
            name: _resolved(document, example) for name, example in each.get("examples", {}).items()
        }
        if "example" in each:
            named[""] = {"value": each["example"]}
        for example in named.values():
            caption = f"{title}, `{media}`" + (
                f": {example['summary']}" if "summary" in example else ""
            )
            value = example["value"]
            text = (
                value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
            )
            language = "text" if isinstance(value, str) else "json"
            yield from (f"{caption}", "", f"```{language}", text, "```", "")


def _schema(name: str, schema: Node) -> Iterator[str]:
    yield from (f"(schema-{name.lower()})=", f"### {name}", "", schema.get("description", ""), "")
    properties = schema.get("properties", {})
    if not properties:
        yield from (_type(schema) + _limits(schema), "")
        return
    required = schema.get("required", ())
    yield from table(
        ("field", "type", "meaning"),
        (
            (
                f"`{field}`" + (" (required)" if field in required else ""),
                _type(each) + _limits(each),
                each.get("description", "") + (" *Read-only.*" if each.get("readOnly") else ""),
            )
            for field, each in properties.items()
        ),
    )


def _type(schema: Any) -> str:  # noqa: C901, PLR0911 - one case for each form of a schema
    match schema:
        case bool():
            return "anything" if schema else "nothing"
        case {"$ref": str(ref)}:
            name = ref.rpartition("/")[2]
            return f"[{name}](#schema-{name.lower()})"
        case {"const": value}:
            return code(_json(value))
        case {"enum": [*values]}:
            return "one of " + ", ".join(code(_json(each)) for each in values)
        case {"anyOf": [*choices]} | {"oneOf": [*choices]}:
            return " or ".join(dict.fromkeys(_type(each) for each in choices))
        case {"allOf": [*parts]}:
            return " and ".join(_type(each) for each in parts)
        case {"type": "array"}:
            return "array of " + _inner(schema.get("items", True))
        case {"type": "object", "additionalProperties": {**values}} if values:
            return "object of " + _inner(values)
        case {"type": [*types]}:
            return " or ".join(types)
        case {"type": str(kind)}:
            return kind
        case {}:
            return "anything"


def _inner(schema: Any) -> str:
    text = _type(schema)
    return f"({text})" if " or " in text else text


def _limits(schema: Node) -> str:
    found = [
        text.format(code(part[key]) if key == "pattern" else part[key])
        for part in (schema, *schema.get("anyOf", ()))
        for key, text in _LIMITS.items()
        if key in part
    ]
    if (default := schema.get("default")) is not None:
        found.append("default " + code(_json(default)))
    return "".join(f", {each}" for each in found)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _prose(text: str) -> str:
    """Return a description without links into the running service, which a page of ours cannot follow."""
    return re.sub(r"\[([^\]]+)\]\(/[^)]*\)", r"`\1`", text)


def _open_nothing() -> AbstractContextManager[Catalog]:
    raise AssertionError("Describing the application opens no catalog.")


def _resolved(document: Node, node: Node) -> Node:
    if "$ref" not in node:
        return node
    found: Any = document
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


setup = page("http-api", lambda: reference(create_app(_open_nothing).openapi()))
