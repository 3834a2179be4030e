"""What the bodies look like, by resource: models for the OpenAPI document only.

Nothing is validated by them. Documents are read and written by
:mod:`vitrina.service_layer.documents`, and a test holds these models to what that module does.
A schema cannot say everything: the check digit of a GTIN, the digits of a currency, and what refers to
other resources are told in words, and answered with a 422 or a 409.
"""

from typing import Final

from vitrina.entrypoints.http.schemas import (
    categories,
    changes,
    discovery,
    health,
    listing,
    person_file,
    problems,
    products,
)

MODELS: Final = (
    products.Product,
    products.ProductInput,
    listing.ProductList,
    categories.Category,
    categories.CategoryBranch,
    categories.CategoryInput,
    categories.CategoryList,
    changes.ChangeList,
    discovery.Comparison,
    discovery.RelatedList,
    discovery.Statistics,
    discovery.SuggestionList,
    changes.History,
    person_file.FileStatus,
    person_file.ConflictList,
    problems.Problem,
    health.Health,
)
"""The documents; what they are made of comes with them."""
