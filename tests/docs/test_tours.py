"""What the README and the tutorial tell a newcomer to type, typed."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import RunningService

TOP = Path(__file__).parents[2]
CURL = shutil.which("curl")

needs_curl = pytest.mark.skipif(CURL is None, reason="the tours are typed with curl")


def blocks(page: str, language: str) -> list[str]:
    text = (TOP / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def curl_commands(page: str) -> Iterator[str]:
    for block in blocks(page, "sh"):
        joined = block.replace("\\\n", " ")
        yield from (line for line in joined.splitlines() if line.startswith("curl "))


def statuses(page: str, service: RunningService) -> list[int]:
    """Type each curl command of *page* at *service*, and return what it answered."""
    base = str(service.client.base_url).rstrip("/")
    found = []
    for command in curl_commands(page):
        quiet = command.replace("curl ", "curl -o /dev/null -w '%{http_code}' ", 1)
        typed = ["sh", "-c", quiet.replace(" -i ", " ").replace("http://127.0.0.1:8000", base)]
        ran = subprocess.run(typed, capture_output=True, text=True, check=True, timeout=60)
        found.append(int(ran.stdout))
    return found


@needs_curl
def test_the_tour_of_the_readme(tmp_path: Path) -> None:
    shop = shutil.copytree(
        TOP / "examples" / "shop", tmp_path / "shop", ignore=shutil.ignore_patterns(".vitrina")
    )

    with RunningService(shop) as service:
        assert statuses("README.md", service) == [200, 200, 201, 200, 412, 204]


@needs_curl
def test_the_tutorial(tmp_path: Path) -> None:
    shop = tmp_path / "my-shop"
    shop.mkdir()
    (shop / "products.csv").write_text(blocks("docs/tutorial.md", "text")[0], encoding="utf-8")

    with RunningService(shop) as service:
        assert statuses("docs/tutorial.md", service) == [200, 200, 200, 412, 422]
        lamp = service.client.get("/v1/products/lamp-1").json()

    assert lamp["title"] == "Brass lamp"
    assert lamp["brand"] == "Lumen"
    assert lamp["attributes"] == {"colour": "brass"}
    assert lamp["price"] == {"amount": "119.90", "currency": "EUR"}
    untouched = "lamp-2,Paper lamp,24.00 EUR,Lumen,white"
    rows = (shop / "products.csv").read_text(encoding="utf-8").splitlines()
    assert any(row.startswith(untouched) for row in rows)
