"""Hypothesis strategies for products of every kind the domain allows, and the documents of them."""

import string
from decimal import Decimal

from hypothesis import strategies as st

from vitrina.domain.attributes import INTEGER_MAX, AttributeValue, Measure
from vitrina.domain.errors import InvalidDocument
from vitrina.domain.identifiers import gtin_check_digit
from vitrina.domain.money import MINOR_DIGITS, Money
from vitrina.domain.product import Availability, Condition, Image, Product, Rating, Status
from vitrina.service_layer.documents import Document, write_product

_TRICKY = st.sampled_from(
    [
        *"true FALSE -0 0123 1e5 4.00638E+12 'x ' '' '0 , ; | || \" \"\" a;b a|b a\\|b\\c \\ \\| \\'".split(),
        *"12,90 €5 $1 { [] =1+1 null NaN 9007199254740993 1.50 é 漢字 🛋 \\e \\' e\u0301".split(),
        *("55 in", "> ", "a > b", " x ", "x\n", "\r\ny", "\t", "a, b", " "),
        '{"value": 1, "unit": "x"}',
    ]
)


_CHARACTERS = st.characters(exclude_categories=("Cs", "Cc"))


def texts(longest: int = 30, *, shortest: int = 0) -> st.SearchStrategy[str]:
    """Return texts that a product may hold, spreadsheet traps among them."""
    raw = st.one_of(
        st.text(_CHARACTERS, max_size=longest),
        _TRICKY,
        st.text("a1 |\\'\",;>\n\r\t-.", max_size=8),
    )
    return raw.map(lambda text: text if text.strip() or not shortest else f"{text}x")


def _one_line(text: str) -> str:
    """Return *text* as a name or SKU may be: printable, and without white space around it."""
    return "".join(filter(str.isprintable, text)).strip() or "x"


_NAMES = st.one_of(
    st.sampled_from(
        ["color", "Color", "title", "price", "attributes.x", "a.b", "x:y", "id", "name"]
    ),
    texts(20, shortest=1).map(_one_line),
)
_IDS = st.text(string.ascii_letters + string.digits + "._~:-", max_size=12).map("i{}".format)
_NUMBERS = st.one_of(
    st.integers(-INTEGER_MAX, INTEGER_MAX), st.floats(allow_nan=False, allow_infinity=False)
)
_URLS = st.one_of(
    st.sampled_from(["https://a.example/x|y", "http://b.example/a,b", "https://c.example/\\'"]),
    st.text(string.ascii_lowercase + "/?&=|,\\%", max_size=10).map("https://s.example/".__add__),
)


def attribute_values() -> st.SearchStrategy[AttributeValue]:
    """Return values of attributes, of all five kinds."""
    units = st.one_of(st.sampled_from(["in", "kg", "blocks"]), texts(10, shortest=1))
    return st.one_of(
        texts(),
        st.booleans(),
        _NUMBERS,
        st.builds(Measure, _NUMBERS, units),
        st.lists(texts(), max_size=4).map(tuple),
    )


@st.composite
def money(draw: st.DrawFn, currency: str) -> Money:
    """Return an amount with at most the currency's digits."""
    digits = draw(st.integers(0, MINOR_DIGITS[currency]))
    units = draw(st.integers(0, 10**12 - 1))
    return Money(Decimal(units).scaleb(-digits) if digits else Decimal(units), currency)


def gtins() -> st.SearchStrategy[str]:
    """Return valid GTINs of all lengths."""
    lengths = st.sampled_from([7, 11, 12, 13])
    digits = lengths.flatmap(lambda n: st.text(string.digits, min_size=n, max_size=n))
    return digits.map(lambda text: text + gtin_check_digit(text))


@st.composite
def products(draw: st.DrawFn, product_id: str | None = None) -> Product:
    """Return a product as the catalog may hold it: with a slug, and any field set or not."""
    currency = draw(st.sampled_from(["EUR", "USD", "JPY", "KWD"]))
    price = draw(st.none() | money(currency))
    some = st.none()
    slugs = st.sampled_from(["lamp", "läsk-2", "x"]) | st.text("abcü09", min_size=1, max_size=8)
    try:
        return Product(
            id=product_id or draw(_IDS),
            title=draw(texts(shortest=1)),
            sku=draw(some | texts(12, shortest=1).map(_one_line)),
            slug=draw(slugs),
            description=draw(some | texts(60)),
            status=draw(st.sampled_from(Status)),
            brand=draw(some | texts(shortest=1)),
            category_id=draw(some | _IDS),
            condition=draw(st.sampled_from(Condition)),
            price=price,
            list_price=price if draw(st.booleans()) else None,
            quantity=draw(some | st.integers(0, INTEGER_MAX)),
            availability=draw(some | st.sampled_from(Availability)),
            gtin=draw(some | gtins()),
            mpn=draw(some | texts(12, shortest=1)),
            images=draw(st.lists(st.builds(Image, _URLS, texts(10)), max_size=3).map(tuple)),
            attributes=draw(st.dictionaries(_NAMES, attribute_values(), max_size=3)),
            tags=draw(st.lists(texts(shortest=1), max_size=3).map(tuple)),
            rating=draw(some | st.builds(Rating, st.floats(0, 5), st.integers(0, 9))),
            url=draw(some | _URLS),
        )
    except InvalidDocument as error:
        raise AssertionError(error) from error


def documents(product_id: str | None = None) -> st.SearchStrategy[Document]:
    """Return documents as the catalog writes them."""
    return products(product_id).map(write_product)
