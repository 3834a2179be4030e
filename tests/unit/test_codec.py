import pytest
from hypothesis import given, strategies as st

from vitrina.adapters import codec
from vitrina.domain.product import Product

# Whatever could be taken for the end of a title, or for the beginning of another one.
telling = st.lists(
    st.sampled_from(['"', "\\", ",", "title", ":", '"title":"', "é", "🛋", "\n", "a", "{", "}"]),
    max_size=8,
).map("".join)


@given(telling, telling)
def test_a_title_is_read_alone_as_it_is_read_with_the_rest(sku: str, title: str) -> None:
    body = codec.store_product(
        Product(id="x", sku=f"s{sku}s".replace("\n", ""), title=f"t{title}t")
    ).body

    assert codec.title_of(body) == codec.load(body)["title"]


def test_what_is_no_product_has_no_title() -> None:
    with pytest.raises(ValueError, match="not a product"):
        codec.title_of(b'{"id":"desk-lamps","name":"Desk lamps"}')
