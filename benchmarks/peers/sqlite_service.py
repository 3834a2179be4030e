# /// script
# requires-python = "==3.13.*"
# dependencies = ["fastapi==0.165.0", "orjson==3.13.0", "uvicorn[standard]==0.54.0"]
# ///
"""A product list with FastAPI over SQLite, written by hand to be fast.

The bodies are stored as JSON and sent as they are; there is an index for the very page that is asked
for; FTS5 finds what has all words, and the matching rows are counted in one go for all facets.
"""

import sqlite3
import sys
from collections import Counter

import orjson
import uvicorn
from fastapi import FastAPI, Response

db = sqlite3.connect(sys.argv[1], check_same_thread=False)
db.execute("PRAGMA mmap_size = 4000000000")
app = FastAPI()
JSON = "application/json"


def answer(bodies: list[tuple[str]], total: int, facets: object = None) -> Response:
    """Return an answer made of stored bodies."""
    rest = orjson.dumps({"total": total, "facets": facets})[1:]
    body = b'{"items":[%s],%s' % (b",".join(each.encode() for (each,) in bodies), rest)
    return Response(body, media_type=JSON)


@app.get("/products")
async def page(category: str, price_gte: float, price_lte: float) -> Response:
    """Return a page by category and price."""
    where = "FROM product WHERE category_id = ? AND status = 'active' AND price BETWEEN ? AND ?"
    asked = (category, price_gte, price_lte)
    rows = db.execute(
        "SELECT body FROM body JOIN (SELECT number "  # noqa: S608 - only constants
        f"{where} ORDER BY price, number LIMIT 20) USING (number)",
        asked,
    )
    bodies = rows.fetchall()
    (total,) = db.execute(f"SELECT count(*) {where}", asked).fetchone()
    return answer(bodies, total)


@app.get("/search")
async def search(q: str, facets: str = "") -> Response:
    """Return the best matches, with four facets when asked for."""
    rows = db.execute(
        "SELECT body FROM (SELECT rowid FROM product_fts WHERE product_fts MATCH ? "
        "ORDER BY rank LIMIT 20) AS hit JOIN body ON body.number = hit.rowid",
        (q,),
    )
    bodies = rows.fetchall()
    if not facets:
        counted = "SELECT count(*) FROM product_fts WHERE product_fts MATCH ?"
        (total,) = db.execute(counted, (q,)).fetchone()
        return answer(bodies, total)
    matching = db.execute(
        "SELECT product.brand, category_id, CAST(price / 100 AS INTEGER), color FROM product_fts "
        "JOIN product ON number = product_fts.rowid WHERE product_fts MATCH ?",
        (q,),
    ).fetchall()
    counts = {
        name: Counter(values).most_common(200)
        for name, values in zip(
            ("brand", "category", "price", "color"), zip(*matching, strict=True), strict=False
        )
    }
    return answer(bodies, len(matching), counts)


@app.get("/suggest")
async def suggest(q: str) -> Response:
    """Return titles that have a word that begins so."""
    rows = db.execute(
        "SELECT title FROM product_fts WHERE product_fts MATCH ? ORDER BY rank LIMIT 5",
        (f'"{q}"*',),
    )
    return Response(orjson.dumps([each for (each,) in rows]), media_type=JSON)


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
