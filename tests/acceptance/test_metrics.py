import errno
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pytest_bdd import given, parsers, scenarios, then, when

from tests.acceptance.conftest import VISITORS
from tests.acceptance.files import ProductFile
from tests.faults import Faults, Refuse
from tests.running import RunningService
from tests.waiting import until

scenarios("metrics.feature")


def asked(service: RunningService, path: str) -> list[httpx2.Response]:
    """Ask so often, each time anew, that every worker answers."""
    answers = []
    for _ in range(VISITORS):
        with httpx2.Client(base_url=service.url, timeout=30) as operator:
            answers.append(operator.get(path))
    return answers


def numbers(service: RunningService, name: str, **labels: str) -> set[float]:
    """Return what the workers say of a number: how much it is over all its series."""
    found = set()
    for answer in asked(service, "/metrics"):
        samples = [
            sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        found.add(sum(samples))
    return found


@given("the disk is one that can fail", target_fixture="faults")
def disk_can_fail(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Faults:
    faults = Faults(tmp_path_factory.mktemp("faults"), path=".vitrina/journal/")
    settings.update(faults.environment)
    return faults


@given(parsers.parse("visitors have read {product} {times:d} times"))
@when(parsers.parse("visitors read {product} {times:d} times"))
def visitors_read(service: RunningService, product: str, times: int) -> None:
    for _ in range(times):
        with httpx2.Client(base_url=service.url, timeout=30) as visitor:
            visitor.get(f"/v1/products/{product}").raise_for_status()


@when("the disk cannot sync any more")
def disk_cannot_sync(faults: Faults) -> None:
    faults.refuse(Refuse.SYNC, errno.EIO)


@when("the disk is full")
def disk_is_full(faults: Faults) -> None:
    faults.refuse(Refuse.WRITE, errno.ENOSPC)


@when("there is room again")
def disk_has_room(faults: Faults) -> None:
    faults.mend()


@when("the service is restarted on a disk that is well")
def is_restarted(service: RunningService, faults: Faults) -> None:
    faults.mend()
    service.restart()


@when("somebody saves the file broken")
def file_is_broken(file: ProductFile) -> None:
    Path(file.path).write_text('id,title,price\nLAMP-1,"Desk')


@then(parsers.re(r"every worker counts (?P<times>\d+) (?P<what>reading|revision)s? of a product"))
def every_worker_counts(service: RunningService, times: str, what: str) -> None:
    method = {"reading": "GET", "revision": "PATCH"}[what]
    labels = {"method": method, "route": "/v1/products/{id}", "status": "2xx"}
    assert numbers(service, "vitrina_http_requests_total", **labels) == {float(times)}


@then(
    parsers.re(
        r"every worker says that (?P<name>vitrina_\w+)( with the reason (?P<reason>\w+))? "
        r"is (?P<value>\d+)"
    )
)
def every_worker_says(service: RunningService, name: str, reason: str | None, value: str) -> None:
    labels = {"reason": reason} if reason else {}
    until(lambda: numbers(service, name, **labels) == {float(value)})


@then(parsers.parse('every probe of a worker says "{words}"'))
def every_probe_says(service: RunningService, words: str) -> None:
    until(lambda: all(words in answer.text for answer in asked(service, "/readyz")))
