"""One check more for schemathesis: why a request that fits the schemas was refused.

Loaded by schemathesis itself; see ``test_schemathesis.py``.
"""

from typing import Any, Final

import schemathesis

STATE_STATUSES: Final = frozenset({404, 409, 410, 412})
"""They tell what is in the catalog, which no schema knows."""

PROBLEMS: Final = frozenset({"bad_cursor", "idempotency_key_reused"})
"""They depend on requests before."""


OF_DOCUMENTS: Final = frozenset(
    {
        "currency_mismatch",
        "duplicate_attribute",
        "id_mismatch",
        "invalid_amount",
        "invalid_attribute_name",
        "invalid_gtin",
        "invalid_sku",
        "invalid_slug",
        "list_price_below_price",
        "number_out_of_range",
        "reserved_id",
        "too_deep",
        "too_long",
        "too_many_digits",
        "unknown_category",
    }
)
"""What several members say together, and what needs arithmetic or Unicode."""

OF_PATCHED: Final = OF_DOCUMENTS | {
    "control_character",
    "invalid_id",
    "invalid_time",
    "invalid_url",
    "out_of_range",
    "read_only",
    "required",
    "too_many",
    "too_short",
    "unknown_choice",
    "unknown_currency",
    "unknown_field",
    "wrong_type",
}
"""A patch may make anything of what is there now."""

OF_QUERIES: Final = frozenset(
    {
        "duplicate_value",
        "invalid_facet_query",
        "invalid_number",
        "invalid_boolean",
        "not_combinable",
        "too_many",
        "unknown_field",
        "unknown_operator",
        "duplicate_parameter",
    }
)
"""What several parameters say together, and the operators of attributes."""


_ALLOWED: Final = {"GET": OF_QUERIES, "PATCH": OF_PATCHED}


@schemathesis.check
def refusals_are_beyond_schemas(_: Any, response: Any, case: Any) -> None:
    """Refuse a refusal whose reason the schema could have told."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if not 400 <= response.status_code < 500 or response.request.method in {"TRACE", "OPTIONS"}:
        return
    if response.status_code in STATE_STATUSES:
        return
    problem = response.json()
    code = problem["code"]
    if code == "malformed_header" and "0" in map(str, (case.headers or {}).values()):
        return  # In its coverage phase the tool sends 0 where the pattern asks for a tag in quotes.
    if code in {"validation_failed", "unknown_field", "invalid_query"}:
        found = {each["code"] for each in problem["errors"]}
        allowed = _ALLOWED.get(response.request.method, OF_DOCUMENTS)
        assert found <= allowed, f"a schema could tell: {sorted(found - allowed)}"
    else:
        assert code in PROBLEMS, f"a schema could tell: {code}"
