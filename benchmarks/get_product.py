"""``GET /v1/products/{id}`` against the least that could answer it.

Three applications answer the same bytes, each on one uvicorn worker of its own: a raw ASGI constant, a
bare Starlette route that takes the bytes from a dictionary, and the whole of Vitrina over a catalog in
memory. They are measured in turns, so that the noise of the machine falls on all of them alike; the
medians of all turns are compared. The exit status is 1 when Vitrina is below 0.70 of Starlette.

    uv run python benchmarks/get_product.py [--products 20000] [--rounds 7] [--seconds 3]

The load comes from wrk when it is installed, else from a client written in Python, which is slower than
the servers it measures: then the ratios say less.
"""

import argparse
import asyncio
import contextlib
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from random import Random
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrina.adapters.index.scan import ScanIndex
from vitrina.adapters.memory import MemoryCatalog
from vitrina.bootstrap import Catalog
from vitrina.entrypoints.http.app import create_app
from vitrina.service_layer.documents import Document
from vitrina.service_layer.products import add_product

FLOOR = 0.70
APPLICATIONS = ("raw", "starlette", "vitrina")
CONNECTIONS = 16

type Application = Callable[..., Awaitable[None]]


def product(number: int) -> Document:
    """Return a product of about 800 bytes, as it is sent."""
    return {
        "id": f"product-{number:06}",
        "sku": f"SKU-{number:06}",
        "title": f"Adventure-Ready Expedition Backpack, edition {number}",
        "description": "A durable beige backpack with a robust harness system. " * 4,
        "brand": f"Brand {number % 40}",
        "price": {"amount": f"{number % 900 + 10}.90", "currency": "EUR"},
        "quantity": number % 50,
        "attributes": {"color": "beige", "volume": {"value": 40, "unit": "l"}, "waterproof": True},
        "tags": ["backpack", "outdoor"],
    }


def filled_catalog(products: int) -> MemoryCatalog:
    """Return a catalog of that many products."""
    catalog = MemoryCatalog()
    for number in range(products):
        add_product(catalog.unit_of_work(), product(number))
    return catalog


def raw(catalog: MemoryCatalog) -> Application:
    """Return an ASGI application that answers the first product, whatever is asked."""
    body = catalog.view.product("product-000000").body
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]

    async def app(scope: MutableMapping[str, Any], _: object, send: Callable[..., Any]) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    return app


def starlette(catalog: MemoryCatalog) -> Application:
    """Return a Starlette application that answers bytes from a dictionary."""
    _, products = catalog.view.snapshot()
    bodies = {each.id: each.body for each in products}

    async def get(request: Request) -> Response:
        return Response(bodies[request.path_params["id"]], media_type="application/json")

    return Starlette(routes=[Route("/v1/products/{id}", get)])


def vitrina(catalog: MemoryCatalog) -> Application:
    """Return the whole service over the catalog."""
    opened = Catalog(
        view=catalog.view,
        index=ScanIndex(catalog.view, catalog),
        log=catalog,
        unit_of_work=catalog.unit_of_work,
        checks=lambda: (),
    )
    return create_app(lambda: contextlib.nullcontext(opened))


def serve(name: str, port: int, products: int) -> None:
    """Serve one application until the process is stopped."""
    make = {"raw": raw, "starlette": starlette, "vitrina": vitrina}[name]
    uvicorn.run(
        make(filled_catalog(products)),
        port=port,
        log_level="warning",
        access_log=False,
        lifespan="auto",
    )


@contextlib.contextmanager
def servers(products: int) -> Iterator[dict[str, int]]:
    """Start the three servers and yield their ports."""
    ports: dict[str, int] = {}
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for name in APPLICATIONS:
            ports[name] = free_port()
            command = [sys.executable, __file__, "--serve", name, "--port", str(ports[name])]
            processes.append(subprocess.Popen([*command, "--products", str(products)]))
        for port in ports.values():
            wait_for(port)
        yield ports
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError):
            body = fetch(port)
            assert body.startswith(b'{"id":"product-000000"')
            return
        time.sleep(0.1)
    raise SystemExit(f"no server on port {port}")


