"""A request to the catalog: its query, its headers and its body, read strictly."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request

from vitrina.bootstrap import Catalog
from vitrina.domain.errors import Fault, InvalidQuery
from vitrina.entrypoints.http import strict_json
from vitrina.entrypoints.http.answers import Answers
from vitrina.entrypoints.http.exchange import exchange_of
from vitrina.entrypoints.http.options import HttpOptions
from vitrina.entrypoints.http.problems import Refusal
from vitrina.entrypoints.http.searches import Searches
from vitrina.entrypoints.http.write_line import WriteLine
from vitrina.service_layer.documents import Json

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"

PATCH_TYPES: Final = (MERGE_PATCH, JSON_PATCH, JSON)
"""What a PATCH reads; plain JSON is a merge patch."""

PARAMETERS_MAX: Final = 1_000
NAME_LENGTH_KEPT: Final = 64

type Pairs = Sequence[tuple[str, str]]


class CatalogRequest(Request):
    """A request with the open catalog at hand."""

    content: bytes = b""
    _parsed: tuple[Json] | None = None
    answer_type: str = JSON
    """The media type that the caller wants, of those the operation offers."""

    @property
    def catalog(self) -> Catalog:
        catalog: Catalog = self.scope["state"]["catalog"]
        return catalog

    @property
    def write_line(self) -> WriteLine:
        line: WriteLine = self.scope["state"]["write_line"]
        return line

    @property
    def searches(self) -> Searches:
        searches: Searches = self.scope["state"]["searches"]
        return searches

    @property
    def suggestions(self) -> Answers:
        suggestions: Answers = self.scope["state"]["suggestions"]
        return suggestions

    @property
    def options(self) -> HttpOptions:
        options: HttpOptions = self.scope["app"].state.options
        return options

    @property
    def fields(self) -> Mapping[bytes, bytes]:
        """The header fields: lower-case name → value."""
        return exchange_of(self.scope).headers

    def pairs(self) -> Pairs:
        """Return the query's parameters in their order, decoded.

        Raises:
            Refusal: The query is not percent-encoded UTF-8 (``malformed_query``).
        """
        return read_pairs(self.scope["query_string"])

    def parameters(self, known: Collection[str]) -> dict[str, str]:
        """Return the query's parameters, each of which may occur once.

        Raises:
            InvalidQuery: One is not *known*, or occurs twice.
        """
        parameters: dict[str, str] = {}
        faults: list[Fault] = []
        for name, value in self.pairs():
            if name not in known:
                faults.append(unknown_parameter(name, known))
            elif name in parameters:
                faults.append(Fault(name, "duplicate_parameter", "It may be given only once."))
            parameters[name] = value
        if faults:
            raise InvalidQuery(tuple(faults))
        return parameters

    def media_type(self, accepted: Sequence[str]) -> str:
        """Return the body's media type, which is one of *accepted*.

        Raises:
            Refusal: It is another one, is missing, or the body is compressed
                (``unsupported_media_type``).
        """
        method = exchange_of(self.scope).method
        listed = {_ACCEPT_FIELDS.get(method, "Accept"): ", ".join(accepted)}
        coding = self.fields.get(b"content-encoding", b"identity").decode("latin-1")
        if coding.strip().lower() not in {"", "identity"}:
            detail = f"Send the body uncompressed, not as {coding[:40]!r}."
            headers = {**listed, "Accept-Encoding": "identity"}
            raise Refusal("unsupported_media_type", detail, headers=headers)
        sent = self.fields.get(b"content-type", b"").decode("latin-1")
        media_type, charset = _parse_media_type(sent)
        if media_type not in accepted or charset not in {"", "utf-8", "utf8"}:
            what = f"not {sent[:80]!r}" if sent else "and say so in Content-Type"
            detail = f"Send {' or '.join(accepted)} here, in UTF-8, {what}."
            raise Refusal("unsupported_media_type", detail, headers=listed)
        return media_type

    async def receive_content(self, bytes_max: int, wait_s_max: float) -> None:
        """Read the body into ``content``.

        Raises:
            Refusal: It is too large, or takes too long.
        """
        length = self.fields.get(b"content-length")
        if length is not None and (not length.isdigit() or int(length[:20]) > bytes_max):
            raise _too_large(bytes_max)
        chunks: list[bytes] = []
        received = 0
        try:
            async with asyncio.timeout(wait_s_max):
                async for chunk in self.stream():
                    received += len(chunk)
                    if received > bytes_max:
                        raise _too_large(bytes_max)
                    chunks.append(chunk)
        except TimeoutError:
            detail = f"The body did not arrive within {wait_s_max:g} s."
            raise Refusal("request_timeout", detail, headers={"Connection": "close"}) from None
        except ClientDisconnect:
            detail = "The connection ended before the body did."
            raise Refusal("request_timeout", detail) from None
        self.content = b"".join(chunks)

    def document(self) -> Json:
        """Return the body as JSON; it is parsed once.

        Raises:
            Refusal: It is not (``malformed_json``).
        """
        if self._parsed is None:
            self._parsed = (self._parse(),)
        return self._parsed[0]

    def _parse(self) -> Json:
        try:
            return strict_json.parse(self.content)
        except strict_json.MalformedJson as error:
            facts: dict[str, object] = {"line": error.line, "column": error.column}
            if error.pointer:
                listed = {"pointer": error.pointer, "code": "malformed_json", "detail": str(error)}
                facts["errors"] = [listed]
            raise Refusal("malformed_json", str(error), facts=facts) from None


def read_pairs(query: bytes) -> Pairs:
    """Return the parameters of a query string in their order, decoded.

    Raises:
        Refusal: It is not percent-encoded UTF-8, or has too many (``malformed_query``).
    """
    if query.count(b"&") >= PARAMETERS_MAX:
        detail = f"The query string has more than {PARAMETERS_MAX} parameters."
        raise Refusal("malformed_query", detail)
    try:
        split = [each.partition("=") for each in query.decode().split("&") if each]
        return [(_decoded_name(name), _decoded(value)) for name, _, value in split]
    except UnicodeDecodeError:
        detail = "The query string is not percent-encoded UTF-8."
        raise Refusal("malformed_query", detail) from None


def _decoded(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    return unquote(text, errors="strict") if "%" in text else text


_known_name: Final = lru_cache(maxsize=512)(_decoded)


def _decoded_name(text: str) -> str:
    # There are few names, and decoding `price%5Bgte%5D` takes longer than all else about it.
    return _known_name(text) if len(text) <= NAME_LENGTH_KEPT else _decoded(text)


_ACCEPT_FIELDS: Final[Mapping[str, str]] = {"POST": "Accept-Post", "PATCH": "Accept-Patch"}
"""Method → the field that lists what it reads (W3C LDP 7.1, RFC 5789); else RFC 9110's Accept."""


