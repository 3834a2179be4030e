import os
import signal
import time

import httpx2
from pytest_bdd import given, parsers, scenarios, then, when

from tests.acceptance.shop import Shop
from tests.acceptance.words import PRODUCT, cell
from tests.e2e.test_kill import children
from tests.running import RunningService
from tests.waiting import until

scenarios("workers.feature")

VISITORS = 12


@given(parsers.parse("the catalog is to be served by {count:d} workers"))
def many_workers(settings: dict[str, str], count: int) -> None:
    settings["VITRINA_WORKERS"] = str(count)
    settings["VITRINA_WORKER_HANG_S"] = "2"


@when("a worker dies")
def a_worker_dies(service: RunningService) -> None:
    worker = children(service.pid)[0]
    os.kill(worker, signal.SIGKILL)
    while worker in children(service.pid):
        time.sleep(0.01)  # As long as its connections are open, somebody might speak into them.


@when("a worker hangs and is replaced")
def a_worker_hangs(service: RunningService) -> None:
    worker = children(service.pid)[0]
    os.kill(worker, signal.SIGSTOP)
    until(lambda: worker not in children(service.pid))


@then(parsers.re(rf"all visitors see {PRODUCT} at (?P<price>.+)"))
def all_visitors_see(service: RunningService, product: str, price: str) -> None:
    for _ in range(VISITORS):
        with httpx2.Client(base_url=service.url, timeout=30) as visitor:
            assert Shop(visitor).read(product)["price"] == cell("price", price)