def fetch(port: int) -> bytes:
    url = f"http://127.0.0.1:{port}/v1/products/product-000000"
    with urllib.request.urlopen(url, timeout=5) as response:
        body: bytes = response.read()
        return body


def wait_for_workers(port: int, workers: int) -> None:
    """Wait until so many workers answer: each begins its request ids with words of its own."""
    seen: set[str] = set()
    for _ in range(1_200):
        with contextlib.suppress(OSError):
            url = f"http://127.0.0.1:{port}/livez"
            with urllib.request.urlopen(url, timeout=5) as response:
                seen.add(response.headers["X-Request-Id"].partition("-")[0])
        if len(seen) == workers:
            return
        time.sleep(0.05)
    raise SystemExit(f"{len(seen)} of {workers} workers answer on port {port}")


def paths(products: int) -> list[str]:
    random = Random(1)  # noqa: S311 - a repeatable choice, not a secret
    return [f"/v1/products/product-{random.randrange(products):06}" for _ in range(1_000)]


LUA = """
local paths = {{ {paths} }}
local requests = {{}}
local place = 0
init = function()
  for number, path in ipairs(paths) do
    requests[number] = wrk.format("GET", path)
  end
end
request = function()
  place = place % #requests + 1
  return requests[place]
end
done = function(summary)
  io.write(string.format("bad %d\\n", summary.errors.status + summary.errors.read))
end
"""


def load_with_wrk(port: int, script: Path, seconds: float) -> float:
    """Return the requests a second that wrk gets out of a server."""
    wrk = shutil.which("wrk")
    assert wrk
    url = f"http://127.0.0.1:{port}"
    command = [
        wrk,
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{max(1, round(seconds))}s",
        "-s",
        str(script),
        url,
    ]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "bad 0" in output, output
    match = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert match, output
    return float(match[1])


async def load_with_python(port: int, asked: list[str], seconds: float) -> float:
    """Return the requests a second that a Python client gets out of a server."""
    until = time.perf_counter() + seconds
    done = 0

    async def caller(first: int) -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        place = first
        while time.perf_counter() < until:
            place = (place + 1) % len(asked)
            writer.write(f"GET {asked[place]} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = re.search(rb"content-length: (\d+)", head)
            assert length, head
            await reader.readexactly(int(length[1]))
            done += 1
        writer.close()

    await asyncio.gather(*(caller(each * 60) for each in range(CONNECTIONS)))
    return done / seconds


def measure(products: int, rounds: int, seconds: float) -> dict[str, float]:
    """Return the median of each application's requests a second."""
    asked = paths(products)
    rates: dict[str, list[float]] = {name: [] for name in APPLICATIONS}
    with servers(products) as ports, tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "paths.lua")
        script.write_text(LUA.format(paths=", ".join(f'"{each}"' for each in asked)))
        for number in range(rounds + 1):
            for name in APPLICATIONS:
                if shutil.which("wrk"):
                    rate = load_with_wrk(ports[name], script, seconds)
                else:
                    rate = asyncio.run(load_with_python(ports[name], asked, seconds))
                if number:  # The first round warms up.
                    rates[name].append(rate)
    return {name: statistics.median(each) for name, each in rates.items()}


def main() -> int:
    """Measure, print, and say whether the floor holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--serve", choices=APPLICATIONS, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.serve, asked.port, asked.products)
        return 0
    medians = measure(asked.products, asked.rounds, asked.seconds)
    tool = "wrk" if shutil.which("wrk") else "a Python client"
    print(f"GET one of {asked.products} products, {CONNECTIONS} connections, load from {tool},")
    print(
        f"medians of {asked.rounds} interleaved rounds of {asked.seconds:g} s, {os.cpu_count()} cores"
    )
    for name, rate in medians.items():
        to_raw, to_starlette = rate / medians["raw"], rate / medians["starlette"]
        print(f"{name:>10} {rate:>9.0f}/s   {to_raw:4.2f} x raw   {to_starlette:4.2f} x Starlette")
    ratio = medians["vitrina"] / medians["starlette"]
    print(f"{'holds' if ratio >= FLOOR else 'FAILS'}: {ratio:.2f}, at least {FLOOR:.2f} is asked")
    return 0 if ratio >= FLOOR else 1


if __name__ == "__main__":
    sys.exit(main())