def _too_large(bytes_max: int) -> Refusal:
    detail = f"The body is larger than {bytes_max} bytes."
    return Refusal("content_too_large", detail, facts={"limit": bytes_max})


def unknown_parameter(name: str, known: Collection[str]) -> Fault:
    """Return the fault of a query parameter that a resource does not know."""
    listed = ", ".join(sorted(known)) or "none"
    return Fault(name[:100], "unknown_parameter", f"There is no such parameter. Known: {listed}.")


@lru_cache(maxsize=256)
def _parse_media_type(text: str) -> tuple[str, str]:
    """Return the media type and the charset of a Content-Type, both in lower case."""
    media_type, *parameters = (part.strip().lower() for part in text[:200].split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset":
            return media_type, value.strip().strip('"')
    return media_type, ""


@lru_cache(maxsize=1024)
def preferred(accept: bytes, offered: tuple[str, ...]) -> str | None:
    """Return the media type to answer with (RFC 9110, section 12.5.1).

    Args:
        accept: The Accept header; an empty one accepts everything.
        offered: What there is; the first is taken when the caller does not mind.

    Returns:
        None when the header excludes all of them.
    """
    ranges: dict[str, float] = {}
    for each in accept.decode("latin-1").lower().split(","):
        media_range, *parameters = (part.strip() for part in each.split(";"))
        weights = [_weight(each[2:]) for each in parameters if each.startswith("q=")]
        if media_range:
            ranges[media_range] = weights[-1] if weights else 1.0
    if not ranges:
        return offered[0]

    def weight(media_type: str) -> float:
        kind = media_type.partition("/")[0]
        specific = (media_type, f"{kind}/*", "*/*")
        return next((ranges[each] for each in specific if each in ranges), 0.0)

    best = max(offered, key=weight)
    return best if weight(best) > 0 else None


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0
