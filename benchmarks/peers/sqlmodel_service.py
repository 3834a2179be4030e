# /// script
# requires-python = "==3.13.*"
# dependencies = ["fastapi==0.165.0", "sqlmodel==0.0.50", "uvicorn[standard]==0.54.0"]
# ///
"""A product list with FastAPI, SQLModel and SQLite, as their tutorials write it.

``def`` endpoints, a session from a dependency, a response model, an index for each column that is filtered
by; beyond the tutorials it has FTS5 (all words must occur) instead of ``LIKE '%…%'``.
"""

import sys
from collections.abc import Iterator
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, Query
from sqlalchemy import Integer, cast, column, table, text
from sqlmodel import Field, Session, SQLModel, create_engine, func, select

engine = create_engine(
    f"sqlite:///{sys.argv[1]}", connect_args={"check_same_thread": False}, pool_size=40
)
app = FastAPI()
words = table("product_fts", column("rowid"), column("rank"))


class ProductBase(SQLModel):
    """The columns of a product."""

    id: str
    sku: str
    title: str
    slug: str
    description: str | None
    status: str
    brand: str
    category_id: str | None
    condition: str
    price: float
    currency: str
    availability: str
    color: str
    size: float
    rating: float
    rating_count: int
    created_at: str
    updated_at: str
    version: int


class Product(ProductBase, table=True):
    """A row."""

    number: int = Field(primary_key=True)


class Page(SQLModel):
    """An answer."""

    items: list[ProductBase]
    total: int
    facets: dict[str, dict[str, int]] | None = None


def get_session() -> Iterator[Session]:
    """Yield a session for one request."""
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


@app.get("/products")
def list_products(
    session: SessionDep,
    q: str | None = None,
    category: str | None = None,
    price_gte: float | None = None,
    price_lte: float | None = None,
    limit: Annotated[int, Query(le=200)] = 20,
    facets: bool = False,  # noqa: FBT001, FBT002 - as tutorials write it
) -> Page:
    """List products."""
    found = select(Product).where(Product.status == "active")
    if q is not None:
        found = found.join(words, words.c.rowid == Product.number)
        found = found.where(text("product_fts MATCH :q").bindparams(q=q))
    if category is not None:
        found = found.where(Product.category_id == category)
    if price_gte is not None:
        found = found.where(Product.price >= price_gte)
    if price_lte is not None:
        found = found.where(Product.price <= price_lte)
    total = session.exec(select(func.count()).select_from(found.subquery())).one()
    order = words.c.rank if q is not None else Product.price
    items = session.exec(found.order_by(order).limit(limit)).all()
    counts = None
    if facets:
        matching = found.subquery()
        counts = {}
        for name, value in (
            ("brand", matching.c.brand),
            ("category", matching.c.category_id),
            ("price", cast(matching.c.price / 100, Integer)),
            ("color", matching.c.color),
        ):
            grouped = select(value, func.count()).group_by(value).order_by(func.count().desc())
            counts[name] = {str(key): each for key, each in session.exec(grouped.limit(200)).all()}
    return Page(items=items, total=total, facets=counts)


@app.get("/suggest")
def suggest(session: SessionDep, q: str) -> list[str]:
    """Return titles that have a word that begins so."""
    found = select(Product.title).join(words, words.c.rowid == Product.number)
    found = found.where(text("product_fts MATCH :q").bindparams(q=f'"{q}"*'))
    return list(session.exec(found.order_by(words.c.rank).limit(5)).all())


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
