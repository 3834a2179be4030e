"""What concurrent clients see could have happened one thing at a time.

Eight clients with a connection each create, replace, patch, delete, read, list and search the same
few products, with and without ``If-Match``, for a few seconds. Then the history of each product is
checked for linearizability.

``VITRINA_TEST_HISTORY_S`` is for how long (default 5 seconds), ``VITRINA_TEST_SEED`` chooses other
plans.
"""

import os
import time
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.histories import Client, Clients, can_search
from tests.linearizability import Find, Operation, Shown, check
from tests.running import RunningService, run_vitrina

SECONDS: Final = float(os.environ.get("VITRINA_TEST_HISTORY_S", "5"))
SEED: Final = int(os.environ.get("VITRINA_TEST_SEED", "20260131"))
CLIENTS: Final = 8


def arguments_for(workers: int) -> list[str]:
    """Return the arguments that start so many workers; skip where there is no such thing yet."""
    if workers == 1:
        return []
    if "--workers" not in run_vitrina("serve", "--help").stdout:
        pytest.skip("this version serves with one worker only")
    return ["--workers", str(workers)]


@pytest.mark.parametrize("workers", [1, 4])
def test_concurrent_clients_see_one_catalog(tmp_path: Path, workers: int) -> None:
    (tmp_path / "products.jsonl").touch()
    with RunningService(tmp_path, *arguments_for(workers)) as service:
        searches = can_search(service.port)
        clients = [
            Client(name, service.port, Random(f"{SEED}-{name}"), searches=searches)  # noqa: S311 - reproducible
            for name in (f"c{number}" for number in range(CLIENTS))
        ]
        with Clients(clients) as at_work:
            time.sleep(SECONDS)
    check_history(at_work.history)


def check_history(history: list[Operation]) -> None:
    """Fail unless every product's history is linearizable, and says something."""
    violations = check(history)
    assert not violations, "\n\n".join(map(str, violations))
    assert len(history) > 100
    shown = [each for each in history if isinstance(each.outcome, Shown)]
    assert any(isinstance(each.action, Find) for each in shown)
    tags: dict[tuple[str, str], tuple[object, ...]] = {}
    for each in shown:
        assert isinstance(each.outcome, Shown)
        if each.outcome.tag:
            body = (each.outcome.version, *each.outcome.fields.values())
            assert tags.setdefault((each.product, each.outcome.tag), body) == body
